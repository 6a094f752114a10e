// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// Ships lines through a producer, no faster than it can take them.
struct Shipper {
    let producer: WebTrackingProducer
    let progress: SendProgress
    private var recordLog: RecordLog
    private(set) var mapper: RecordMapper
    private(set) var cutter: InputCutter
    private var pace: Pace
    /// How long to wait for room while nothing is delivered.
    private let patience: Duration
    private var bytesSinceLook = 0

    init(producer: WebTrackingProducer, mapper: RecordMapper, rate: Double?, patience: Duration, progress: SendProgress)
    {
        self.producer = producer
        self.progress = progress
        self.recordLog = RecordLog(producer, label: "webtracking.send")
        self.mapper = mapper
        self.cutter = InputCutter(limit: mapper.lineLimit, layout: mapper.format == .text ? .lines : nil)
        self.pace = Pace(rate: rate)
        self.patience = patience
    }

    /// Ships everything `input` has. Throws the system's error if it cannot be read, `CancellationError` if the
    /// progress was stopped or the task cancelled, and ``Pace/Stalled`` if nothing can be delivered.
    ///
    /// What it holds is shipped then, too: pieces of a container's line, and a line whose end it was waiting for.
    mutating func ship(_ input: InputReader) async throws {
        // Taken out of the structure, because it is in use while the lines are.
        var cutter = self.cutter
        defer { self.cutter = cutter }
        // Pieces of a container's line, whose end does not come any more.
        defer { for record in self.mapper.finish() { self.log(record) } }
        while true {
            let block: [UInt8]
            do {
                block = try await input.next()
            } catch {
                // A line without its end was read, too. At once: whoever ended this waits.
                await cutter.finish { self.log(line: $0) }
                throw error
            }
            if block.isEmpty { break }
            try await cutter.feed(block) { try await self.ship(line: $0) }
        }
        try await cutter.finish { try await self.ship(line: $0) }
    }

    private mutating func ship(line: ArraySlice<UInt8>) async throws {
        for record in self.mapper.records(line) {
            try await self.pace.waitForTurn()
            if self.progress.isStopped { throw CancellationError() }
            self.log(record)
        }
        // With its line feed.
        self.progress.add(bytes: line.count + 1)
        if self.roomIsDue(after: line.count) {
            let producer = self.producer
            try await self.pace.wait(patience: self.patience) {
                producer.statistics.delivered + producer.statistics.totalDropped
            } until: {
                producer.statistics.pendingBytes <= producer.configuration.memoryLimit / 2
            }
        }
    }

    private mutating func log(line: ArraySlice<UInt8>) {
        for record in self.mapper.records(line) { self.log(record) }
    }

    private mutating func log(_ record: OutgoingRecord) {
        self.recordLog.log(record)
        self.progress.add(records: 1)
    }

    /// Looking costs more than logging, so it is done once in a while.
    ///
    /// Half of the memory is free after a look. A byte of a line takes six at most, as `\u001f`, so that what may come
    /// until the next look fits even into what is reserved for low levels.
    private mutating func roomIsDue(after bytes: Int) -> Bool {
        self.bytesSinceLook += bytes + Self.overhead
        guard self.bytesSinceLook > self.producer.configuration.memoryLimit / 256 else { return false }
        self.bytesSinceLook = 0
        return true
    }

    /// About what a record takes besides its line.
    private static let overhead = 200
}

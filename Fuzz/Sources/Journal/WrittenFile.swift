// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

@testable import WebTracking

/// A spool file as a producer writes it, and what it holds.
struct WrittenFile {
    private(set) var bytes: [UInt8]
    private(set) var records: [[UInt8]] = []
    private(set) var levels = LevelCounts()
    let header: SpoolFormat.Header
    /// Where each record ends, in the memory behind the header page.
    private var ends: [Int] = []

    /// Makes a file of as many records as the input says; a few fill it to the last byte.
    init(_ input: inout FuzzInput) {
        let capacity = (1 + input.number(in: 0...63)) * 32 + 64
        let batchID = "0123456789abcdef-\(input.byte())"
        let opening = "{\"__topic__\":\"t\",\"__source__\":\"s\",\"__tags__\":{\"__pack_id__\":\"\(batchID)"
        let envelope = Array("\(opening)\"},\"__logs__\":[".utf8)
        let batchIDEnd = opening.utf8.count
        let seed = input.word() | 1
        let zeros = [UInt8](repeating: 0, count: capacity + envelope.count.roundedUp)
        let memory = zeros.withUnsafeBytes { BatchMemory(copying: $0, seed: seed) }
        var batch = OpenBatch(
            header: envelope,
            batchIDEnd: batchIDEnd,
            openedAt: MonotonicInstant(nanoseconds: 0),
            memory: memory
        )
        for number in 0..<(Int(input.byte()) % 24) {
            let rank = Int(input.byte()) % 7
            let text = "{\"n\":\"\(number)\",\"x\":\"\(String(repeating: "x", count: Int(input.byte()) % 96))\"}"
            let isAdded = Array(text.utf8).withUnsafeBytes { text in
                let record = EncodedRecord(opening: Envelope.separator, sequence: nil, members: text)
                guard batch.hasRoom(for: batch.cost(of: record)) else { return false }
                batch.append(record, rank: rank, isSynthetic: rank == 4)
                return true
            }
            guard isAdded else { break }
            self.records.append(Array(text.utf8))
            self.levels.countOne(rank)
            self.ends.append(batch.rawBytes - Envelope.footerCount)
        }
        if input.bool() { _ = batch.sealed() }
        self.header = SpoolFormat.Header(
            label: SpoolLabel(seed: seed, order: 1, openedAt: 2, destination: "project/logstore", topic: "t"),
            capacity: memory.capacity,
            envelopeBytes: envelope.count,
            envelopeCheck: RecordCheck.of(memory.base, count: envelope.count, seed: seed),
            batchIDEnd: batchIDEnd
        )
        self.bytes = [UInt8](repeating: 0, count: SpoolFormat.headerBytes)
        let header = self.header
        self.bytes.withUnsafeMutableBytes { SpoolFormat.write(header, to: $0.baseAddress!) }
        self.bytes += UnsafeRawBufferPointer(start: memory.base, count: memory.capacity)
    }

    /// How many records stand before the first difference to this file, marks included; none if the header is changed.
    func wholeRecords(in other: [UInt8]) -> Int {
        let body = SpoolFormat.headerBytes
        func isSame(_ range: Range<Int>) -> Bool { self.bytes[range] == other[range] }
        guard isSame(0..<(body + self.header.envelopeBytes)) else { return 0 }
        var start = self.header.envelopeBytes
        for (index, end) in self.ends.enumerated() {
            let mark = self.bytes.count - (index + 1) * 8
            guard isSame((body + start)..<(body + end)), isSame(mark..<(mark + 8)) else { return index }
            start = end
        }
        return self.ends.count
    }
}

extension Int {
    fileprivate var roundedUp: Int { (self + 15) & ~15 }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import WebTracking

/// How fast lines are shipped.
enum ShippingPace {
    /// The longest pause: the work may have taken long because the machine stood still, and nobody ends a pause early.
    static let longest = Duration.milliseconds(100)

    /// What to wait after so much work, so that the program has the processor.
    ///
    /// - Parameters:
    ///   - isCrowded: Whether the producer is more than half full. Then most of what it takes is dropped by its level, which is
    ///     worth little; what is beyond, the backlog drops for less.
    ///   - isBehind: Whether the backlog is more than half full. Then lines come faster than they can be shipped, and many will be
    ///     dropped anyway.
    static func pause(after work: Duration, isCrowded: Bool, isBehind: Bool) -> Duration {
        if isCrowded { return min(work * 9, self.longest) }
        return isBehind ? min(work, self.longest) : .zero
    }

    static func isCrowded(_ statistics: WebTrackingStatistics, _ configuration: WebTrackingConfiguration) -> Bool {
        statistics.pendingBytes > configuration.memoryLimit / 2
            || configuration.durability != .memory && statistics.spoolBytes > configuration.spool.maximumBytes / 2
    }
}

/// Tells of dropped lines in the log, where they are missing, once a second at most.
struct DropNotice {
    private static let interval = Duration.seconds(1)

    private var told = 0
    private var last: ContinuousClock.Instant?

    /// How many to tell of; `nil` for none now.
    mutating func count(dropped: Int, at now: ContinuousClock.Instant) -> Int? {
        guard dropped > self.told, self.last.map({ now - $0 >= Self.interval }) ?? true else { return nil }
        defer {
            self.told = dropped
            self.last = now
        }
        return dropped - self.told
    }
}

/// Ships one stream of a program from its backlog.
struct StreamShipper {
    /// How many bytes to ship until the next look at the producer, which costs more than a line.
    private static let lookInterval = 64 * 1024
    /// About what a record takes besides its line.
    private static let overhead = 200

    private let backlog: SharedBacklog
    private let producer: WebTrackingProducer
    private var log: RecordLog
    private var lines: ProgramLines
    private var splitter: LineSplitter
    private var notice = DropNotice()
    /// When the block came that is being shipped, in nanoseconds since 1970.
    private var time: Int64 = 0
    private var bytesSinceLook = 0
    private var isCrowded = false

    private let clock = ContinuousClock()
    /// When what is held has waited long enough.
    private var heldUntil: ContinuousClock.Instant?
    /// The task that looks then, or earlier.
    private var alarm: (due: ContinuousClock.Instant, task: Task<Void, Never>)?

    init(_ backlog: SharedBacklog, lines: ProgramLines, producer: WebTrackingProducer, label: String) {
        self.backlog = backlog
        self.lines = lines
        self.splitter = LineSplitter(limit: lines.lineLimit)
        self.producer = producer
        self.log = RecordLog(producer, label: label)
    }

    /// Goes on until the stream has ended.
    mutating func run() async {
        for await _ in self.backlog.events {
            if await self.shipBlocks() { self.heldUntil = self.lines.patience.map { self.clock.now + $0 } }
            if let heldUntil = self.heldUntil, heldUntil <= self.clock.now {
                self.ship(self.lines.flush())
                self.heldUntil = nil
            }
            self.setAlarm()
        }
        _ = await self.shipBlocks()
        self.alarm?.task.cancel()
        if self.backlog.takeGap() { self.splitter.discard() }
        var splitter = self.splitter
        await splitter.finish { self.ship(self.lines.add($0, time: self.time)) }
        self.ship(self.lines.finish())
        self.tellOfDrops(isLast: true)
    }

    /// Ships what there is; `false` if there is nothing.
    private mutating func shipBlocks() async -> Bool {
        var hasShipped = false
        while let block = self.backlog.take() {
            hasShipped = true
            let start = self.clock.now
            self.time = block.time
            // Taken out of the structure, because it is in use while the lines are.
            var splitter = self.splitter
            if block.followsGap {
                splitter.discard()
                self.tellOfDrops()
            }
            await splitter.feed(block.content) { self.ship(self.lines.add($0, time: block.time)) }
            self.splitter = splitter
            self.look(after: block.content.count)
            let pause = ShippingPace.pause(
                after: self.clock.now - start,
                isCrowded: self.isCrowded,
                isBehind: self.backlog.isBehind
            )
            // Once the program has ended, nobody wants the processor.
            if pause > .zero, !self.backlog.isFinished { try? await self.clock.sleep(for: pause) }
        }
        return hasShipped
    }

    private mutating func look(after bytes: Int) {
        self.bytesSinceLook += bytes + Self.overhead
        guard self.bytesSinceLook >= Self.lookInterval else { return }
        self.bytesSinceLook = 0
        self.isCrowded = ShippingPace.isCrowded(self.producer.statistics, self.producer.configuration)
    }

    private mutating func tellOfDrops(isLast: Bool = false) {
        let dropped = self.backlog.counts.dropped
        let now = isLast ? self.clock.now + .seconds(3600) : self.clock.now
        guard let count = self.notice.count(dropped: dropped, at: now) else { return }
        var record = OutgoingRecord(
            level: .warning,
            message: "\(count) lines of \(self.lines.stream) are missing: they came faster than they could be shipped",
            metadata: ["lines_dropped": "\(count)", "stream": "\(self.lines.stream)"]
        )
        record.label = RunCommand.label
        self.log.log(record)
    }

    private mutating func setAlarm() {
        guard let heldUntil = self.heldUntil else { return }
        if let alarm = self.alarm, alarm.due > self.clock.now, alarm.due <= heldUntil { return }
        self.alarm?.task.cancel()
        let task = Task { [backlog] in
            guard (try? await ContinuousClock().sleep(until: heldUntil)) != nil else { return }
            backlog.wake()
        }
        self.alarm = (heldUntil, task)
    }

    private mutating func ship(_ records: [OutgoingRecord]) {
        for record in records { self.log.log(record) }
    }
}

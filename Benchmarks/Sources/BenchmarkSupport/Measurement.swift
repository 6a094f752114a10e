// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// One subject under one load: logs on some threads for some time, then waits until all is delivered.
struct Measurement {
    var subject: any Subject
    var workload: Workload
    var threads: Int
    var topics: Int
    /// Logs a second over all threads, a multiple of 1,000 for each; 0 for as fast as it goes.
    var rate: Int
    var warmUp: UInt64
    var duration: UInt64
    var isTimed: Bool

    /// Figures by name, in nanoseconds where they are times.
    func run() async -> [(name: String, value: Double)] {
        let valve = Valve()
        let subject = self.subject
        // A look costs more with many topics.
        let interval: UInt32 = self.topics > 50 ? 20_000 : 2_000
        let watcher = WorkThread { valve.watch(subject, interval: interval) }

        _ = self.log(for: self.warmUp, valve: valve)
        await self.subject.drain()

        let start = now()
        let cpuStart = ProcessMeter.cpuTime
        let outcomes = self.log(for: self.duration, valve: valve)
        await self.subject.drain()
        let end = now()
        let cpu = ProcessMeter.cpuTime - cpuStart

        valve.end()
        watcher.join()
        await self.subject.stop()
        let total = outcomes.reduce(into: LoggingLoop.Outcome()) { $0.add($1) }
        let logs = Double(total.logs)
        var figures: [(name: String, value: Double)] = [
            ("logs", logs),
            ("logs_per_second", logs / Double(end - start) * 1e9),
            ("cpu_per_log", Double(cpu) / logs),
            ("allocations_per_log", Double(total.allocations) / logs),
            ("loop_mean", Double(total.busy) / logs),
            ("held_share", Double(total.held) / Double(max(total.held + total.busy, 1))),
            ("peak_rss_kib", Double(ProcessMeter.peakResidentKiB)),
        ]
        figures += total.calls.summary(prefix: "")
        figures += total.fromDue.summary(prefix: "due_")
        figures += total.slow.summary(logs: logs)
        figures += self.subject.counts
        return figures
    }

    /// How many calls each thread makes in each pause.
    private var burst: Int {
        guard self.rate > 0 else { return 0 }
        return max(1, self.rate * Int(LoggingLoop.pause) / 1_000_000_000 / self.threads)
    }

    private func log(for duration: UInt64, valve: Valve) -> [LoggingLoop.Outcome] {
        let labels = self.topics > 1 ? (0..<self.topics).map { "topic.\($0)" } : ["shop.orders"]
        let loop = LoggingLoop(
            workload: self.workload,
            loggers: labels.map(self.subject.makeLogger(label:)),
            burst: self.burst,
            duration: duration,
            isTimed: self.isTimed
        )
        let outcomes = Outcomes()
        var threads: [Box] = []
        for thread in 0..<UInt64(self.threads) {
            let delay = LoggingLoop.pause * thread / UInt64(self.threads)
            threads.append(Box(WorkThread { outcomes.append(loop.run(valve: valve, delay: delay)) }))
        }
        for thread in threads { thread.join() }
        return outcomes.all
    }
}

extension LoggingLoop.Outcome {
    fileprivate mutating func add(_ other: Self) {
        self.logs += other.logs
        self.calls.add(other.calls)
        self.fromDue.add(other.fromDue)
        self.slow.add(other.slow)
        self.allocations += other.allocations
        self.busy += other.busy
        self.held += other.held
    }
}

/// What the threads have found.
private final class Outcomes: Sendable {
    private let list = Mutex<[LoggingLoop.Outcome]>([])
    func append(_ outcome: LoggingLoop.Outcome) { self.list.withLock { $0.append(outcome) } }
    var all: [LoggingLoop.Outcome] { self.list.withLock { $0 } }
}

/// An array holds no values that cannot be copied.
private final class Box {
    private var thread: WorkThread?
    init(_ thread: consuming WorkThread) { self.thread = consume thread }
    func join() { self.thread.take()?.join() }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// A real producer in a simulation: logs, flushes and shuts down as its plan says.
final class SimulatedProducer: @unchecked Sendable {
    let index: Int
    let plan: ProducerPlan
    let producer: WebTrackingProducer
    let checks: ProducerChecks
    private unowned let run: Run
    private let process: ProcessExecutor
    /// When this process ends, if it has a life of its own.
    private let life: SpoolPlan.Life?
    private let sinks: [WebTrackingLogHandler]
    private var random: SeededGenerator
    let ledger: Ledger
    private var toldDrops: [DropReason: Int] = [:]
    /// Records logged after a shutdown was asked for, and after it had ended.
    private var logsAfterCall = 0
    private var logsAfterReturn = 0
    private(set) var isShutDown = false
    private(set) var isDead = false
    private var mostSpooled = 0
    private var mayHoldTooMuch = false
    private var bursts = 0
    private var hasReturned = false
    private(set) var startedAt = Duration.zero
    private var startEpoch = Int.max
    private(set) var diedAt: Duration?
    private var deathEpoch: Int?

    init(index: Int, plan: ProducerPlan, life: SpoolPlan.Life?, run: Run, random: SeededGenerator) throws {
        var random = random
        self.index = index
        self.plan = plan
        self.run = run
        self.life = life
        self.ledger = run.books.add(plan)
        self.process = ProcessExecutor(scheduler: run.executor)
        var configuration = plan.configuration
        configuration.source = RequestContent.source(ofProducer: index)
        if let spool = plan.spool { configuration.spool.directory = run.spoolPath(spool.name) }
        let jitter = JitterSource(random: random.fork())
        self.producer = try WebTrackingProducer(
            configuration: configuration,
            transport: run.service.transport(for: index),
            diagnostics: DiagnosticHandler { [weak run] in run?.diagnose($0, of: index) },
            clock: run.clock,
            observer: SilentObserver(),
            random: { jitter.next() },
            executor: self.process,
            process: ProcessIdentity(pid: Int64(RequestContent.firstPID + index), host: "simulated")
        )
        let drops = DropChecks(plan: plan, service: run.scenario.service)
        self.checks = ProducerChecks(plan: plan, drops: drops)
        self.sinks = plan.labels.map { [producer = self.producer] in producer.makeLogHandler(label: $0) }
        self.random = random
    }

    /// Puts everything that the plan has onto the clock.
    func start() {
        self.startedAt = self.run.clock.elapsed
        self.startEpoch = self.run.epoch
        // A process says something as it starts.
        if self.life != nil { self.logBurst() }
        self.scheduleBurst()
        for (moment, action) in self.plan.actions where moment > self.run.clock.elapsed {
            self.run.clock.schedule(at: moment) { [unowned self] in self.perform(action) }
        }
        guard let end = self.life?.end else { return }
        self.run.clock.schedule(at: end.at) { [unowned self] in
            switch end.how {
            case .kill(let steps): self.run.kill(self, after: steps)
            case .shutdown(let timeout): self.shutDown(timeout: timeout)
            }
        }
    }

    /// Ends the process as SIGKILL does: no task of it takes another step, its locks are let go, and its files stay as they
    /// are.
    func die() throws {
        guard !self.isDead else { return }
        self.isDead = true
        self.diedAt = self.run.clock.elapsed
        self.deathEpoch = self.run.epoch
        let numbers = self.producer.statistics
        self.process.die()
        let spool = self.plan.spool?.name ?? ""
        let pid = RequestContent.firstPID + self.index
        let leavesWord = self.run.folders(of: spool).contains {
            SpoolDirectory.process(of: "\(self.run.spoolPath(spool))/\($0.name)") == pid
        }
        // Its mappings are still there, and its heirs must not write to them: its tasks come to their ends in the end.
        for folder in self.producer.unlockSpool() { SpoolDirectory.renewFiles(in: folder) }
        try self.ledger.died(epoch: self.run.epoch, leavesWord: leavesWord)
        self.run.trace.note("died", self.index, numbers.accepted, numbers.delivered, numbers.pending)
        try self.check()
        try self.checkDisk()
    }

    /// Lets all tasks come to their ends, so that the run leaves nothing behind; when nobody looks any more.
    func unwind() {
        self.process.unwind()
        let producer = self.producer
        Task.detached(executorPreference: self.process) { await producer.shutdown(timeout: .zero) }
    }

    // MARK: Logging

    private func scheduleBurst() {
        // On a grid, so that records, deadlines and answers often fall on the same instant.
        let moment = self.run.clock.elapsed + self.random.exponential(mean: self.plan.pause)
        let grid: Int64 = 50_000_000
        let rounded = Duration.nanoseconds((moment.saturatedNanoseconds / grid + 1) * grid)
        guard rounded < self.run.scenario.length else { return }
        self.run.clock.schedule(at: rounded) { [unowned self] in
            // A process that is stopping ends at once when it has stopped.
            guard !self.isDead else { return }
            self.logBurst()
            self.scheduleBurst()
        }
    }

    private func logBurst() {
        let count = self.random.int(1...self.plan.burst)
        let label = self.random.index(self.plan.labels.count)
        for _ in 0..<count {
            let drawn = self.random.pick([0, 1, 1, 2, 2, 2, 2, 3, 4, 5, 6])
            let key = self.plan.ownKey > 0 && self.random.chance(self.plan.ownKey) ? self.random.index(12) : nil
            self.run.guarded {
                try self.log(rank: drawn, label: label, size: self.random.int(self.plan.sizes), key: key)
            }
        }
        self.run.trace.note("log", self.index, self.ledger.logged.count, label)
        self.bursts += 1
        self.run.guarded {
            try self.check()
            if self.bursts % 8 == 0 { try self.checkDisk() }
        }
    }

    private func log(rank: Int, label: Int, size: Int, key: Int?) throws {
        let clock = self.run.clock
        let number = self.ledger.log(
            rank: rank,
            label: label,
            size: size,
            key: key,
            at: clock.elapsed,
            wall: clock.wallTime()
        )
        if self.isShutDown { self.logsAfterCall += 1 }
        if self.hasReturned { self.logsAfterReturn += 1 }
        var metadata: LogMetadata = ["n": .string(String(number))]
        if let key { metadata["k"] = .string("value\(key)") }
        let before = self.plan.isRoomy && self.plan.spool == nil ? nil : self.producer.statistics
        self.sinks[label].log(
            event: LogEvent(
                level: LogLevel.ranked[rank],
                message: "\(MessageText.text(number: number, size: size))",
                metadata: metadata,
                source: "Simulation",
                file: #fileID,
                function: #function,
                line: #line
            )
        )
        guard let before else { return }
        let after = self.producer.statistics
        if after.dropped[.memoryFull] ?? 0 > before.dropped[.memoryFull] ?? 0 {
            try self.checks.checkShed(rank: rank, size: size, before: before)
        }
        if after.dropped[.spoolFull] ?? 0 > before.dropped[.spoolFull] ?? 0 {
            try self.checks.checkSpoolFull(rank: rank, usedBefore: before.spoolBytes)
        }
    }

    // MARK: Flush and shutdown

    private func perform(_ action: ProducerPlan.Action) {
        guard !self.isDead else { return }
        switch action {
        case .flush(let timeout):
            Task.detached(executorPreference: self.process) { await self.flush(timeout: timeout) }
        case .shutdown(let timeout): self.shutDown(timeout: timeout)
        }
    }

    func shutDown(timeout: Duration) {
        guard !self.isDead else { return }
        self.isShutDown = true
        self.ledger.isOver = true
        self.ledger.hasBegunStop = true
        Task.detached(executorPreference: self.process) { await self.performShutdown(timeout: timeout) }
    }

    private func flush(timeout: Duration) async {
        let start = self.run.clock.elapsed
        let accepted = self.producer.statistics.accepted
        let report = await self.producer.flush(timeout: timeout)
        let took = self.run.clock.elapsed - start
        self.run.trace.note("flush", self.index, report.delivered, report.remaining)
        self.run.guarded {
            let numbers = self.producer.statistics
            try self.checks.check(numbers, against: self.ledger, epoch: self.run.epoch)
            // What others left is not waited for, nor what a shutdown leaves in files for others.
            let isLeft = self.isShutDown && self.plan.spool != nil
            if took < timeout && numbers.recovered == 0 && !isLeft && numbers.pending > numbers.accepted - accepted {
                throw Violation("a flush returned after \(took) with records from before it pending")
            }
            try self.checkEnd(of: "flush", took: took, timeout: timeout)
        }
    }

    private func performShutdown(timeout: Duration) async {
        let start = self.run.clock.elapsed
        let isFirst = !self.hasReturned && !self.hasBegunShutdown
        self.hasBegunShutdown = true
        let report = await self.producer.shutdown(timeout: timeout)
        self.hasReturned = true
        self.ledger.hasStopped = true
        self.run.trace.note("shutdown", self.index, report.delivered, report.remaining, text: report.description)
        self.run.guarded {
            let numbers = self.producer.statistics
            try self.checks.check(numbers, against: self.ledger, epoch: self.run.epoch)
            guard numbers.pending == (self.plan.spool == nil ? 0 : report.spooled) else {
                throw Violation("\(numbers.pending) records pending after a shutdown")
            }
            if isFirst { try self.checkEnd(of: "shutdown", took: self.run.clock.elapsed - start, timeout: timeout) }
        }
        // The process ends when it has stopped.
        if self.life?.end != nil { self.run.kill(self, after: 0) }
    }

    private var hasBegunShutdown = false

    private func checkEnd(of what: String, took: Duration, timeout: Duration) throws {
        guard took <= timeout || self.run.scenario.slowness > 0 else {
            throw Violation("a \(what) with a timeout of \(timeout) took \(took)")
        }
    }

    // MARK: What the run tells

    func diagnose(_ diagnostic: ProducerDiagnostic) {
        guard !self.run.isOver else { return }
        switch diagnostic {
        case .requestFailed(_, _, _, let delay):
            self.run.trace.note("failed", self.index, Int(delay.saturatedNanoseconds), text: diagnostic.description)
        case .recordsDropped(let topic, let reason, let count, _):
            let clock = self.run.clock
            self.run.guarded(self.index) {
                try self.checks.drops.check(
                    reason,
                    count: count,
                    topic: topic,
                    books: self.run.books,
                    ledger: self.ledger,
                    now: (clock.elapsed, clock.wallTime(), self.run.epoch)
                )
            }
            // A look at the directory lets go of what dead processes have left beyond the bound.
            if reason == .spoolFull { self.mostSpooled = max(self.mostSpooled, self.bytesOnDisk) }
            self.toldDrops[reason, default: 0] += count
            self.run.trace.note("dropped", self.index, count, text: diagnostic.description)
        case .recordRefused(let topic, let reason, let record, _):
            self.run.guarded(self.index) {
                let clock = self.run.clock
                try self.checks.drops.check(
                    reason,
                    count: 1,
                    topic: topic,
                    books: self.run.books,
                    ledger: self.ledger,
                    now: (clock.elapsed, clock.wallTime(), self.run.epoch)
                )
                guard let sequence = record.sequence.map({ Int($0) }), let label = record.label,
                    self.plan.labels.contains(label) || label == "webtracking"
                else { throw Violation("does not say which record is refused: \(record)") }
                if reason == .rejected { try self.ledger.checkRefused(sequence) }
            }
            self.toldDrops[reason, default: 0] += 1
            self.run.trace.note("refused", self.index, text: diagnostic.description)
        case .spoolRecovered where self.plan.spool != nil:
            self.run.trace.note("recovers", self.index, text: diagnostic.description)
        case .spoolUnavailable, .spoolAvailable, .spoolFailed, .spoolSyncSlow, .spoolDamaged, .spoolRecovered,
            .spoolLeft, .environment, .settingsRefused:
            self.run.guarded(self.index) { throw Violation("says without a reason: \(diagnostic)") }
        case .settingsInForce: break
        case .credentialsUnavailable:
            self.run.guarded { throw Violation("a producer that does not sign says: \(diagnostic)") }
        case .shutdownFinished(let report):
            self.run.trace.note("finished", self.index, report.remaining, text: diagnostic.description)
        }
    }

    /// The rules for every moment.
    func check() throws {
        let numbers = self.producer.statistics
        self.mostSpooled = max(self.mostSpooled, numbers.spoolBytes)
        try self.checks.check(numbers, against: self.ledger, epoch: self.run.epoch)
        let limit = self.checks.memoryLimit(with: self.ledger, epoch: self.run.epoch)
        self.mayHoldTooMuch = numbers.pendingBytes > limit
    }

    /// The rule for memory where no task has anything to do: before that, a request may count that the service has yet to see.
    func checkMemory() throws {
        guard self.mayHoldTooMuch else { return }
        self.mayHoldTooMuch = false
        let held = self.producer.statistics.pendingBytes
        let limit = self.checks.memoryLimit(with: self.ledger, epoch: self.run.epoch)
        guard held <= limit || self.isDead else { throw Violation("holds \(held) bytes, the limit being \(limit)") }
    }

    private var bytesOnDisk: Int {
        self.plan.spool.map { self.run.folders(of: $0.name).reduce(0) { $0 + $1.bytes } } ?? 0
    }

    /// Whether it has lived long enough to have looked at what others left, which is the first that it does.
    var hasLooked: Bool { (self.deathEpoch ?? self.run.epoch) > self.startEpoch }

    /// The rules for the disk: no folder is larger than its producer may make it, and all together have no more than one
    /// bound each for what the living have made and for what they found.
    private func checkDisk() throws {
        guard let spool = self.plan.spool else { return }
        let limit = self.plan.configuration.spool.maximumBytes
        let folders = self.run.folders(of: spool.name)
        for (name, bytes) in folders where bytes > limit {
            throw Violation("\(name) has \(bytes) bytes, the limit being \(limit)")
        }
        let sum = folders.reduce(0) { $0 + $1.bytes }
        let makers = self.run.makers(of: spool.name)
        guard sum <= 2 * limit * makers else {
            throw Violation("\(spool.name) has \(sum) bytes of \(makers) processes, the limit of one being \(limit)")
        }
    }

    /// The rule for a moment long after the service has become healthy.
    func checkDrained() throws {
        let numbers = self.producer.statistics
        guard self.isShutDown || self.isDead || numbers.pending == 0 else {
            throw Violation("\(numbers.pending) records are still pending, long after the service is healthy again")
        }
    }

    /// The rules for the end.
    func checkEnd() throws {
        let numbers = self.producer.statistics
        self.run.trace.note("end", self.index, numbers.accepted, numbers.delivered, numbers.totalDropped)
        guard !self.isDead else {
            try self.checks.check(numbers, against: self.ledger, epoch: self.run.epoch)
            // What it trimmed and did not live to tell of was too much on the disk at a moment that nobody saw.
            let isUntold = self.toldDrops[.spoolFull] ?? 0 < numbers.dropped[.spoolFull] ?? 0
            return try self.checks.drops.checkEnd(numbers, mostSpooled: isUntold ? .max : self.mostSpooled)
        }
        try self.checks.checkEnd(
            numbers,
            against: self.ledger,
            epoch: self.run.epoch,
            mostSpooled: self.mostSpooled,
            logsAfterShutdown: self.logsAfterReturn...max(self.logsAfterCall, self.logsAfterReturn),
            reported: self.toldDrops
        )
    }
}

/// The jitter of one producer's backoff.
private final class JitterSource: @unchecked Sendable {
    // Touched on the simulation's thread alone, as the tasks that draw run there.
    private var random: SeededGenerator

    init(random: SeededGenerator) {
        self.random = random
    }

    func next() -> Double { self.random.unit() }
}

/// An observer that is not interested.
struct SilentObserver: ProducerObserver {
    var interval: Duration? { nil }
    func report(_ read: () -> WebTrackingStatistics) {}
    func requestFinished(_ outcome: RequestOutcome, duration: Duration) {}
}

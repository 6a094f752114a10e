// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

private import Dispatch

/// Sends the records of all its handlers in the background: make one for a process, and stop it before the process ends.
///
/// ```swift
/// let producer = try WebTrackingProducer(configuration: configuration)
/// LoggingSystem.bootstrap(producer.makeLogHandler(label:))
/// // … and at the end:
/// await producer.shutdown(timeout: .seconds(10))
/// ```
///
/// At every moment accepted = delivered + dropped + pending, in ``statistics``. Delivery is at least once: a request whose
/// answer is lost is sent again.
public final class WebTrackingProducer: Sendable {
    /// What the producer was made from.
    public let configuration: WebTrackingConfiguration
    let pipeline: RecordPipeline
    let clock: any ProducerClock
    private let transport: any WebTrackingTransport
    private let table: TopicTable
    private let budget: MemoryBudget
    private let diagnostics: DiagnosticHandler.Sink
    private let observer: any ProducerObserver
    let maintenance: SpoolMaintenance?
    private let executor: (any TaskExecutor)?
    private let stopping = Lock<(progress: ShutdownProgress, task: Task<DeliveryReport, Never>)?>(nil)
    private let reporter = Lock<Task<Void, Never>?>(nil)
    private let policies: PolicyUpdater

    /// Creates a producer with everything that decides what it does in its maker's hands: the time, the chance, with
    /// `executor` which task runs when, and with `exchangeClock` when a call of the transport is given up, if ever. A real
    /// transport takes real time, whatever clock the producer lives by.
    package init(
        configuration: WebTrackingConfiguration,
        transport: any WebTrackingTransport,
        diagnostics: DiagnosticHandler,
        clock: any ProducerClock,
        observer: any ProducerObserver,
        random: @escaping @Sendable () -> Double,
        executor: (any TaskExecutor)? = nil,
        exchangeClock: (any ProducerClock)? = nil
    ) throws {
        try configuration.validate()
        try Descriptors.check(needed: configuration.neededDescriptors)
        let diagnostics = diagnostics.sink(clock: clock)
        let parts = try ProducerParts(
            configuration: configuration,
            transport: transport,
            diagnostics: diagnostics,
            clock: clock,
            observer: observer,
            random: random,
            executor: executor,
            exchangeClock: exchangeClock
        )
        self.configuration = configuration
        self.transport = transport
        self.clock = clock
        self.observer = observer
        self.executor = executor
        self.pipeline = parts.pipeline
        self.table = parts.table
        self.budget = parts.budget
        self.diagnostics = diagnostics
        self.maintenance = parts.maintenance
        self.policies = PolicyUpdater(pipeline: parts.pipeline, clock: clock, executor: executor)
        self.diagnostics.report(.settingsInForce(summary: self.settingsSummary))
        self.startReporter()
        self.maintenance?.start()
    }

    deinit {
        // What is there is the parent's, and its locks may be held for good.
        guard !self.pipeline.isForked else { return }
        self.policies.cancel()
        self.maintenance?.stop()
        self.reporter.withLock { $0?.cancel() }
    }

    /// A handler for a logger with this label; the form that `LoggingSystem.bootstrap(_:)` takes.
    public func makeLogHandler(label: String) -> WebTrackingLogHandler {
        WebTrackingLogHandler(label: label, producer: self)
    }

    /// A handler for a logger with this label; the form that `LoggingSystem.bootstrap(_:metadataProvider:)` takes.
    public func makeLogHandler(label: String, metadataProvider: LogMetadataProvider?) -> WebTrackingLogHandler {
        WebTrackingLogHandler(label: label, producer: self, metadataProvider: metadataProvider)
    }

    /// What became of the records so far; consistent in itself at any moment.
    ///
    /// In a child of `fork`: of the records that were logged there, all of which are dropped (``DropReason/afterFork``).
    public var statistics: WebTrackingStatistics {
        if self.pipeline.isForked { return WebTrackingStatistics(inChild: self.pipeline.forked.tally) }
        let tally = self.tally
        let unspooled = self.table.unspooled
        let oldest = self.table.allQueues.compactMap(\.oldest).min()
        return WebTrackingStatistics(
            accepted: tally.accepted.total,
            delivered: tally.delivered.total,
            dropped: tally.dropped.byReason,
            droppedByLevel: tally.dropped.levels.byLevel,
            pending: tally.pending.total,
            synthetic: tally.synthetic,
            recovered: tally.recovered,
            redacted: self.pipeline.policy.redactions.total,
            repaired: tally.repaired.byKind,
            requests: tally.requests.byOutcome,
            retries: tally.retries,
            requestTime: tally.requestTime,
            longestRequest: tally.longestRequest,
            rawBytes: tally.rawBytes,
            wireBytes: tally.wireBytes,
            pendingBytes: self.budget.recordBytes,
            spoolBytes: self.maintenance?.usedBytes ?? 0,
            isSpoolUnavailable: self.maintenance?.isUnavailable ?? false || unspooled > 0,
            unspooled: unspooled,
            damagedSpoolFiles: self.maintenance?.damagedFiles ?? 0,
            oldestAge: oldest.map { max(self.clock.now() - $0, .zero) } ?? .zero,
            topics: self.table.count
        )
    }

    /// The counts of all topics, and what sampling has left out before it came to one.
    private var tally: Tally {
        var tally = self.table.tally
        let leftOut = self.pipeline.policy.leftOut.levels
        tally.accepted += leftOut
        if leftOut.total > 0 { tally.dropped[.sampled] += leftOut }
        return tally
    }

    // MARK: Changes at run time

    /// The levels that outrank those of the code, by the beginning of a logger's label in whole components between dots: the
    /// longest that fits counts, and the empty one fits all.
    ///
    /// In force for all handlers of this producer, those there are too, as soon as it is set; asking a handler for its level
    /// costs one atomic load.
    public var logLevelOverrides: [String: LogLevel] {
        get { self.pipeline.isForked ? [:] : self.pipeline.levels.overrides }
        set { if !self.pipeline.isForked { self.pipeline.levels.overrides = newValue } }
    }

    /// What is done to metadata that shall not leave the process.
    public var redaction: Redaction { self.pipeline.policy.current.redaction }

    /// Changes the redaction, for records that are logged from now on.
    ///
    /// Throws ``ConfigurationError`` for what cannot work, and then changes nothing. Each change keeps some memory for as long
    /// as the producer lives.
    public func setRedaction(_ redaction: Redaction) throws {
        try redaction.validate()
        if !self.pipeline.isForked { self.policies.change(redaction: redaction) }
    }

    /// Which records are left out because there are too many like them.
    public var sampling: Sampling { self.pipeline.policy.current.sampling }

    /// Changes the sampling, for records that are logged from now on.
    ///
    /// Throws ``ConfigurationError`` for what cannot work, and then changes nothing. Each change keeps some memory for as long
    /// as the producer lives.
    public func setSampling(_ sampling: Sampling) throws {
        try sampling.validate()
        if !self.pipeline.isForked { self.policies.change(sampling: sampling) }
    }

    #if Configuration
    /// Tells of a trouble of the producer's own.
    func report(_ diagnostic: ProducerDiagnostic) { self.diagnostics.report(diagnostic) }

    /// Puts settings in force that belong together, and have been checked.
    ///
    /// No level lets more through before the redaction is there that it is let through with, or after that has gone.
    ///
    /// - Parameters:
    ///   - waiting: Keys of which the values are not in force before the next start.
    ///   - tellsAnyway: Whether it is told that they hold even if they did so before.
    func apply(_ settings: RuntimeSettings, waiting: [String] = [], tellsAnyway: Bool = false) {
        let isNew =
            settings.logLevelOverrides != self.logLevelOverrides || settings.redaction != self.redaction
            || settings.sampling != self.sampling
        defer {
            if isNew || tellsAnyway {
                let rest = waiting.isEmpty ? "" : "; not before the next start: \(waiting.joined(separator: ", "))"
                self.diagnostics.report(.settingsInForce(summary: self.settingsSummary + rest))
            }
        }
        self.pipeline.levels.change(to: settings.logLevelOverrides, otherwise: self.configuration.logLevel) {
            self.policies.change(redaction: settings.redaction, sampling: settings.sampling)
        }
    }
    #endif

    // MARK: Flush and shutdown

    /// Sends everything accepted before the call, and waits until each record is delivered or dropped.
    ///
    /// Of what earlier processes left in the spool, that is what has been taken over by then. Skips the linger and one
    /// backoff of each topic. Returns at the timeout, or when the task is cancelled, with the rest still pending; it goes on
    /// being delivered.
    @discardableResult
    public func flush(timeout: Duration) async -> DeliveryReport {
        if self.pipeline.isForked { return self.reportInChild }
        let start = self.clock.now()
        let before = self.tally
        self.policies.reportLeftOut()
        let deadline = start + (timeout - ShutdownMachine.timeToCount(topics: self.table.count))
        await self.deliver(self.flushTargets, until: deadline)
        return self.report(since: before, start: start)
    }

    /// Takes no more records, delivers what is there, and stops; returns at the timeout at the latest. With a spool on a disk
    /// that stalls it may take a tenth of a second more, and with durability `.power` a second; with standard error that
    /// nobody reads, a twentieth.
    ///
    /// With a spool, what earlier processes left in it is taken over and delivered as well, as far as there is time.
    ///
    /// Not affected by the cancellation of the calling task. What is left at the timeout stays in the spool, or is dropped and
    /// counted as ``DropReason/shutdownDeadline``; records that come later count as ``DropReason/afterShutdown``. Later
    /// calls, and calls at the same time, get the report of the first.
    ///
    /// Like all that is asynchronous it goes on only where Swift has a thread for it: while all of them are blocked, it
    /// cannot return. ``syncShutdown(timeout:)`` can.
    ///
    /// In a child of `fork` it does nothing but report what was logged there.
    @discardableResult
    public func shutdown(timeout: Duration) async -> DeliveryReport {
        if self.pipeline.isForked { return self.reportInChild }
        return await self.beginShutdown(timeout: timeout).task.value
    }

    /// ``shutdown(timeout:)`` for programs without concurrency: blocks the calling thread until it has ended.
    ///
    /// Returns at the timeout from any thread, whatever Swift's threads are blocked by: then a fifth of a second after it at
    /// the latest, and what is left is given up on the calling thread.
    @available(*, noasync, message: "Use shutdown(timeout:)")
    @discardableResult
    public func syncShutdown(timeout: Duration) -> DeliveryReport {
        if self.pipeline.isForked { return self.reportInChild }
        let progress = self.beginShutdown(timeout: timeout).progress
        let end = progress.waiter()
        // Swift's threads come first: they stop the transport and let go of the spool, too.
        var limit = progress.deadline + ShutdownMachine.lineGrace
        if !end.wait(until: limit, clock: self.clock), progress.rest != nil {
            limit = limit + ShutdownMachine.stopGrace
            if self.maintenance?.syncInterval != nil { limit = limit + ShutdownMachine.syncGrace }
            _ = end.wait(until: limit, clock: self.clock)
        }
        if let report = progress.report { return report }
        self.table.close()
        let grace = self.clock.now() + ShutdownMachine.stopGrace
        let isDiskAnswering = progress.rest != nil || self.maintenance?.syncBeforeEnd(until: grace) ?? true
        let files = self.abandon(progress)
        if isDiskAnswering, !files.isEmpty, let maintenance = self.maintenance {
            self.count(lost: maintenance.lost(of: files, until: grace), progress)
        }
        let report = self.report(on: progress)
        if let whenWritten = self.diagnostics.whenWritten {
            let reported = DispatchSemaphore(value: 0)
            whenWritten { reported.signal() }
            _ = reported.wait(until: self.clock.now() + ShutdownMachine.lineGrace, clock: self.clock)
        }
        return report
    }

    /// The report in a child of `fork`, where nothing was taken and nothing is left.
    private var reportInChild: DeliveryReport {
        DeliveryReport(
            delivered: 0,
            dropped: self.pipeline.forked.tally.dropped.byReason,
            remaining: 0,
            duration: .zero
        )
    }

    /// Gives the spool to other producers as it is, as the death of the process does; only for the simulation, which runs no
    /// task of this producer after it. Returns the paths of the folders.
    package func unlockSpool() -> [String] { self.maintenance?.unlock() ?? [] }

    private func beginShutdown(timeout: Duration) -> (progress: ShutdownProgress, task: Task<DeliveryReport, Never>) {
        self.stopping.withLock { stopping in
            if let stopping { return stopping }
            let start = self.clock.now()
            let progress = ShutdownProgress(start: start, deadline: start + timeout, before: self.tally)
            let task = Task.detached(executorPreference: self.executor) { await self.performShutdown(progress) }
            stopping = (progress, task)
            return (progress, task)
        }
    }

    private func performShutdown(_ progress: ShutdownProgress) async -> DeliveryReport {
        var machine = ShutdownMachine(deadline: progress.deadline)
        var targets: [(TopicQueue, Int)] = []
        var isDiskAnswering = true
        while true {
            switch machine.next(at: self.clock.now()) {
            case .close:
                // Closed first: what comes from now on is too late, and no longer sampled.
                self.table.close()
                self.policies.stop()
            case .ask:
                // A thread that waited for this task may have given up.
                targets = progress.rest == nil ? self.requestDelivery() : []
                machine.asked(
                    topics: targets.count,
                    of: self.table.count,
                    isRecovering: self.maintenance?.recoveryPass.isUnderWay ?? false
                )
            case .wait(let deadline):
                await self.deliver(targets, until: deadline)
                if let recoveryPass = self.maintenance?.recoveryPass {
                    await self.run(until: deadline) { await recoveryPass.wait() }
                }
            case .abandon:
                isDiskAnswering = await self.syncAtEnd(progress)
                let files = self.abandon(progress)
                if isDiskAnswering { await self.check(files, progress) }
                machine.gaveUp()
            case .stop(let deadline):
                let grace = self.clock.now() + ShutdownMachine.stopGrace
                async let stopped: Void = self.waitForMaintenance(until: max(deadline, grace))
                await self.run(until: deadline) { [transport = self.transport] in await transport.shutdown() }
                await stopped
            case .sync(let deadline):
                await self.syncSpool(until: deadline)
            case .report(let deadline):
                if let maintenance = self.maintenance {
                    // In any case, but who has waited for it in vain does not wait again.
                    let grace = self.clock.now() + (isDiskAnswering ? ShutdownMachine.stopGrace : .zero)
                    await self.run(until: grace) { await maintenance.close() }
                }
                let report = self.report(on: progress)
                if let whenWritten = self.diagnostics.whenWritten {
                    await self.run(until: deadline) {
                        await withCheckedContinuation { end in whenWritten { end.resume() } }
                    }
                }
                progress.end()
                return report
            }
        }
    }

    /// The report of a shutdown, which is made and told once.
    private func report(on progress: ShutdownProgress) -> DeliveryReport {
        let rest = progress.rest ?? ShutdownProgress.Rest()
        var report = self.report(since: progress.before, start: progress.start)
        report.remaining = rest.dropped + rest.spooled
        report.spooled = rest.spooled
        report.inFlight = rest.inFlight
        let (first, isFirst) = progress.conclude(report)
        guard isFirst else { return first }
        self.reporter.withLock { $0?.cancel() }
        self.observer.report { self.statistics }
        self.diagnostics.report(.shutdownFinished(first))
        return first
    }

    /// Announces what there is to announce, and asks all topics to deliver what they hold.
    private func requestDelivery() -> [(TopicQueue, Int)] {
        self.policies.reportLeftOut()
        self.table.recovery?.announceDrops(self.pipeline.announcement)
        for buffer in self.table.buffers { buffer.announceDrops(self.pipeline.announcement) }
        return self.flushTargets
    }

    /// The topics with records that are not settled, and how many have to be for all of them to be.
    private var flushTargets: [(TopicQueue, Int)] {
        self.table.allQueues.compactMap { buffer in buffer.flushTarget().map { (buffer, $0) } }
    }

    /// Waits for what goes on behind the spool: the next producer finds the folders free that this one has taken over. What
    /// has been cancelled ends at once, unless the disk stalls.
    private func waitForMaintenance(until deadline: MonotonicInstant) async {
        guard let maintenance = self.maintenance else { return }
        await self.run(until: deadline) { await maintenance.waitUntilStopped() }
    }

    /// Syncs what is left in the spool, and tells of it if the disk takes longer than there is time.
    private func syncSpool(until deadline: MonotonicInstant) async {
        guard let maintenance = self.maintenance, let interval = maintenance.syncInterval else { return }
        let start = self.clock.now()
        guard await !self.run(until: deadline, { await maintenance.sync() }) else { return }
        let took = self.clock.now() - start
        self.diagnostics.report(.spoolSyncSlow(directory: maintenance.directory, took: took, interval: interval))
    }

    /// Moves what waits in memory to files of the spool, and says whether the disk answers.
    private func syncAtEnd(_ progress: ShutdownProgress) async -> Bool {
        self.maintenance?.stop()
        guard let maintenance = self.maintenance, progress.rest == nil else { return true }
        let grace = max(progress.deadline, self.clock.now() + ShutdownMachine.stopGrace)
        return await self.run(until: grace) { await maintenance.syncBeforeEnd() }
    }

    /// Counts as dropped what was left in files that are not there any more.
    private func check(_ files: [TopicQueue.SpooledRecords], _ progress: ShutdownProgress) async {
        guard let maintenance = self.maintenance, !files.isEmpty else { return }
        let lost = Lock<[TopicQueue.SpooledRecords]>([])
        let grace = max(progress.deadline, self.clock.now() + ShutdownMachine.stopGrace)
        await self.run(until: grace) {
            let found = await maintenance.lost(of: files)
            lost.withLock { $0 = found }
        }
        self.count(lost: lost.withLock { $0 }, progress)
    }

    private func count(lost: [TopicQueue.SpooledRecords], _ progress: ShutdownProgress) {
        for records in lost {
            records.buffer.countLost(records.levels)
            progress.countLost(records.levels.total)
            records.buffer.reportDrops(to: self.diagnostics.report)
        }
    }

    /// Gives up what is left, unless that has been done, and says what is left in files. Whoever keeps that keeps the folder.
    @discardableResult
    private func abandon(_ progress: ShutdownProgress) -> [TopicQueue.SpooledRecords] {
        var files: [TopicQueue.SpooledRecords] = []
        var unreported: [TopicQueue] = []
        var workers: [Task<Void, Never>] = []
        progress.abandon {
            self.maintenance?.stop()
            return self.table.allQueues.reduce(into: ShutdownProgress.Rest()) { rest, buffer in
                let left = buffer.abandon()
                rest.dropped += left.dropped
                rest.spooled += left.spooled.reduce(0) { $0 + $1.levels.total }
                files += left.spooled
                rest.inFlight += left.recordsInFlight
                if left.hasUnreportedDrops { unreported.append(buffer) }
                guard let worker = left.worker else { return }
                // What is in flight is stopped before the transport is.
                if left.recordsInFlight > 0 { worker.cancel() } else { workers.append(worker) }
            }
        }
        // An announcement that found no room may have been dropped behind the worker's last look.
        for buffer in unreported { buffer.reportDrops(to: self.diagnostics.report) }
        self.cancel(workers)
        return files
    }

    /// Cancels workers that have nothing left to do. Where they are many, a few at a time: who waits for the shutdown would
    /// come to its turn behind all of them.
    private func cancel(_ workers: [Task<Void, Never>]) {
        guard workers.count > ShutdownMachine.quickTopics else {
            for worker in workers { worker.cancel() }
            return
        }
        Task.detached(executorPreference: self.executor) {
            for (place, worker) in workers.enumerated() {
                worker.cancel()
                if place % 64 == 63 { await Task.yield() }
            }
        }
    }

    /// Waits for `body` until the deadline, and says whether it has ended; what takes its time goes on after that.
    @discardableResult
    private func run(until deadline: MonotonicInstant, _ body: @escaping @Sendable () async -> Void) async -> Bool {
        let done = Doorbell()
        let hasEnded = Lock(false)
        Task.detached(executorPreference: self.executor) {
            await body()
            hasEnded.withLock { $0 = true }
            done.ring()
        }
        await done.wait(until: deadline, clock: self.clock)
        return hasEnded.withLock { $0 }
    }

    /// Has topics deliver what they hold, and waits for it until the deadline.
    ///
    /// At most ``topicsAtOnce`` are under way: each wakes a task, and who waits comes to its turn behind all that are awake.
    private func deliver(_ targets: [(TopicQueue, Int)], until deadline: MonotonicInstant) async {
        await withDeadline(deadline, clock: self.clock) {
            await withTaskGroup(of: Void.self) { group in
                for (place, (buffer, target)) in targets.enumerated() {
                    if place >= Self.topicsAtOnce { await group.next() }
                    guard !Task.isCancelled else { break }
                    group.addTask { await buffer.flush(target) }
                }
            }
        }
    }

    /// More than any number of requests at once, and few enough that all of them have their turn within milliseconds.
    private static let topicsAtOnce = 1024

    private func report(since before: Tally, start: MonotonicInstant) -> DeliveryReport {
        let after = self.tally
        var dropped: [DropReason: Int] = [:]
        for reason in DropReason.allCases {
            let count = after.dropped[reason].total - before.dropped[reason].total
            if count > 0 { dropped[reason] = count }
        }
        return DeliveryReport(
            delivered: after.delivered.total - before.delivered.total,
            dropped: dropped,
            remaining: after.pending.total,
            duration: self.clock.now() - start
        )
    }

    private func startReporter() {
        guard let interval = self.observer.interval else { return }
        let clock = self.clock
        let task = Task.detached(executorPreference: self.executor) { [weak self] in
            while !Task.isCancelled {
                do { try await clock.sleep(until: clock.now() + interval) } catch { return }
                guard let self else { return }
                self.observer.report { self.statistics }
            }
        }
        self.reporter.withLock { $0 = task }
    }
}

/// Is told of requests as they end and, now and then, of the statistics; for metrics.
package protocol ProducerObserver: DeliveryObserver {
    /// How often ``report(_:)`` is called; `nil` for never.
    var interval: Duration? { get }
    /// Reads the present statistics and takes them.
    func report(_ read: () -> WebTrackingStatistics)
}

extension WebTrackingLogHandler {
    /// Creates a handler; cheap, and cannot fail.
    public init(label: String, producer: WebTrackingProducer, metadataProvider: LogMetadataProvider? = nil) {
        self.init(
            label: label,
            pipeline: producer.pipeline,
            logLevel: producer.configuration.logLevel,
            metadataProvider: metadataProvider
        )
    }
}

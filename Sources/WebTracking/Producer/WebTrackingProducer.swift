// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

private import Dispatch

/// Sends the records of all its handlers in the background. Make one for a process, and shut it down before the process
/// ends.
///
/// ```swift
/// let producer = try WebTrackingProducer(configuration: configuration)
/// LoggingSystem.bootstrap(producer.makeLogHandler(label:))
/// // … and at the end:
/// await producer.shutdown(timeout: .seconds(10))
/// ```
///
/// At every moment accepted = delivered + dropped + pending, in ``statistics``. Delivery is at least once: if a
/// request's answer is lost, the request is sent again.
public final class WebTrackingProducer: Sendable {
    /// The configuration that the producer was made with.
    public let configuration: WebTrackingConfiguration
    let pipeline: RecordPipeline
    let clock: any ProducerClock
    private let transport: any WebTrackingTransport
    private let table: TopicTable
    private let budget: MemoryBudget
    private let slots: RequestSlots
    private let diagnostics: DiagnosticHandler.Sink
    private let observer: any ProducerObserver
    let maintenance: SpoolMaintenance?
    private let executor: (any TaskExecutor)?
    private let stopping = Lock<(progress: ShutdownProgress, task: Task<DeliveryReport, Never>)?>(nil)
    private let reporter = Lock<Task<Void, Never>?>(nil)
    private let policies: PolicyUpdater

    /// Creates a producer. The caller passes everything that its behaviour depends on: the clock, random numbers, with
    /// `executor` the order of tasks, and with `exchangeClock` the deadline of a call of the transport. A real
    /// transport takes real time, even if `clock` is a test's.
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
        self.slots = parts.slots
        self.diagnostics = diagnostics
        self.maintenance = parts.maintenance
        self.policies = PolicyUpdater(pipeline: parts.pipeline, clock: clock, executor: executor)
        self.diagnostics.report(.settingsInForce(summary: self.settingsSummary))
        self.startReporter()
        self.maintenance?.start()
    }

    deinit {
        // In a child of `fork`, the parts are the parent's, and their locks may be held for ever.
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

    /// The counts of the records so far. They are consistent with each other at any moment.
    ///
    /// In a child of `fork`: the counts of the records that were logged there. All of them are dropped
    /// (``DropReason/afterFork``).
    public var statistics: WebTrackingStatistics {
        if self.pipeline.isForked { return WebTrackingStatistics(self.pipeline.forked.tally) }
        let overview = self.table.overview
        var tally = overview.tally
        let leftOut = self.leftOut
        tally.accepted += leftOut
        // On both sides, so that accepted = delivered + dropped + pending holds whenever the number was read.
        if leftOut.total > 0 { tally.dropped[.sampled] += leftOut }
        var statistics = WebTrackingStatistics(tally)
        statistics.redacted = self.pipeline.policy.redactions.total
        statistics.pendingBytes = self.budget.recordBytes
        statistics.spoolBytes = self.maintenance?.store.usedBytes ?? 0
        statistics.isSpoolUnavailable = self.maintenance?.store.isUnavailable ?? false || overview.unspooled > 0
        statistics.unspooled = overview.unspooled
        statistics.damagedSpoolFiles = self.maintenance?.store.damagedFiles ?? 0
        statistics.oldestAge = overview.oldest.map { max(self.clock.now() - $0, .zero) } ?? .zero
        statistics.topics = self.table.count
        return statistics
    }

    /// What sampling has left out before it came to a topic.
    private var leftOut: LevelCounts { self.pipeline.policy.leftOut.levels }

    /// What became of the records of all topics so far, and what sampling has left out.
    private func outcome(ofTopics topics: Outcome? = nil) -> Outcome {
        var outcome = topics ?? self.table.outcome
        let leftOut = self.leftOut
        if leftOut.total > 0 { outcome.dropped[.sampled] += leftOut }
        return outcome
    }

    // MARK: Changes at run time

    /// Levels that outrank those of the code, by the beginning of a logger's label. Labels are compared by whole
    /// components between dots. The longest match counts, and the empty one matches all labels.
    ///
    /// A change applies at once to all handlers of this producer, also to those that exist already. To ask a handler
    /// for its level costs one atomic load.
    public var logLevelOverrides: [String: LogLevel] {
        get { self.pipeline.isForked ? [:] : self.pipeline.levels.overrides }
        set { if !self.pipeline.isForked { self.pipeline.levels.overrides = newValue } }
    }

    /// Hides metadata that must not leave the process.
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
    /// Reports a diagnostic.
    func report(_ diagnostic: ProducerDiagnostic) { self.diagnostics.report(diagnostic) }

    /// Puts settings in force together. They have been checked.
    ///
    /// The order is such that a level never admits records before their redaction is in force, or after it has gone.
    ///
    /// - Parameters:
    ///   - waiting: The keys with new values that need a restart.
    ///   - reportsAnyway: Whether to report that they are in force even if nothing has changed.
    func apply(_ settings: RuntimeSettings, waiting: [String] = [], reportsAnyway: Bool = false) {
        let isNew =
            settings.logLevelOverrides != self.logLevelOverrides || settings.redaction != self.redaction
            || settings.sampling != self.sampling
        defer {
            if isNew || reportsAnyway {
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
    /// Records of earlier processes are included if they were recovered before the call. Skips the linger, and one
    /// backoff of each topic. Returns at the timeout, or when the task is cancelled. Records that are still pending
    /// then are delivered later.
    @discardableResult
    public func flush(timeout: Duration) async -> DeliveryReport {
        if self.pipeline.isForked { return self.reportInChild }
        let start = self.clock.now()
        let before = self.outcome()
        self.policies.reportLeftOut()
        let deadline = start + (timeout - ShutdownMachine.timeToCount(topics: self.table.count))
        await self.deliver(self.table.flushTargets(), until: deadline)
        return self.report(from: before, to: self.outcome(), start: start)
    }

    /// Accepts no more records, delivers all pending ones, and stops. Returns at the timeout. It may take a tenth of a
    /// second more if the spool's disk stalls, a second more with durability `.power`, and a twentieth more if standard
    /// error has no reader.
    ///
    /// With a spool, records of earlier processes are recovered and delivered, too, if there is time.
    ///
    /// Cancellation of the calling task has no effect. Records that are left at the timeout stay in the spool, or are
    /// dropped and counted as ``DropReason/shutdownDeadline``. Later records count as ``DropReason/afterShutdown``.
    /// Later calls, and calls at the same time, return the report of the first.
    ///
    /// Like all asynchronous code, it needs one of Swift's threads: while all of them are blocked, it cannot return.
    /// ``syncShutdown(timeout:)`` can.
    ///
    /// In a child of `fork` it only reports what was logged there.
    @discardableResult
    public func shutdown(timeout: Duration) async -> DeliveryReport {
        if self.pipeline.isForked { return self.reportInChild }
        return await self.beginShutdown(timeout: timeout).task.value
    }

    /// ``shutdown(timeout:)`` for programs without concurrency. It blocks the calling thread until the end.
    ///
    /// It returns at the timeout from any thread, even if all of Swift's threads are blocked: then at most a fifth of a
    /// second later, and the calling thread drops what is left.
    @available(*, noasync, message: "Use shutdown(timeout:)")
    @discardableResult
    public func syncShutdown(timeout: Duration) -> DeliveryReport {
        if self.pipeline.isForked { return self.reportInChild }
        let progress = self.beginShutdown(timeout: timeout).progress
        let end = progress.waiter()
        // Let Swift's threads try first: they also stop the transport and release the spool.
        var limit = progress.deadline + ShutdownMachine.lineGrace
        if !end.wait(until: limit, clock: self.clock), progress.rest != nil {
            limit = limit + ShutdownMachine.stopGrace
            if self.maintenance?.syncInterval != nil { limit = limit + ShutdownMachine.syncGrace }
            _ = end.wait(until: limit, clock: self.clock)
        }
        if let report = progress.report { return report }
        // If all of Swift's threads are blocked, the task of the shutdown may not even have begun.
        self.table.close()
        let grace = self.clock.now() + ShutdownMachine.stopGrace
        let spillEnd = ShutdownMachine.endOfSpill(
            at: self.clock.now(),
            deadline: progress.deadline,
            topics: self.table.count
        )
        let isDiskAnswering =
            progress.rest != nil || self.maintenance?.spillBeforeEnd(until: spillEnd, deadline: grace) ?? true
        let files = self.abandon(progress)
        if isDiskAnswering, !files.isEmpty, let maintenance = self.maintenance {
            self.count(lost: maintenance.lost(of: files, until: grace), progress)
        }
        self.maintenance?.unmap(files)
        let report = self.report(on: progress, isBlocked: true).report
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
            dropped: self.pipeline.forked.tally.dropped.totals,
            remaining: 0,
            duration: .zero
        )
    }

    /// Unlocks the spool as it is, as the death of the process would. Only for the simulation, which runs no task of
    /// this producer afterwards. Returns the paths of the folders.
    package func unlockSpool() -> [String] { self.maintenance?.store.heldFolders.unlock() ?? [] }

    private func beginShutdown(timeout: Duration) -> (progress: ShutdownProgress, task: Task<DeliveryReport, Never>) {
        self.stopping.withLock { stopping in
            if let stopping { return stopping }
            let start = self.clock.now()
            let progress = ShutdownProgress(start: start, deadline: start + timeout, before: self.outcome())
            // No child task: it goes on if its first caller is cancelled, as later ones wait for it, too.
            let task = Task.detached(executorPreference: self.executor) { await self.performShutdown(progress) }
            stopping = (progress, task)
            return (progress, task)
        }
    }

    private func performShutdown(_ progress: ShutdownProgress) async -> DeliveryReport {
        var machine = ShutdownMachine(
            deadline: progress.deadline,
            topics: self.table.count,
            hasSpool: self.maintenance != nil
        )
        var targets: [(TopicQueue, Int)] = []
        var isDiskAnswering = true
        var files: [TopicQueue.SpooledRecords] = []
        while true {
            switch machine.next(at: self.clock.now()) {
            case .close:
                // Close the table first: later records are not sampled any more.
                self.table.close()
                self.policies.stop()
            case .ask:
                // A thread that waited for this task may have dropped the rest already.
                targets = progress.rest == nil ? self.requestDelivery() : []
                machine.asked(
                    topics: targets.count,
                    of: self.table.count,
                    isRecovering: self.maintenance?.recovery.pass.isRunning ?? false
                )
            case .wait(let deadline):
                await self.deliver(targets, until: deadline)
                if let pass = self.maintenance?.recovery.pass { await self.run(until: deadline) { await pass.wait() } }
            case .abandon:
                self.table.turnstile.hold()
                isDiskAnswering = await self.syncAtEnd(progress)
                files = self.abandon(progress)
                if isDiskAnswering { await self.check(files, progress) }
                machine.abandoned()
            case .stop(let deadline):
                let grace = self.clock.now() + ShutdownMachine.stopGrace
                // Both at once, as they share the time that is left.
                async let stopped: Void = self.waitForMaintenance(until: max(deadline, grace))
                await self.run(until: deadline) { [transport = self.transport] in await transport.shutdown() }
                await stopped
            case .sync(let deadline):
                await self.syncSpool(until: deadline)
            case .release(let grace):
                guard let maintenance = self.maintenance else { break }
                // In any case, but a thread that has already waited in vain does not wait again.
                await self.run(until: isDiskAnswering ? grace : self.clock.now()) { await maintenance.close() }
                // Behind the close: of thousands of files this takes as long as the grace.
                maintenance.unmap(files)
                // The folder stays locked as long as one of its files is in use.
                files = []
            case .report(let deadline):
                let (report, metrics) = self.report(on: progress)
                let whenWritten = self.diagnostics.whenWritten
                if whenWritten != nil || metrics != nil {
                    await self.run(until: deadline) {
                        if let whenWritten { await withCheckedContinuation { end in whenWritten { end.resume() } } }
                        await metrics?.value
                    }
                }
                progress.end()
                return report
            }
        }
    }

    /// The report of a shutdown, made and reported once, and the task that adds up the last metrics if that takes long.
    /// On a thread that `isBlocked` there may be none to run a task.
    private func report(
        on progress: ShutdownProgress,
        isBlocked: Bool = false
    ) -> (report: DeliveryReport, metrics: Task<Void, Never>?) {
        let rest = progress.rest ?? ShutdownProgress.Rest()
        // With many topics and little time the sums of a moment ago, without what came too late since.
        let topics = self.table.count
        let isTime = self.clock.now() + ShutdownMachine.timeToCount(topics: topics) < progress.deadline
        let isQuick = topics <= ShutdownMachine.quickTopics || isTime
        let after = self.outcome(ofTopics: isQuick ? nil : progress.rest?.outcome)
        var report = self.report(from: progress.before, to: after, start: progress.start)
        report.remaining = rest.dropped + rest.spooled
        report.spooled = rest.spooled
        report.inFlight = rest.inFlight
        let (first, isFirst) = progress.conclude(report)
        guard isFirst else { return (first, nil) }
        self.reporter.withLock { $0?.cancel() }
        var metrics: Task<Void, Never>?
        if isQuick || isBlocked || ShutdownMachine.timeToCount(topics: topics) <= ShutdownMachine.lineGrace {
            self.observer.report { self.statistics }
        } else {
            metrics = Task.detached(executorPreference: self.executor) { self.observer.report { self.statistics } }
        }
        self.diagnostics.report(.shutdownFinished(first))
        return (first, metrics)
    }

    /// Announces drops, and asks all topics to deliver their records.
    private func requestDelivery() -> [(TopicQueue, Int)] {
        self.policies.reportLeftOut()
        return self.table.flushTargets(announcing: self.pipeline.announcement)
    }

    /// Waits for the background work of the spool, so that the next producer can lock the folders that this one has
    /// recovered. The work is cancelled and ends at once, unless the disk stalls.
    private func waitForMaintenance(until deadline: MonotonicInstant) async {
        guard let maintenance = self.maintenance else { return }
        await self.run(until: deadline) { await maintenance.waitUntilStopped() }
    }

    /// Syncs the spool, and reports if the disk takes longer than there is time.
    private func syncSpool(until deadline: MonotonicInstant) async {
        guard let maintenance = self.maintenance, let interval = maintenance.syncInterval else { return }
        let start = self.clock.now()
        guard await self.run(until: deadline, { await maintenance.sync() }) == nil else { return }
        let took = self.clock.now() - start
        self.diagnostics.report(.spoolSyncSlow(directory: maintenance.store.directory, took: took, interval: interval))
    }

    /// Moves records that wait in memory to files of the spool. Returns whether the disk answers.
    private func syncAtEnd(_ progress: ShutdownProgress) async -> Bool {
        self.maintenance?.stop()
        guard let maintenance = self.maintenance, progress.rest == nil else { return true }
        let now = self.clock.now()
        let end = ShutdownMachine.endOfSpill(at: now, deadline: progress.deadline, topics: self.table.count)
        let grace = max(progress.deadline, now + ShutdownMachine.stopGrace)
        return await self.run(until: grace) { await maintenance.spillBeforeEnd(until: end) } != nil
    }

    /// Counts records as dropped if their files are gone.
    private func check(_ files: [TopicQueue.SpooledRecords], _ progress: ShutdownProgress) async {
        guard let maintenance = self.maintenance, !files.isEmpty else { return }
        let grace = max(progress.deadline, self.clock.now() + ShutdownMachine.stopGrace)
        self.count(lost: await self.run(until: grace) { await maintenance.lost(of: files) } ?? [], progress)
    }

    private func count(lost: [TopicQueue.SpooledRecords], _ progress: ShutdownProgress) {
        for records in lost {
            records.buffer.countLost(records.levels)
            progress.countLost(records.levels)
            records.buffer.reportDrops(to: self.diagnostics.report)
        }
    }

    /// Drops what is left, unless that was done before. Returns what is left in files. The caller must keep the result
    /// as long as the folder has to stay locked.
    @discardableResult
    private func abandon(_ progress: ShutdownProgress) -> [TopicQueue.SpooledRecords] {
        var files: [TopicQueue.SpooledRecords] = []
        var unreported: [TopicQueue] = []
        var workers: [Task<Void, Never>] = []
        progress.abandon {
            // A topic that begins to deliver now would only take time from this.
            self.table.turnstile.hold()
            self.slots.close()
            self.maintenance?.stop()
            var rest = ShutdownProgress.Rest()
            rest.outcome = self.table.abandon { queue, left in
                rest.dropped += left.dropped
                rest.spooled += left.spooled.reduce(0) { $0 + $1.levels.total }
                files += left.spooled
                rest.inFlight += left.recordsInFlight
                if left.hasUnreportedDrops { unreported.append(queue) }
                guard let worker = left.worker else { return }
                // What is in flight is stopped before the transport is.
                if left.recordsInFlight > 0 { worker.cancel() } else { workers.append(worker) }
            }
            return rest
        }
        // An announcement that found no room may have been dropped behind the worker's last look.
        for queue in unreported { queue.reportDrops(to: self.diagnostics.report) }
        self.cancel(workers)
        return files
    }

    /// Cancels workers that have nothing left to do. If there are many, a few at a time: otherwise the task that waits
    /// for the shutdown would run only after all of them.
    private func cancel(_ workers: [Task<Void, Never>]) {
        let turnstile = self.table.turnstile
        guard self.table.count > ShutdownMachine.quickTopics else {
            turnstile.release()
            for worker in workers { worker.cancel() }
            return
        }
        Task.detached(executorPreference: self.executor) {
            turnstile.release()
            for (place, worker) in workers.enumerated() {
                worker.cancel()
                if place % 64 == 63 { await Task.yield() }
            }
        }
    }

    /// Waits for `body` until the deadline, and returns what it does; `nil` if it has not ended, and goes on.
    @discardableResult
    private func run<Value: Sendable>(
        until deadline: MonotonicInstant,
        _ body: @escaping @Sendable () async -> Value
    ) async -> Value? {
        // No child task: this would have to wait for its end, and `body` may wait for a disk that hangs.
        let done = Doorbell()
        let result = Lock<Value?>(nil)
        Task.detached(executorPreference: self.executor) {
            let value = await body()
            // Before the ring: the waiting task reads it as soon as it wakes.
            result.withLock { $0 = value }
            done.ring()
        }
        await done.wait(until: deadline, clock: self.clock)
        return result.withLock { $0 }
    }

    /// Asks topics to deliver their records, and waits for that until the deadline.
    ///
    /// A task waits for each topic, at most ``topicsAtOnce`` at a time: the caller runs only after all tasks that have
    /// ended.
    private func deliver(_ targets: [(TopicQueue, Int)], until deadline: MonotonicInstant) async {
        await withDeadline(deadline, clock: self.clock) {
            await withTaskGroup(of: Void.self) { group in
                for (place, (queue, target)) in targets.enumerated() {
                    if place >= Self.topicsAtOnce { await group.next() }
                    guard !Task.isCancelled else { break }
                    group.addTask { await queue.flush(target) }
                }
            }
        }
    }

    /// More than any usual number of requests in flight, and few enough that all of them run within milliseconds.
    private static let topicsAtOnce = 1024

    private func report(from before: Outcome, to after: Outcome, start: MonotonicInstant) -> DeliveryReport {
        var dropped: [DropReason: Int] = [:]
        for reason in DropReason.allCases {
            let count = after.dropped[reason].total - before.dropped[reason].total
            if count > 0 { dropped[reason] = count }
        }
        return DeliveryReport(
            delivered: after.delivered - before.delivered,
            dropped: dropped,
            remaining: after.pending,
            duration: self.clock.now() - start
        )
    }

    private func startReporter() {
        guard let interval = self.observer.interval else { return }
        let clock = self.clock
        // Held weakly while it sleeps: a producer that is dropped without a shutdown is released.
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

/// Observes requests when they end, and from time to time the statistics; for metrics.
package protocol ProducerObserver: DeliveryObserver {
    /// The time between two calls of ``report(_:)``; `nil` for no calls.
    var interval: Duration? { get }
    /// Reads the current statistics, and reports them.
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

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
    let transport: any WebTrackingTransport
    let table: TopicTable
    private let budget: ByteBudget
    let slots: RequestSlots
    let diagnostics: DiagnosticHandler.Sink
    let observer: any ProducerObserver
    let maintenance: SpoolMaintenance?
    let executor: (any TaskExecutor)?
    let stopping = Lock<(progress: ShutdownProgress, task: Task<DeliveryReport, Never>)?>(nil)
    let reporter = Lock<Task<Void, Never>?>(nil)
    let policies: PolicyUpdater

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
        exchangeClock: (any ProducerClock)? = nil,
        process: ProcessIdentity = .current,
        looksAround: Bool = false
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
            exchangeClock: exchangeClock,
            process: process
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
        if looksAround {
            SurroundingsReader.look(for: configuration, transport: transport) { [weak self] problem in
                // A look that hung on a network says nothing behind the shutdown's line.
                if let self, self.stopping.withLock({ $0 == nil }) { self.diagnostics.report(problem) }
            }
        }
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
        statistics.damagedSpoolFiles = self.maintenance?.store.state.withLock { $0.damagedFiles } ?? 0
        statistics.unexpectedExits = self.maintenance?.store.state.withLock { $0.unexpectedExits } ?? 0
        statistics.oldestAge = overview.oldest.map { max(self.clock.now() - $0, .zero) } ?? .zero
        statistics.topics = self.table.count
        return statistics
    }

    /// What sampling has left out before it came to a topic.
    private var leftOut: LevelCounts { self.pipeline.policy.leftOut.levels }

    /// What became of the records of all topics so far, and what sampling has left out.
    func outcome(ofTopics topics: Outcome? = nil) -> Outcome {
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

    func report(from before: Outcome, to after: Outcome, start: MonotonicInstant) -> DeliveryReport {
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

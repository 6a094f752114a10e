// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Carries out the steps that ``ShutdownMachine`` decides.
extension WebTrackingProducer {
    func beginShutdown(timeout: Duration) -> (progress: ShutdownProgress, task: Task<DeliveryReport, Never>) {
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
        var files: [TopicQueue.KeptRecords] = []
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
    func report(
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
    private func check(_ files: [TopicQueue.KeptRecords], _ progress: ShutdownProgress) async {
        guard let maintenance = self.maintenance, !files.isEmpty else { return }
        let grace = max(progress.deadline, self.clock.now() + ShutdownMachine.stopGrace)
        self.count(lost: await self.run(until: grace) { await maintenance.lost(of: files) } ?? [], progress)
    }

    func count(lost: [TopicQueue.KeptRecords], _ progress: ShutdownProgress) {
        for records in lost {
            records.queue.countLost(records.levels)
            progress.countLost(records.levels)
            records.queue.reportDrops(to: self.diagnostics.report)
        }
    }

    /// Drops what is left, unless that was done before. Returns what is left in files. The caller must keep the result
    /// as long as the folder has to stay locked.
    @discardableResult
    func abandon(_ progress: ShutdownProgress) -> [TopicQueue.KeptRecords] {
        var files: [TopicQueue.KeptRecords] = []
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
    func deliver(_ targets: [(TopicQueue, Int)], until deadline: MonotonicInstant) async {
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
}

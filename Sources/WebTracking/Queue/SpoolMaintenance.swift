// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

private import Dispatch

/// The background work of a spool: the recovery of what earlier processes left, and the syncing of files.
final class SpoolMaintenance: Sendable {
    let store: SpoolStore
    let recovery: SpoolRecovery
    /// The time between two syncs; `nil` if files are not synced.
    let syncInterval: Duration?
    private let executor: (any TaskExecutor)?
    private let tasks = Lock<[Task<Void, Never>]>([])
    /// Syncs the files.
    let syncWorker: SpoolWorker

    init(
        store: SpoolStore,
        recovery: SpoolRecovery,
        syncInterval: Duration?,
        executor: (any TaskExecutor)?
    ) {
        self.store = store
        self.recovery = recovery
        self.syncInterval = syncInterval
        self.executor = executor
        self.syncWorker = SpoolWorker("sync", isInline: executor != nil)
    }

    /// Makes the first files, so that even the first record need not wait in memory for one, and starts the background
    /// tasks.
    func start() {
        let recovery = self.recovery
        let store = self.store
        // Wait for the files at most a second: a slow disk must not hold up the start of a program.
        store.runMaintenance { $0.wait(timeout: .now() + .seconds(1)) == .success }
        var tasks = [
            Task.detached(executorPreference: self.executor) { await recovery.run() },
            Task.detached(executorPreference: self.executor) { await Self.maintain(store) },
        ]
        if let interval = self.syncInterval {
            let worker = self.syncWorker
            let syncing = Task.detached(executorPreference: self.executor) {
                await Self.syncRounds(of: store, every: interval, on: worker) { store.sync() }
            }
            tasks.append(syncing)
        }
        self.tasks.withLock { $0 = tasks }
    }

    /// Runs maintenance every second: it notices that a folder has gone, and tries again what was not possible before.
    private static func maintain(_ store: SpoolStore) async {
        let clock = store.clock
        while !Task.isCancelled {
            await store.bell.wait(until: store.isBusy ? clock.now() + SpoolStore.pause : nil, clock: clock)
            guard !Task.isCancelled else { return }
            await store.worker.run { store.runMaintenance() }
        }
    }

    /// Syncs the files of a spool, one round after the other, until the task is cancelled.
    static func syncRounds(
        of store: SpoolStore,
        every interval: Duration,
        on worker: SpoolWorker,
        _ sync: @escaping @Sendable () -> Void
    ) async {
        var schedule = SyncSchedule(interval: interval, now: store.clock.now())
        while (try? await store.clock.sleep(until: schedule.next)) != nil {
            let start = store.clock.now()
            await worker.run(sync)
            if let took = schedule.finished(from: start, to: store.clock.now()) {
                store.diagnostics(.spoolSyncSlow(directory: store.directory, took: took, interval: interval))
            }
        }
    }

    func stop() {
        for task in self.tasks.withLock({ $0 }) { task.cancel() }
    }

    /// Waits until the tasks that were started before the stop have ended.
    func waitUntilStopped() async {
        for task in self.tasks.withLock({ $0 }) { await task.value }
    }

    /// Makes everything that was written before the call survive a loss of power. Waits for a round that is already
    /// running.
    func sync() async {
        await self.syncWorker.run { self.store.sync() }
    }

    /// Notes the stop, first of all, and moves the records that wait in memory to files until
    /// `end`, as the last chance before the shutdown's.
    func spillBeforeEnd(until end: MonotonicInstant) async {
        self.store.spillsUntil.withLock { $0 = end }
        await self.store.worker.run { self.store.prepareEnd() }
    }

    /// Does the same from a thread that may block. Returns whether the disk has answered by `deadline`.
    @discardableResult
    func spillBeforeEnd(until end: MonotonicInstant, deadline: MonotonicInstant) -> Bool {
        self.store.spillsUntil.withLock { $0 = end }
        return self.run(until: deadline) { self.store.prepareEnd() } != nil
    }

    /// Those of `spooled` that have lost their file.
    func lost(of spooled: [TopicQueue.KeptRecords]) async -> [TopicQueue.KeptRecords] {
        await self.store.worker.run { spooled.filter(\.isLost) }
    }

    /// Does the same from a thread that may block. Returns none if the disk has not answered by `deadline`.
    func lost(
        of spooled: [TopicQueue.KeptRecords],
        until deadline: MonotonicInstant
    ) -> [TopicQueue.KeptRecords] {
        self.run(until: deadline) { spooled.filter(\.isLost) } ?? []
    }

    private func run<T: Sendable>(until deadline: MonotonicInstant, _ body: @escaping @Sendable () -> T) -> T? {
        self.store.worker.run(waiting: { $0.wait(until: deadline, clock: self.store.clock) }, body)
    }

    /// Releases the folder for the next producer.
    func close() async {
        await self.store.worker.run { self.store.close(isSynced: self.syncInterval != nil) }
    }

    /// Asks the worker to unmap files that were left.
    func unmap(_ spooled: [TopicQueue.KeptRecords]) {
        self.store.unmap(spooled.compactMap { $0.isWaiting ? $0.memory.spoolFile?.detach() : nil })
    }
}

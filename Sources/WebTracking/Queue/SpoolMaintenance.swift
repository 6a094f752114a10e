// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

private import Dispatch

/// What goes on behind a spool: the adoption of what earlier processes left, and the syncing of files.
final class SpoolMaintenance: Sendable {
    private let store: SpoolStore
    private let recovery: SpoolRecovery
    /// How often files are synced; `nil` for never.
    let syncInterval: Duration?
    private let clock: any ProducerClock
    private let executor: (any TaskExecutor)?
    private let tasks = Lock<[Task<Void, Never>]>([])
    /// Where files are synced.
    let syncWorker: SpoolWorker

    init(
        store: SpoolStore,
        recovery: SpoolRecovery,
        syncInterval: Duration?,
        clock: any ProducerClock,
        executor: (any TaskExecutor)?
    ) {
        self.store = store
        self.recovery = recovery
        self.syncInterval = syncInterval
        self.clock = clock
        self.executor = executor
        self.syncWorker = SpoolWorker("sync", isInline: executor != nil)
    }

    var directory: String { self.store.directory }
    /// The producer's own folder, while there is one.
    var folder: String? { self.store.state.withLock { $0.spoolFolder?.path } }
    var usedBytes: Int { self.store.usedBytes }
    /// Whether files cannot be had, or records have not come into one yet.
    var isUnavailable: Bool { self.store.isUnavailable }
    var damagedFiles: Int { self.store.damagedFiles }
    var syncs: Int { self.store.syncs }

    /// Makes the first files ready, so that not even the first record needs to wait for one in memory, and starts what goes
    /// on behind.
    func start() {
        let recovery = self.recovery
        let store = self.store
        let clock = self.clock
        // Whoever makes a producer does not wait for a slow disk to make them all.
        store.workOff { $0.wait(timeout: .now() + .seconds(1)) == .success }
        var tasks = [
            Task.detached(executorPreference: self.executor) { await recovery.run() },
            Task.detached(executorPreference: self.executor) { await Self.maintain(store, clock: clock) },
        ]
        if let interval = self.syncInterval {
            let syncing = SpoolSyncing(
                directory: store.directory,
                interval: interval,
                clock: self.clock,
                worker: self.syncWorker,
                diagnostics: store.diagnostics,
                sync: { store.sync() }
            )
            tasks.append(Task.detached(executorPreference: self.executor) { await syncing.run() })
        }
        self.tasks.withLock { $0 = tasks }
    }

    /// Has it noticed within a second that a folder has gone, and what was not possible tried again.
    private static func maintain(_ store: SpoolStore, clock: any ProducerClock) async {
        while !Task.isCancelled {
            await store.bell.wait(until: store.isBusy ? clock.now() + SpoolStore.pause : nil, clock: clock)
            guard !Task.isCancelled else { return }
            await store.worker.run { store.workOff() }
        }
    }

    func stop() {
        for task in self.tasks.withLock({ $0 }) { task.cancel() }
    }

    /// The look for what others left that goes on, or not.
    var recoveryPass: RecoveryPass { self.recovery.underWay }

    /// Waits until nothing is under way that was begun before the stop.
    func waitUntilStopped() async {
        for task in self.tasks.withLock({ $0 }) { await task.value }
    }

    /// Lets go of the folders, and leaves everything in them as it is: what a death does, for the simulation.
    func unlock() -> [String] { self.store.heldFolders.unlock() }

    /// Makes everything that was written before the call survive the loss of power, behind a round that is under way.
    func sync() async {
        let store = self.store
        await self.syncWorker.run { store.sync() }
    }

    /// Where files are made, removed and looked after.
    var fileWorker: SpoolWorker { self.store.worker }

    /// Where the files of earlier processes are looked into.
    var recoveryWorker: SpoolWorker { self.recovery.worker }

    /// Moves to files what waits in memory, now or never.
    func syncBeforeEnd() async {
        let store = self.store
        await store.worker.run { store.workOff(isForced: true) }
    }

    /// The same on a thread that may wait, until `deadline` at the latest; says whether the disk has answered.
    @discardableResult
    func syncBeforeEnd(until deadline: MonotonicInstant) -> Bool {
        self.store.workOff(isForced: true) { [clock = self.clock] in $0.wait(until: deadline, clock: clock) }
    }

    /// Of these, the ones whose file has gone.
    func lost(of spooled: [TopicQueue.SpooledRecords]) async -> [TopicQueue.SpooledRecords] {
        await self.store.worker.run { spooled.filter { !$0.file.isThere } }
    }

    /// The same on a thread that may wait; none if the disk has not answered by `deadline`.
    func lost(
        of spooled: [TopicQueue.SpooledRecords],
        until deadline: MonotonicInstant
    ) -> [TopicQueue.SpooledRecords] {
        let lost = Lock<[TopicQueue.SpooledRecords]>([])
        let done = DispatchSemaphore(value: 0)
        self.store.worker.start {
            let found = spooled.filter { !$0.file.isThere }
            lost.withLock { $0 = found }
            done.signal()
        }
        return done.wait(until: deadline, clock: self.clock) ? lost.withLock { $0 } : []
    }

    /// Gives the folder to the next producer.
    func close() async {
        let store = self.store
        await store.worker.run { store.close() }
    }
}

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// What goes on behind a spool: the adoption of what earlier processes left, and the syncing of files.
final class SpoolUpkeep: Sendable {
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
    var usedBytes: Int { self.store.usedBytes }
    var isUnavailable: Bool { self.store.isUnavailable }
    var damagedFiles: Int { self.store.damagedFiles }
    var syncs: Int { self.store.syncs }

    func start() {
        let recovery = self.recovery
        var tasks = [Task.detached(executorPreference: self.executor) { await recovery.run() }]
        if let interval = self.syncInterval {
            let store = self.store
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

    func stop() {
        for task in self.tasks.withLock({ $0 }) { task.cancel() }
    }

    /// The look for what others left that goes on, or not.
    var look: SpoolLook { self.recovery.underWay }

    /// Waits until nothing is under way that was begun before the stop.
    func waitUntilStopped() async {
        for task in self.tasks.withLock({ $0 }) { await task.value }
    }

    /// Lets go of the folders, and leaves everything in them as it is: what a death does, for the simulation.
    func letGo() -> [String] { self.store.hold.letGo() }

    /// Makes everything that was written before the call survive the loss of power, behind a round that is under way.
    func sync() async {
        let store = self.store
        await self.syncWorker.run { store.sync() }
    }

    /// Where the files of earlier processes are looked into.
    var recoveryWorker: SpoolWorker { self.recovery.worker }

    /// Gives the folder to the next producer.
    func close() {
        self.store.close()
        self.store.tellNotices()
    }
}

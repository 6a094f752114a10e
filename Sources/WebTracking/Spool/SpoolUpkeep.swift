//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Dispatch

/// What goes on behind a spool: the adoption of what earlier processes left, and the syncing of files.
final class SpoolUpkeep: Sendable {
    private let store: SpoolStore
    private let recovery: SpoolRecovery
    /// How often files are synced; `nil` for never.
    private let syncInterval: Duration?
    private let clock: any ProducerClock
    private let tasks = Lock<[Task<Void, Never>]>([])
    /// Where the waits for the disk take place.
    private let queue = DispatchQueue(label: "webtracking.spool")

    init(store: SpoolStore, recovery: SpoolRecovery, syncInterval: Duration?, clock: any ProducerClock) {
        self.store = store
        self.recovery = recovery
        self.syncInterval = syncInterval
        self.clock = clock
    }

    var usedBytes: Int { self.store.usedBytes }
    var damagedFiles: Int { self.store.damagedFiles }
    var syncs: Int { self.store.syncs }

    func start() {
        let recovery = self.recovery
        var tasks = [Task.detached { await recovery.run() }]
        if let interval = self.syncInterval {
            let (store, queue, clock) = (self.store, self.queue, self.clock)
            tasks.append(
                Task.detached {
                    while !Task.isCancelled {
                        guard (try? await clock.sleep(until: clock.now() + interval)) != nil else { return }
                        await withCheckedContinuation { continuation in
                            queue.async {
                                store.sync()
                                continuation.resume()
                            }
                        }
                    }
                }
            )
        }
        self.tasks.withLock { $0 = tasks }
    }

    func stop() {
        for task in self.tasks.withLock({ $0 }) { task.cancel() }
    }

    /// Syncs what is left, if that is asked for, and gives the folder to the next producer.
    func close() {
        if self.syncInterval != nil { self.store.sync() }
        self.store.close()
        self.store.tellNotices()
    }
}

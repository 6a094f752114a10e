//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// When the files of a spool are synced next, and whether that takes longer than it may.
struct SyncSchedule {
    private let interval: Duration
    /// When the next round begins. From beginning to beginning it is one interval; a record that comes just behind the sync
    /// of its file waits for the end of the next round: for an interval and one round at most.
    private(set) var next: MonotonicInstant
    private var isSlow = false

    init(interval: Duration, now: MonotonicInstant) {
        self.interval = interval
        self.next = now + interval
    }

    /// Takes in that a round has ended; returns how long it took if that is too long, once until it is better.
    mutating func finished(from start: MonotonicInstant, to end: MonotonicInstant) -> Duration? {
        self.next = start + self.interval
        let wasSlow = self.isSlow
        self.isSlow = end - start > self.interval
        return self.isSlow && !wasSlow ? end - start : nil
    }
}

/// Syncs the files of a spool, one round after the other.
struct SpoolSyncing: Sendable {
    let directory: String
    let interval: Duration
    let clock: any ProducerClock
    let worker: SpoolWorker
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    /// Makes what was written so far survive the loss of power; waits for the disk.
    let sync: @Sendable () -> Void

    /// Returns when the task is cancelled.
    func run() async {
        var schedule = SyncSchedule(interval: self.interval, now: self.clock.now())
        while (try? await self.clock.sleep(until: schedule.next)) != nil {
            let start = self.clock.now()
            await self.worker.run(self.sync)
            if let took = schedule.finished(from: start, to: self.clock.now()) {
                self.diagnostics(.spoolSyncSlow(directory: self.directory, took: took, interval: self.interval))
            }
        }
    }
}

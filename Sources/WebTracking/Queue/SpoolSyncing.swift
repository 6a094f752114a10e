// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Syncs the files of a spool, one round after the other.
struct SpoolSyncing: Sendable {
    let directory: String
    let interval: Duration
    let clock: any ProducerClock
    let worker: SpoolWorker
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    /// Makes what was written so far survive a loss of power. Waits for the disk.
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

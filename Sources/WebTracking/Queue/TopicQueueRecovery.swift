// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// What earlier processes left.
extension TopicQueue {
    /// Whether it takes what earlier processes left, and nothing of this one.
    var isOfEarlierProcesses: Bool { self.announcer != nil }

    /// Takes over a batch of an earlier process.
    func recover(_ batch: Batch) {
        let levels = batch.allLevels
        let isAbandoned = self.state.withLock { state -> Bool in
            guard !state.isAbandoned else { return true }
            state.tally.accepted += levels
            state.tally.recovered += levels.total
            state.tally.pending += levels
            state.enqueued += levels.total
            // What was salvaged has no file that it could wait in.
            self.context.budget.charge(batch.heldBytes)
            state.enqueue(batch)
            return false
        }
        guard isAbandoned else { return self.wakeWorker() }
        batch.memory.unmap()
        batch.origin?.unmap()
    }

    /// Counts the records of a batch of an earlier process that is too old or too much, and gives up its file. That is not
    /// announced at once, since many may follow.
    func dropRecovered(_ batch: Batch, _ reason: DropReason) {
        let levels = batch.allLevels
        let own = batch.ownLevels
        self.state.withLock { state in
            state.tally.accepted += levels
            state.tally.recovered += levels.total
            state.tally.dropped[reason] += levels
            if own.total > 0 { state.unannounced[reason] += own }
        }
        self.context.budget.charge(batch.heldBytes)
        self.free(batch)
    }

    /// How many records have been settled.
    var settledCount: Int { self.state.withLock { $0.settled } }

    /// How many records there have been; `nil` if all are settled.
    var enqueuedCount: Int? { self.state.withLock { $0.settled < $0.enqueued ? $0.enqueued : nil } }

    /// How many batches wait for the actor.
    var backlog: Int { self.state.withLock { $0.sealed.count } }
}

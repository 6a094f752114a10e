// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What earlier processes left.
extension TopicQueue {
    /// Whether the queue is for records of earlier processes only.
    var isOfEarlierProcesses: Bool { self.announcer != nil }

    /// Takes over a batch of an earlier process.
    func recover(_ batch: Batch) {
        let isAbandoned = self.state.withLock { state -> Bool in
            guard !state.isAbandoned else { return true }
            state.ledger.recover(batch)
            // Salvaged records, and those of a file with holes, were copied to the heap, so they take memory while they wait.
            self.context.budget.charge(batch.memory.heldBytes)
            return false
        }
        guard isAbandoned else { return self.wakeWorker() }
        batch.memory.unmap()
    }

    /// Counts the records of an earlier process as dropped, since they are too old or exceed the bound, and releases
    /// their file. Does not wake the worker to announce this, since more may follow.
    func dropRecovered(_ batch: Batch, _ reason: DropReason) {
        self.state.withLock { state in
            state.ledger.dropRecovered(batch, reason)
            if batch.levels.own.total > 0 { state.drops.unannounced[reason] += batch.levels.own }
        }
        self.context.budget.charge(batch.memory.heldBytes)
        self.context.home.free(batch.memory)
    }

    /// How many records will have been settled with the next one; `nil` if all are, maybe since the caller looked: there is
    /// nothing to wait for then.
    var nextSettledCount: Int? {
        self.state.withLock { $0.ledger.settled < $0.ledger.enqueued ? $0.ledger.settled + 1 : nil }
    }

    /// How many records there have been; `nil` if all are settled.
    var enqueuedCount: Int? {
        self.state.withLock { $0.ledger.settled < $0.ledger.enqueued ? $0.ledger.enqueued : nil }
    }

    /// How many batches wait for the actor.
    var backlog: Int { self.state.withLock { $0.ledger.sealed.count } }
}

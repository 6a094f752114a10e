// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// How a topic's queue is flushed, closed and abandoned.
extension TopicQueue {
    /// The number of records that must be settled before everything that was accepted so far is; `nil` if it is.
    func flushTarget() -> Int? {
        self.state.withLock { state in
            self.appendRepeatCount(in: &state)
            return state.ledger.settled < state.allEnqueued ? state.allEnqueued : nil
        }
    }

    /// Asks for the first `target` records to be sent without lingering or backing off, and waits as
    /// ``waitUntilSettled(_:)`` does.
    func flush(_ target: Int) async {
        let isSettled = self.state.withLock { state -> Bool in
            guard state.ledger.settled < target else { return true }
            state.flushTarget = max(state.flushTarget, target)
            state.skipsBackoff = true
            return false
        }
        guard !isSettled else { return }
        self.wakeWorker()
        await self.waitUntilSettled(target)
    }

    /// Waits until the first `target` records are settled, or the task is cancelled.
    func waitUntilSettled(_ target: Int) async {
        let id = self.state.withLock { state -> Int in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSettled = self.state.withLock { state -> Bool in
                    // `onCancel` may have run already, and found no waiter.
                    if state.ledger.settled >= target || state.isAbandoned || Task.isCancelled { return true }
                    state.waiters.append(.init(id: id, target: target, continuation: continuation))
                    return false
                }
                if isSettled { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index).continuation
            }?.resume()
        }
    }

    /// Takes no more records, except the library's own. What is pending is sent as soon as ``flush(_:)`` asks for it.
    func close() {
        self.state.withLock { state in
            self.appendRepeatCount(in: &state)
            state.isClosed = true
            state.skipsBackoff = true
        }
    }

    /// Gives up what is still pending. Records in spool files stay there, and still count as pending. The rest is
    /// dropped. Adds the results of all records to `outcome`.
    @discardableResult
    func abandon(addingTo outcome: inout Outcome) -> Rest {
        let home = self.context.home
        let (rest, waiters, left) = self.state.withLock {
            state -> (Rest, [CheckedContinuation<Void, Never>], [Batch]) in
            defer { state.add(to: &outcome) }
            guard !state.isAbandoned else { return (Rest(), [], []) }
            state.isAbandoned = true
            // Nothing is sealed any more: what is in no file is dropped unread, what is in one is read by its marks, and
            // with 100,000 topics sealing would take the most time.
            let unsent = state.ledger.takeUnsent(&state.intake)
            // It keeps the memory for callers that are still copying.
            state.unsent = unsent.filter { !$0.batch.isWhole }
            func kept(_ memory: BatchMemory, _ levels: LevelCounts, isWaiting: Bool) -> KeptRecords? {
                home.keeps(memory)
                    ? KeptRecords(queue: self, memory: memory, levels: levels, isWaiting: isWaiting) : nil
            }
            var all = state.ledger.sealed.compactMap { kept($0.memory, $0.levels.all, isWaiting: true) }
            all += state.ledger.inFlight.compactMap { kept($0.memory, $0.left.all, isWaiting: false) }
            all += unsent.compactMap { kept($0.batch.memory, $0.counted.all, isWaiting: $0.batch.isWhole) }
            let spooled = all.reduce(into: LevelCounts()) { $0 += $1.levels }
            var dropped = state.ledger.tally.pending
            dropped -= spooled
            if dropped.total > 0 { state.ledger.tally.dropped[.shutdownDeadline] += dropped }
            state.ledger.tally.pending = spooled
            defer {
                state.waiters = []
                state.ledger.sealed = []
                // Their memory is left to the actor, which may be sending it, and releases it when they are settled, or at
                // its end.
                state.ledger.inFlight = []
            }
            let rest = Rest(
                dropped: dropped.total,
                spooled: all,
                recordsInFlight: state.ledger.recordsInFlight,
                hasUnreportedDrops: !state.drops.unreported.isEmpty,
                worker: state.worker
            )
            // Under the lock: from then on a caller that is late may let one be unmapped, whose memory would not be seen.
            for unsent in unsent { home.leave(unsent.batch.memory) }
            return (rest, state.waiters.map(\.continuation), state.ledger.sealed)
        }
        // Files stay mapped: the worker has to look for them first.
        for batch in left { home.leave(batch.memory) }
        for waiter in waiters { waiter.resume() }
        return rest
    }

    /// What was left of a topic that was given up.
    struct Rest {
        /// How many records were dropped.
        var dropped = 0
        /// The records that stay in files.
        var spooled: [KeptRecords] = []
        /// How many of both were being sent.
        var recordsInFlight = 0
        /// Whether records were dropped that no diagnostic has reported.
        var hasUnreportedDrops = false
        /// The task that is to be cancelled.
        var worker: Task<Void, Never>?
    }

    /// Counts records as dropped: they were left in a file that is gone now.
    func countLost(_ levels: LevelCounts) {
        self.state.withLock { state in
            state.ledger.tally.pending -= levels
            state.ledger.tally.dropped[.spoolDamaged] += levels
            state.drops.unreported[.spoolDamaged] += levels
        }
    }

    /// What is left of a batch for the next process.
    struct KeptRecords: Sendable {
        let queue: TopicQueue
        let memory: BatchMemory
        let levels: LevelCounts
        /// Whether no actor has it, and no caller writes to it, so that it can be unmapped.
        let isWaiting: Bool

        /// Whether its file has gone.
        var isLost: Bool { self.memory.spoolFile?.isLost ?? false }
    }

    /// Gives back the memory of a batch that was abandoned. What its home keeps is for the next producer.
    func unload(_ batch: Batch) {
        self.context.home.leave(batch.memory)
        self.context.home.unmap(batch.memory)
    }
}

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
        let (rest, waiters, left, unsent) = self.state.withLock {
            state -> (Rest, [CheckedContinuation<Void, Never>], [Batch], Held) in
            defer { state.add(to: &outcome) }
            guard !state.isAbandoned else { return (Rest(), [], [], Held()) }
            state.isAbandoned = true
            // Nothing is sealed any more: what is in no file is dropped unread, what is in one is read by its marks, and
            // with 100,000 topics sealing would take the most time.
            let unsent = state.ledger.takeUnsent(&state.intake)
            // It keeps the memory for callers that are still copying.
            state.unsent = unsent.filter { !$0.batch.isWhole }
            func left(_ file: SpoolFile?, _ levels: LevelCounts, isWaiting: Bool) -> SpooledRecords? {
                file.map { SpooledRecords(queue: self, file: $0, levels: levels, isWaiting: isWaiting) }
            }
            var files = state.ledger.sealed.compactMap { left($0.spoolFile, $0.levels.all, isWaiting: true) }
            files += state.ledger.inFlight.compactMap { left($0.file, $0.left.all, isWaiting: false) }
            files += unsent.compactMap { left($0.batch.spoolFile, $0.counted.all, isWaiting: $0.batch.isWhole) }
            let spooled = files.reduce(into: LevelCounts()) { $0 += $1.levels }
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
                spooled: files,
                recordsInFlight: state.ledger.recordsInFlight,
                hasUnreportedDrops: !state.drops.unreported.isEmpty,
                worker: state.worker
            )
            // Under the lock: from then on a caller that is late may let one be unmapped, whose memory would not be seen.
            let held = unsent.reduce(into: Held()) { $0.take($1.batch.memory) }
            return (rest, state.waiters.map(\.continuation), state.ledger.sealed, held)
        }
        // Files stay mapped: the worker has to look for them first.
        self.release(unsent)
        for batch in left { self.release(batch) }
        for waiter in waiters { waiter.resume() }
        return rest
    }

    /// What was left of a topic that was given up.
    struct Rest {
        /// How many records were dropped.
        var dropped = 0
        /// The records that stay in files.
        var spooled: [SpooledRecords] = []
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

    /// What is left in a file.
    struct SpooledRecords: Sendable {
        let queue: TopicQueue
        let file: SpoolFile
        let levels: LevelCounts
        /// Whether no actor has it, and no caller writes to it, so that it can be unmapped.
        let isWaiting: Bool
    }

    /// What batches hold of the memory and of the spool.
    private struct Held {
        private(set) var memory = 0
        private(set) var reserved = 0

        mutating func take(_ memory: BatchMemory) {
            self.memory += memory.heldBytes
            self.reserved += memory.takeReserved()
        }
    }

    private func release(_ held: Held) {
        self.context.budget.release(held.memory)
        self.context.spool?.cancelReservation(held.reserved)
    }

    private func release(_ batch: some BatchContent) {
        var held = Held()
        held.take(batch.memory)
        self.release(held)
    }

    /// Gives back the memory of a batch that was abandoned; a file stays, for the next producer.
    func unload(_ batch: some BatchContent) {
        self.release(batch)
        self.context.spool?.unmap(batch.memory)
        batch.memory.origin?.unmap()
    }
}

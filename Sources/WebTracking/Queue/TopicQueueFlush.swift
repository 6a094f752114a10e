// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// How a topic's buffer is flushed, closed and given up.
extension TopicQueue {
    /// The number of records that have to be settled for everything that was accepted so far to be; `nil` if it is.
    func flushTarget() -> Int? {
        self.state.withLock { state in
            self.appendRepeatCount(in: &state)
            return state.settled < state.allEnqueued ? state.allEnqueued : nil
        }
    }

    /// Asks for the first `target` records to be sent without lingering or backing off, and waits as
    /// ``waitUntilSettled(_:)`` does.
    func flush(_ target: Int) async {
        let isSettled = self.state.withLock { state -> Bool in
            guard state.settled < target else { return true }
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
                    if state.settled >= target || state.isAbandoned || Task.isCancelled { return true }
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

    /// Takes no more records, except the library's own. What is there goes as soon as ``flush(_:)`` asks for it.
    func close() {
        self.state.withLock { state in
            self.appendRepeatCount(in: &state)
            state.isClosed = true
            state.skipsBackoff = true
        }
    }

    /// Gives up what is still pending: what is in spool files stays there and goes on being pending, the rest is dropped.
    func abandon() -> Rest {
        let (rest, waiters, left) = self.state.withLock {
            state -> (Rest, [CheckedContinuation<Void, Never>], [Batch]) in
            guard !state.isAbandoned else { return (Rest(), [], []) }
            state.isAbandoned = true
            self.sealOpen(in: &state)
            var files = state.sealed.compactMap { batch in
                batch.spoolFile.map { SpooledRecords(buffer: self, file: $0, levels: batch.allLevels) }
            }
            files += state.inFlight.compactMap { hand in
                hand.file.map { SpooledRecords(buffer: self, file: $0, levels: hand.left) }
            }
            let spooled = files.reduce(into: LevelCounts()) { $0 += $1.levels }
            var dropped = state.tally.pending
            dropped -= spooled
            if dropped.total > 0 { state.tally.dropped[.shutdownDeadline] += dropped }
            state.tally.pending = spooled
            defer {
                state.waiters = []
                state.sealed = []
                state.inFlight = []
            }
            let rest = Rest(
                dropped: dropped.total,
                spooled: files,
                recordsInFlight: state.recordsInFlight,
                hasUnreportedDrops: !state.unreported.isEmpty,
                worker: state.worker
            )
            return (rest, state.waiters.map(\.continuation), state.sealed)
        }
        for batch in left { self.unload(batch) }
        for waiter in waiters { waiter.resume() }
        return rest
    }

    /// What was left of a topic that was given up.
    struct Rest {
        /// How many records were dropped.
        var dropped = 0
        /// Which files hold how many.
        var spooled: [SpooledRecords] = []
        /// How many of both are in flight.
        var recordsInFlight = 0
        /// Whether records were dropped that no diagnostic has reported.
        var hasUnreportedDrops = false
        /// The task that is to be cancelled.
        var worker: Task<Void, Never>?
    }

    /// Counts records as dropped that were left in a file which has gone.
    func countLost(_ levels: LevelCounts) {
        self.state.withLock { state in
            state.tally.pending -= levels
            state.tally.dropped[.spoolDamaged] += levels
            state.unreported[.spoolDamaged] += levels
        }
    }

    /// What is left in a file.
    struct SpooledRecords: Sendable {
        let buffer: TopicQueue
        let file: SpoolFile
        let levels: LevelCounts
    }

    /// Gives back the memory of a batch that was abandoned; a file stays, for the next producer.
    func unload(_ batch: Batch) {
        self.context.budget.release(batch.heldBytes)
        self.context.spool?.cancelReservation(batch.memory.takeReserved())
        self.context.spool?.unmap(batch.memory)
        batch.origin?.unmap()
    }
}

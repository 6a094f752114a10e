// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// How a topic's buffer is flushed, closed and given up.
extension TopicQueue {
    /// Asks for everything that was accepted so far to be sent without lingering or backing off; `nil` if nothing is
    /// pending, and otherwise the number of records to wait for.
    func requestFlush() -> Int? {
        let target = self.state.withLock { state -> Int? in
            self.appendRepeatCount(in: &state)
            let target = state.allEnqueued
            guard state.settled < target else { return nil }
            state.flushTarget = target
            state.skipsBackoff = true
            return target
        }
        if target != nil { self.wakeWorker() }
        return target
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

    /// Takes no more records, except the library's own, and sends what is there without lingering.
    func close() {
        let hasWork = self.state.withLock { state -> Bool in
            self.appendRepeatCount(in: &state)
            state.isClosed = true
            state.skipsBackoff = true
            return state.settled < state.allEnqueued || !state.unannounced.isEmpty
        }
        if hasWork { self.wakeWorker() }
    }

    /// Stops the worker, and gives up what is still pending: what is in spool files stays there and goes on being pending,
    /// the rest is dropped. Says how many records were dropped, which files hold how many, and how many are on their way.
    func abandon() -> (dropped: Int, spooled: [SpooledRecords], recordsInFlight: Int) {
        let (worker, waiters, left, dropped, spooled, recordsInFlight) = self.state.withLock {
            state -> (Task<Void, Never>?, [CheckedContinuation<Void, Never>], [Batch], Int, [SpooledRecords], Int) in
            guard !state.isAbandoned else { return (nil, [], [], 0, [], 0) }
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
            return (
                state.worker, state.waiters.map(\.continuation), state.sealed, dropped.total, files,
                state.recordsInFlight
            )
        }
        for batch in left { self.unload(batch) }
        worker?.cancel()
        for waiter in waiters { waiter.resume() }
        return (dropped: dropped, spooled: spooled, recordsInFlight: recordsInFlight)
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

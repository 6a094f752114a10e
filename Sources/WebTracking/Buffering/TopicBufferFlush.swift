//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

// How a topic's buffer is flushed, closed and given up.
extension TopicBuffer {
    /// Asks for everything that was accepted so far to be sent without lingering or backing off; `nil` if nothing is
    /// pending, and otherwise the number of records to wait for.
    func requestFlush() -> Int? {
        let target = self.state.withLock { state -> Int? in
            guard state.settled < state.enqueued else { return nil }
            state.flushTarget = state.enqueued
            state.isNudged = true
            return state.enqueued
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
            state.isClosed = true
            state.isNudged = true
            return state.settled < state.enqueued || !state.unannounced.isEmpty
        }
        if hasWork { self.wakeWorker() }
    }

    /// Gives up what is still pending, counts it, stops the worker, and says how many records that were.
    func abandon() -> Int {
        let (worker, waiters, held, count) = self.state.withLock {
            state -> (Task<Void, Never>?, [CheckedContinuation<Void, Never>], Int, Int) in
            guard !state.isAbandoned else { return (nil, [], 0, 0) }
            state.isAbandoned = true
            let count = state.tally.pending.total
            state.tally.dropped[.shutdownDeadline] += state.tally.pending
            state.tally.pending = LevelCounts()
            let held = (state.open?.heldBytes ?? 0) + state.sealed.reduce(0) { $0 + $1.heldBytes }
            state.open = nil
            state.sealed = []
            state.inHandSince = nil
            defer { state.waiters = [] }
            return (state.worker, state.waiters.map(\.continuation), held, count)
        }
        self.context.budget.release(held)
        worker?.cancel()
        for waiter in waiters { waiter.resume() }
        return count
    }
}

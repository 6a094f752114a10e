// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Limits the number of requests in flight. The task that has waited longest comes first.
final class RequestSlots: Sendable {
    private struct State {
        var free: Int
        var isClosed = false
        var waiting = NumberedList<CheckedContinuation<Bool, Never>>()
    }

    private let state: Lock<State>

    init(count: Int) {
        self.state = Lock(State(free: count))
    }

    /// Waits for a slot; `false` if the task was cancelled before there was one.
    func acquire() async -> Bool {
        let number = self.state.withLock { $0.waiting.takeNumber() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = self.state.withLock { state -> Bool? in
                    // `onCancel` may have run already, and found no waiter.
                    if Task.isCancelled { return false }
                    if state.free > 0, !state.isClosed {
                        state.free -= 1
                        return true
                    }
                    state.waiting.insert(continuation, number: number)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            // If `release` was first, there is none to remove: the task has its slot, and will release it.
            self.state.withLock { $0.waiting.remove(number) }?.resume(returning: false)
        }
    }

    /// Gives out no slot any more. Tasks wait until they are cancelled.
    func close() { self.state.withLock { $0.isClosed = true } }

    /// Returns a slot.
    func release() {
        self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            // The slot is passed on without becoming free: so no task that comes later can take it first.
            guard !state.isClosed, let first = state.waiting.removeFirst() else {
                state.free += 1
                return nil
            }
            return first
        }?.resume(returning: true)
    }
}

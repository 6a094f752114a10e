// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Wakes one waiting task; a ring while nobody waits is kept for the next wait.
final class Doorbell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
        /// Which wait this is, so that an alarm that comes late does not end the next one.
        var turn = 0
    }

    private let state = Lock(State())

    /// Wakes the waiting task, or lets the next wait return at once.
    func ring() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isRung = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Waits for a ring, for `deadline` on `clock`, or for the cancellation of the task.
    func wait(until deadline: MonotonicInstant?, clock: any ProducerClock) async {
        guard let deadline else { return await self.wait() }
        guard deadline > clock.now() else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await clock.sleep(until: deadline) }
            await group.next()
            group.cancelAll()
        }
    }

    /// The same, with the time looked after by an alarm that many share.
    func wait(until deadline: MonotonicInstant, alarm: Alarm) async {
        var id: Int?
        await self.wait { turn in id = alarm.set(Alarm.Waiter(bell: self, turn: turn), at: deadline) }
        if let id { alarm.cancel(id) }
    }

    /// Ends this wait, if it is still on.
    func wake(_ turn: Int) {
        self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.turn == turn else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }?.resume()
    }

    /// - Parameter isWaiting: Called once the wait has begun, with what ``wake(_:)`` ends it by.
    private func wait(isWaiting: (_ turn: Int) -> Void = { _ in }) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn = self.state.withLock { state -> Int? in
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return nil
                    }
                    state.waiter = continuation
                    state.turn += 1
                    return state.turn
                }
                if let turn { isWaiting(turn) } else { continuation.resume() }
            }
        } onCancel: {
            // Not a ring: the next wait must not take it for one.
            self.state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Wakes one waiting task. A ring while no task waits is kept for the next wait.
final class Doorbell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Bool, Never>?
        /// The number of the current wait, so that a late alarm does not end the next one.
        var turn = 0
    }

    private let state = Lock(State())
    private let turnstile: Turnstile?

    /// - Parameter turnstile: What woken tasks pass through, if many may be woken at once.
    init(turnstile: Turnstile? = nil) { self.turnstile = turnstile }

    /// Wakes the waiting task, or lets the next wait return at once.
    func ring() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            let waiter = state.waiter.take()
            if waiter == nil { state.isRung = true }
            return waiter
        }
        self.resume(waiter)
    }

    private func resume(_ waiter: CheckedContinuation<Bool, Never>?) {
        guard let waiter else { return }
        if let turnstile = self.turnstile { turnstile.enter(.resume(waiter)) } else { waiter.resume(returning: false) }
    }

    /// Waits for a ring, for `deadline` on `clock`, or for the cancellation of the task.
    func wait(until deadline: MonotonicInstant?, clock: any ProducerClock) async {
        guard let deadline else { return await self.wait() }
        guard deadline > clock.now() else { return }
        await withDeadline(deadline, clock: clock) { await self.wait() }
    }

    /// Does the same, but the deadline is watched by an alarm that many waits share.
    func wait(until deadline: MonotonicInstant, alarm: Alarm) async {
        var id: Int?
        await self.wait { turn in id = alarm.set(Alarm.Waiter(bell: self, turn: turn), at: deadline) }
        if let id { alarm.cancel(id) }
    }

    /// Ends this wait, if it is still on.
    func wake(_ turn: Int) {
        self.resume(self.state.withLock { $0.turn == turn ? $0.waiter.take() : nil })
    }

    /// - Parameter isWaiting: Called once the wait has begun, with what ``wake(_:)`` ends it by.
    private func wait(isWaiting: (_ turn: Int) -> Void = { _ in }) async {
        let hasTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // `onCancel` may have run already, and found no waiter: so this looks under the lock that it takes.
                let turn = self.state.withLock { state -> Int? in
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return nil
                    }
                    state.waiter = continuation
                    state.turn += 1
                    return state.turn
                }
                // After the waiter is stored: an alarm that is due at once has to find it.
                if let turn { isWaiting(turn) } else { continuation.resume(returning: false) }
            }
        } onCancel: {
            // Not a ring: the next wait must not take it for one.
            self.resume(self.state.withLock { $0.waiter.take() })
        }
        if hasTurn { self.turnstile?.next() }
    }
}

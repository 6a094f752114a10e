// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A value that is set once, and a task that waits for it.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case open(CheckedContinuation<Value, Never>?)
        case over(Value)
    }

    private let state = Lock(State.open(nil))

    var isOver: Bool { self.state.withLock { if case .over = $0 { true } else { false } } }

    /// Sets the value if there is none yet, and `maySet` allows it. Returns whether it did.
    @discardableResult
    func set(_ value: Value, if maySet: () -> Bool = { true }) -> Bool {
        let (isFirst, waiter) = self.state.withLock { state -> (Bool, CheckedContinuation<Value, Never>?) in
            // Others may set it at the same time. `maySet` may count, so it must not run once there is a value.
            guard case .open(let waiter) = state, maySet() else { return (false, nil) }
            state = .over(value)
            return (true, waiter)
        }
        waiter?.resume(returning: value)
        return isFirst
    }

    /// Waits for the value. Only one task may wait.
    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let over = self.state.withLock { state -> Value? in
                    // It may have been set before this task waits.
                    if case .over(let value) = state { return value }
                    state = .open(continuation)
                    return nil
                }
                if let over { continuation.resume(returning: over) }
            }
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Whether a pass of the recovery is running: from its start until its last record is delivered.
final class RecoveryPass: Sendable {
    private struct State {
        /// The first pass is about to start.
        var isRunning = true
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Lock(State())

    var isRunning: Bool { self.state.withLock { $0.isRunning } }

    func begin() { self.state.withLock { $0.isRunning = true } }

    func end() {
        let waiters = self.state.withLock { state in
            state.isRunning = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when no pass is running.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = self.state.withLock { state in
                if state.isRunning { state.waiters.append(continuation) }
                return !state.isRunning
            }
            if isOver { continuation.resume() }
        }
    }
}

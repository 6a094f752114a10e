// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The port that an endpoint listens on, for tasks that wait for it.
final class ListeningPort: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Int, any Error>])
        case settled(Result<Int, any Error>)
    }

    private let state = Mutex(State.waiting([]))

    /// Sets the result, for tasks that wait now or later. Only the first call counts.
    func settle(_ result: Result<Int, any Error>) {
        let waiting: [CheckedContinuation<Int, any Error>] = self.state.withLock { state in
            guard case .waiting(let continuations) = state else { return [] }
            state = .settled(result)
            return continuations
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    /// Returns once the endpoint listens; throws if it stopped before it did.
    func get() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            let settled: Result<Int, any Error>? = self.state.withLock { state in
                switch state {
                case .waiting(let continuations):
                    state = .waiting(continuations + [continuation])
                    return nil
                case .settled(let result):
                    return result
                }
            }
            if let settled { continuation.resume(with: settled) }
        }
    }
}

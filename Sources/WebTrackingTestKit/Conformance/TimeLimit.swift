// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// Runs `operation` for at most `limit`, and throws ``Overdue`` after that.
///
/// The operation is cancelled then, but not waited for: a transport under test may ignore the cancellation.
func within<Success: Sendable>(
    _ limit: Duration,
    _ operation: @escaping @Sendable () async throws -> Success
) async throws -> Success {
    let race = Race<Success>()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            race.start(continuation, limit: limit, operation)
        }
    } onCancel: {
        race.cancel()
    }
}

/// An operation of the suite took too long.
struct Overdue: Error {
    var limit: Duration
}

/// The first of two tasks to end answers for both.
private final class Race<Success: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Success, any Error>?
        var work: Task<Void, Never>?
        var timer: Task<Void, Never>?
        var isCancelled = false
    }

    private let state = Lock(State())

    func start(
        _ continuation: CheckedContinuation<Success, any Error>,
        limit: Duration,
        _ operation: @escaping @Sendable () async throws -> Success
    ) {
        self.state.withLock { state in
            state.continuation = continuation
            state.work = Task.detached {
                do { self.finish(.success(try await operation())) } catch { self.finish(.failure(error)) }
            }
            state.timer = Task.detached {
                do { try await Task.sleep(for: limit) } catch { return }
                self.finish(.failure(Overdue(limit: limit)))
            }
            if state.isCancelled { state.work?.cancel() }
        }
    }

    func cancel() {
        self.state.withLock { state in
            state.isCancelled = true
            state.work?.cancel()
        }
    }

    private func finish(_ result: Result<Success, any Error>) {
        let continuation = self.state.withLock { state in
            defer { state.continuation = nil }
            state.work?.cancel()
            state.timer?.cancel()
            return state.continuation
        }
        continuation?.resume(with: result)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Wakes readers that wait for new logs.
final class CommitSignal: Sendable {
    private struct State {
        var continuations: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// An element for every commit, or one for several if they came while the reader was busy.
    ///
    /// - Parameter heartbeat: There is an element this often, too.
    func subscribe(heartbeat: Duration? = nil) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = self.state.withLock { state in
            state.next += 1
            state.continuations[state.next] = continuation
            return state.next
        }
        let beats = heartbeat.map { interval in
            Task {
                while true {
                    try await Task.sleep(for: interval)
                    continuation.yield()
                }
            }
        }
        continuation.onTermination = { [weak self] _ in
            beats?.cancel()
            self?.remove(id)
        }
        return stream
    }

    func send() {
        let continuations = self.state.withLock { Array($0.continuations.values) }
        for continuation in continuations { continuation.yield() }
    }

    private func remove(_ id: Int) { self.state.withLock { $0.continuations[id] = nil } }
}

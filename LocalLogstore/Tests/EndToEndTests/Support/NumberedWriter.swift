// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import Synchronization

/// Puts logs one by one under a hash key of its own, and tries each again until it hears that it is stored.
struct NumberedWriter: Sendable {
    var number: Int
    /// The sequence id of the log that is not known to be stored.
    var next: UInt64 = 1
    /// How many it was told that were stored before.
    var refused = 0

    init(_ number: Int) {
        self.number = number
    }

    /// Has all write at the same time until they know of so many logs, and kills the endpoint in the midst.
    static func run(
        _ writers: [NumberedWriter],
        upTo count: Int,
        port: Int,
        kill: @escaping @Sendable () -> Void
    ) async throws -> [NumberedWriter] {
        let left = Countdown(from: count - writers.reduce(0) { $0 + Int($1.next) - 1 })
        return try await withThrowingTaskGroup(of: NumberedWriter.self) { tasks in
            for writer in writers {
                tasks.addTask {
                    var writer = writer
                    while !left.isOver {
                        guard try await writer.write(port: port) else { continue }
                        if left.isLast() { kill() }
                    }
                    return writer
                }
            }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
    }

    /// Whether the next log is known to be stored after one attempt.
    private mutating func write(port: Int) async throws -> Bool {
        let answer = try? await putLogs(
            "\(self.number): \(self.next)",
            hashKey: String(repeating: "\(self.number)", count: 32),
            sequence: self.next,
            key: AccessKey(id: "id", secret: "secret"),
            port: port
        )
        guard let answer else { return false }
        if answer.status != 200 {
            guard answer.body.contains("InvalidSequenceId") else { throw Unexpected(body: answer.body) }
            self.refused += 1
        }
        self.next += 1
        return true
    }

    private final class Countdown: Sendable {
        private let left: Mutex<Int>

        init(from count: Int) { self.left = Mutex(count) }

        var isOver: Bool { self.left.withLock { $0 <= 0 } }

        /// Counts one.
        func isLast() -> Bool {
            self.left.withLock { left in
                left -= 1
                return left == 0
            }
        }
    }

    /// An answer that no write should get.
    private struct Unexpected: Error {
        var body: String
    }
}

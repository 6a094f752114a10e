// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Runs work on files that may wait for the disk. It uses a queue of its own, so that it blocks none of the threads
/// that Swift's tasks share. If an executor was given, the work runs in the calling task instead, so that the executor
/// decides the order.
struct SpoolWorker: Sendable {
    private let queue: DispatchQueue?

    init(queue: DispatchQueue?) {
        self.queue = queue
    }

    init(_ label: String, isInline: Bool) {
        // A serial queue: wipes, spills and checks rely on coming one after the other.
        self.init(queue: isInline ? nil : DispatchQueue(label: "webtracking.spool.\(label)", qos: .userInitiated))
    }

    /// Whether work runs in the calling task.
    var isInline: Bool { self.queue == nil }

    /// Runs `body` after the work before it, and does not wait for it.
    func start(_ body: @escaping @Sendable () -> Void) {
        guard let queue = self.queue else { return body() }
        queue.async(execute: body)
    }

    /// Runs `body` after the work before it, and calls `wait` with a semaphore for its end. Returns the result; `nil` if
    /// `wait` timed out.
    func run<Value: Sendable>(
        waiting wait: (DispatchSemaphore) -> Bool,
        _ body: @escaping @Sendable () -> Value
    ) -> Value? {
        // Behind a lock: the work may still write the result when the wait is over.
        let result = Lock<Value?>(nil)
        let done = DispatchSemaphore(value: 0)
        self.start {
            let value = body()
            result.withLock { $0 = value }
            done.signal()
        }
        return wait(done) ? result.withLock { $0 } : nil
    }

    /// Runs `body` after the work before it, and returns or throws what it does.
    func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        guard let queue = self.queue else { return try body() }
        // The thread sanitizer does not see the order that a continuation makes which is resumed before its task waits
        // (findings/tsan-misses-an-early-resume.sh). A lock makes one that it sees.
        let order = Lock(())
        let result = await withCheckedContinuation { continuation in
            queue.async {
                let result = Result(catching: body)
                order.withLock { _ in }
                continuation.resume(returning: result)
            }
        }
        order.withLock { _ in }
        return try result.get()
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Runs work on files that may wait for the disk. It uses a thread of its own, to block none of those that Swift's
/// tasks share. If an executor was given, the work runs in the calling task, so that the executor decides the order.
struct SpoolWorker: Sendable {
    private let queue: DispatchQueue?

    init(queue: DispatchQueue?) {
        self.queue = queue
    }

    init(_ label: String, isInline: Bool) {
        self.init(queue: isInline ? nil : DispatchQueue(label: "webtracking.spool.\(label)", qos: .userInitiated))
    }

    /// Whether work is done where it is asked for.
    var isInline: Bool { self.queue == nil }

    /// Has something done behind what was asked for before, without waiting for it.
    func start(_ body: @escaping @Sendable () -> Void) {
        guard let queue = self.queue else { return body() }
        queue.async(execute: body)
    }

    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        guard let queue = self.queue else { return body() }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}

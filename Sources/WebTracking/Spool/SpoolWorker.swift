//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Dispatch

/// Where work on files is done that may wait for the disk: on a thread of its own, so that it holds up none of those that
/// Swift's tasks share. Where somebody else decides which task runs when, in the task itself.
struct SpoolWorker: Sendable {
    private let queue: DispatchQueue?

    init(queue: DispatchQueue?) {
        self.queue = queue
    }

    init(_ label: String, isInline: Bool) {
        self.init(queue: isInline ? nil : DispatchQueue(label: "webtracking.spool.\(label)", qos: .utility))
    }

    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        guard let queue = self.queue else { return body() }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}

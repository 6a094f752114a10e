// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Threads for calls that block: those of Swift's concurrency are few.
enum OwnThread {
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = "webtracking.\(name)"
        thread.start()
    }
}

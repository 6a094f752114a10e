// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts the requests that the service has handled.
final class RequestCounter: Sendable {
    private let handled = Atomic(0)

    var count: Int { self.handled.load(ordering: .relaxed) }

    func increment() {
        self.handled.add(1, ordering: .relaxed)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a local endpoint has done since it started.
public struct ServerStatistics: Sendable, Equatable {
    /// Requests of any kind, answered or not.
    public var requests = 0
    /// Answers by HTTP status; a reset connection is none.
    public var answers: [Int: Int] = [:]
    /// Requests that met a fault of the plan.
    public var faults = 0
    /// Logs committed to the store.
    public var logs = 0
    /// Bytes of accepted bodies before compression.
    public var rawBytes = 0
    /// Bytes of accepted bodies as sent.
    public var wireBytes = 0
}

/// The statistics, shared by all requests.
final class ServerCounters: Sendable {
    private let statistics = Mutex(ServerStatistics())
    private let validRequests = Atomic(0)

    var snapshot: ServerStatistics { self.statistics.withLock { $0 } }

    func count(_ change: @Sendable (inout ServerStatistics) -> Void) {
        self.statistics.withLock { change(&$0) }
    }

    /// The number of valid requests before this one.
    func nextIndex() -> Int {
        self.validRequests.add(1, ordering: .relaxed).oldValue
    }
}

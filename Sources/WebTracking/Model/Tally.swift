// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What became of the records of a topic. At every moment: accepted = delivered + dropped + pending.
package struct Tally: Sendable {
    /// Records that were offered, whatever became of them.
    package var accepted = LevelCounts()
    /// Records that the service said it has.
    package var delivered = LevelCounts()
    /// Records given up.
    package var dropped = DropCounts()
    /// Records held: in an open batch, sealed, or in flight.
    package var pending = LevelCounts()
    /// Of the accepted ones, those that this library wrote itself, to tell of drops.
    package var synthetic = 0
    /// Of the accepted ones, those that an earlier process had left in the spool.
    package var recovered = 0
    package var repaired = RepairCounts()
    package var requests = RequestCounts()
    package var retries = 0
    /// How long all requests took together, and the longest of them.
    package var requestTime = Duration.zero
    package var longestRequest = Duration.zero
    /// Bytes of delivered request bodies before compression.
    package var rawBytes = 0
    /// Bytes of delivered request bodies as they were sent.
    package var wireBytes = 0

    package init() {}

    /// Counts the records of a batch as accepted and pending.
    mutating func take(_ levels: BatchLevels) {
        self.accepted += levels.all
        self.pending += levels.all
        self.synthetic += levels.all.total - levels.own.total
    }

    package static func += (left: inout Tally, right: Tally) {
        left.accepted += right.accepted
        left.delivered += right.delivered
        left.dropped += right.dropped
        left.pending += right.pending
        left.synthetic += right.synthetic
        left.recovered += right.recovered
        left.repaired += right.repaired
        left.requests += right.requests
        left.retries += right.retries
        left.requestTime += right.requestTime
        left.longestRequest = max(left.longestRequest, right.longestRequest)
        left.rawBytes += right.rawBytes
        left.wireBytes += right.wireBytes
    }
}

/// How a request ended; counted in ``WebTrackingStatistics/requests``.
public enum RequestOutcome: String, Sendable, CaseIterable {
    /// The service took the records.
    case delivered
    /// No answer, or an answer that does not come from the service.
    case failed
    /// The service is overloaded or broken (408, 429, 5xx).
    case unavailable
    /// A write quota was exceeded (403).
    case throttled
    /// The service said 401: web tracking is off for the logstore, or a policy of the project denies it.
    case unauthorized
    /// The service said 404: no such project or logstore.
    case notFound = "not_found"
    /// The service found the body too large.
    case tooLarge = "too_large"
    /// The service refused the request for good.
    case rejected

    fileprivate var index: Int {
        switch self {
        case .delivered: 0
        case .failed: 1
        case .unavailable: 2
        case .throttled: 3
        case .unauthorized: 4
        case .notFound: 5
        case .tooLarge: 6
        case .rejected: 7
        }
    }
}

/// One count for each ``RequestOutcome``.
package struct RequestCounts: Sendable, Equatable {
    private var counts = Counts8()

    package init() {}

    package subscript(outcome: RequestOutcome) -> Int {
        get { self.counts[outcome.index] }
        set { self.counts[outcome.index] = newValue }
    }

    package static func += (left: inout RequestCounts, right: RequestCounts) {
        left.counts += right.counts
    }

    /// The counts that are not zero.
    package var byOutcome: [RequestOutcome: Int] {
        var result: [RequestOutcome: Int] = [:]
        for outcome in RequestOutcome.allCases where self[outcome] != 0 { result[outcome] = self[outcome] }
        return result
    }
}

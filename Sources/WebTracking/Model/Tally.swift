// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The counts of a topic's records. At every moment: accepted = delivered + dropped + pending.
package struct Tally: Sendable {
    /// Records that were logged, and recovered ones.
    package var accepted = LevelCounts()
    /// Records that the service has confirmed.
    package var delivered = LevelCounts()
    /// Records that were dropped.
    package var dropped = DropCounts()
    /// Records held: in an open batch, sealed, or in flight.
    package var pending = LevelCounts()
    /// The part of the accepted records that this library wrote itself, for example to report drops.
    package var synthetic = 0
    /// The part of the accepted records that an earlier process had left in the spool.
    package var recovered = 0
    package var repaired = RepairCounts()
    package var requests = RequestCounts()
    package var retries = 0
    /// The sum of all requests' durations, and the longest of them.
    package var requestTime = Duration.zero
    package var longestRequest = Duration.zero
    /// Bytes of delivered request bodies before compression.
    package var rawBytes = 0
    /// Bytes of delivered request bodies as they were sent.
    package var wireBytes = 0

    package init() {}

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

/// The part of a ``Tally`` that a ``DeliveryReport`` is made of: of 100,000 topics it is added up much faster.
struct Outcome: Sendable {
    var delivered = 0
    var dropped = DropCounts()
    var pending = 0

    init(_ tally: Tally = Tally()) {
        self.delivered = tally.delivered.total
        self.dropped = tally.dropped
        self.pending = tally.pending.total
    }
}

/// What all topics have and had.
struct QueueOverview: Sendable {
    var tally: Tally
    /// How many records are in memory although they belong into files.
    var unspooled = 0
    /// When the oldest record came that is still held.
    var oldest: MonotonicInstant?
}

/// The result of a request. Counted in ``WebTrackingStatistics/requests``.
public enum RequestOutcome: String, Sendable, CaseIterable {
    /// The service accepted the records.
    case delivered
    /// There was no answer, or an answer that does not come from the service.
    case failed
    /// The service is overloaded or broken (408, 429, 5xx).
    case unavailable
    /// A write quota was exceeded (403).
    case throttled
    /// The service answered 401: web tracking is off for the logstore, or a policy of the project denies it.
    case unauthorized
    /// The service answered 404: the project or the logstore does not exist.
    case notFound = "not_found"
    /// The service answered that the body is too large.
    case tooLarge = "too_large"
    /// The service rejected the request permanently.
    case rejected
}

/// Counts of requests by outcome.
package typealias RequestCounts = CaseCounts<RequestOutcome, Int>

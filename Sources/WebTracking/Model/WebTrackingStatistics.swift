// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// The counts of a producer's records at one moment: accepted = delivered + all dropped + pending.
public struct WebTrackingStatistics: Sendable, Equatable {
    /// Records offered to the producer, and those recovered from earlier processes. Dropped records are included.
    public var accepted: Int
    /// Records that the service has confirmed.
    public var delivered: Int
    /// Dropped records, by reason. Reasons without any are left out.
    public var dropped: [DropReason: Int]
    /// Dropped records, by level. Levels without any are left out.
    public var droppedByLevel: [LogLevel: Int]
    /// Records that wait or are in flight.
    public var pending: Int
    /// The part of the accepted records that the producer wrote itself, for example to report drops.
    public var synthetic: Int
    /// The part of the accepted records that earlier processes had left in the spool directory.
    public var recovered: Int
    /// Metadata values that were masked, dropped or replaced by a pseudonym.
    public var redacted = 0
    /// Repairs, by kind. Kinds without any are left out.
    public var repaired: [RepairKind: Int]
    /// Requests that have ended, by outcome. Outcomes without any are left out, and so is a request that a shutdown cut
    /// short.
    public var requests: [RequestOutcome: Int]
    /// Requests that sent records again.
    public var retries: Int
    /// The sum of all requests' durations. Divided by their number, it is the mean latency.
    public var requestTime: Duration
    /// The duration of the longest request.
    public var longestRequest: Duration
    /// Bytes of delivered bodies, before compression.
    public var rawBytes: Int
    /// Bytes of delivered bodies, as they were sent.
    public var wireBytes: Int
    /// Bytes in memory for records. At most the memory limit, plus the compressed copies in flight. These are there
    /// only briefly, except those of a call that a transport does not return from.
    public var pendingBytes = 0
    /// Bytes of the spool files that hold records or are ready for new ones.
    public var spoolBytes = 0
    /// Whether files for new records cannot be made, or ``unspooled`` is above 0. `false` without a spool, and after a
    /// shutdown.
    public var isSpoolUnavailable = false
    /// The part of the pending records that is in memory only although there is a spool, because no file was ready or
    /// could be made. They do not survive the process. They move to files as soon as possible.
    public var unspooled = 0
    /// Spool files that were set aside: damaged ones, of which all whole records are delivered, and in a rescue those
    /// with a refused record.
    public var damagedSpoolFiles = 0
    /// Earlier processes of which this producer has told, in a record each, that they ended without a stop
    /// (``WebTrackingConfiguration/Spool/reportsUnexpectedExits``).
    public var unexpectedExits = 0
    /// How long the oldest pending record has been waiting; zero if there is none. For a record of an earlier process,
    /// the time since its recovery.
    public var oldestAge = Duration.zero
    /// The number of topics that have a queue.
    public var topics = 0

    /// All dropped records.
    public var totalDropped: Int { self.dropped.values.reduce(0, +) }
}

extension WebTrackingStatistics {
    /// The counts that are summed up over topics. All else is zero.
    init(_ tally: Tally) {
        self.init(
            accepted: tally.accepted.total,
            delivered: tally.delivered.total,
            dropped: tally.dropped.totals,
            droppedByLevel: tally.dropped.sum.byLevel,
            pending: tally.pending.total,
            synthetic: tally.synthetic,
            recovered: tally.recovered,
            repaired: tally.repaired.totals,
            requests: tally.requests.totals,
            retries: tally.retries,
            requestTime: tally.requestTime,
            longestRequest: tally.longestRequest,
            rawBytes: tally.rawBytes,
            wireBytes: tally.wireBytes
        )
    }
}

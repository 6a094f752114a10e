// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// What became of a producer's records so far, at one moment: accepted = delivered + all dropped + pending.
public struct WebTrackingStatistics: Sendable, Equatable {
    /// Records offered to the producer, whatever became of them, and those that it took over from earlier processes.
    public var accepted: Int
    /// Records that the service said it has.
    public var delivered: Int
    /// Records given up, by reason; reasons without any are left out.
    public var dropped: [DropReason: Int]
    /// Records given up, by level; levels without any are left out.
    public var droppedByLevel: [LogLevel: Int]
    /// Records held: gathered, sealed or in flight.
    public var pending: Int
    /// Of the accepted records, those that the producer wrote itself to tell of drops.
    public var synthetic: Int
    /// Of the accepted records, those that earlier processes had left in the spool directory.
    public var recovered: Int
    /// Metadata values that were masked, left out or replaced by a pseudonym.
    public var redacted: Int
    /// Repairs, by kind; kinds without any are left out.
    public var repaired: [RepairKind: Int]
    /// Requests that have ended, by outcome; outcomes without any are left out. One that a shutdown cut short is not in.
    public var requests: [RequestOutcome: Int]
    /// Requests that sent records again.
    public var retries: Int
    /// How long all requests together took; divided by their number, the mean latency.
    public var requestTime: Duration
    /// How long the longest request took.
    public var longestRequest: Duration
    /// Bytes of delivered bodies before compression.
    public var rawBytes: Int
    /// Bytes of delivered bodies as they were sent.
    public var wireBytes: Int
    /// Bytes held in memory for records; at most the memory limit, and the compressed copies in flight: briefly, but for
    /// those of calls that a transport does not return from.
    public var pendingBytes: Int
    /// Bytes of the spool files that hold records or are kept for new ones.
    public var spoolBytes: Int
    /// Whether files for new records cannot be made, or ``unspooled`` is above 0. `false` without a spool, and after a
    /// shutdown.
    public var isSpoolUnavailable: Bool
    /// Of the pending records, those that are in memory only although there is a spool, since no file was ready or could be
    /// made; they do not outlive the process. They move to files as soon as there are any.
    public var unspooled: Int
    /// Spool files that were set aside: damaged ones, whose whole records before the damage are delivered, and in a rescue
    /// those with a record that was refused.
    public var damagedSpoolFiles: Int
    /// How long the oldest record that is held has been waiting; zero if none is. One that an earlier process left waits
    /// since it was taken over.
    public var oldestAge: Duration
    /// How many topics are buffered.
    public var topics: Int

    /// All records given up.
    public var totalDropped: Int { self.dropped.values.reduce(0, +) }
}

extension WebTrackingStatistics {
    /// Of a child of `fork`, which has nothing but what it has dropped.
    init(inChild tally: Tally) {
        self.init(
            accepted: tally.accepted.total,
            delivered: 0,
            dropped: tally.dropped.byReason,
            droppedByLevel: tally.dropped.levels.byLevel,
            pending: 0,
            synthetic: 0,
            recovered: 0,
            redacted: 0,
            repaired: [:],
            requests: [:],
            retries: 0,
            requestTime: .zero,
            longestRequest: .zero,
            rawBytes: 0,
            wireBytes: 0,
            pendingBytes: 0,
            spoolBytes: 0,
            isSpoolUnavailable: false,
            unspooled: 0,
            damagedSpoolFiles: 0,
            oldestAge: .zero,
            topics: 0
        )
    }
}

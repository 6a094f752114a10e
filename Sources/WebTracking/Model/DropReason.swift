// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Why records were dropped. Each reason is counted in ``WebTrackingStatistics/dropped``.
public enum DropReason: String, Sendable, CaseIterable {
    /// The memory limit was reached. Records of low severity are dropped first.
    case memoryFull = "memory_full"
    /// The records waited longer than ``WebTrackingConfiguration/Delivery/maximumAge``.
    case expired
    /// The service rejected the request permanently, for example as malformed.
    case rejected
    /// The service answered 401 for longer than ``WebTrackingConfiguration/Delivery/refusalPatience``: web tracking is
    /// off for the logstore, or a policy of the project denies it. With signed delivery, the credentials are wrong or
    /// expired, or no policy allows them to write.
    case unauthorized
    /// The service answered 404 for longer than ``WebTrackingConfiguration/Delivery/refusalPatience``: the project or
    /// the logstore does not exist.
    case notFound = "not_found"
    /// The service answered that a request with this single record is too large.
    case tooLarge = "too_large"
    /// The records were still waiting at the deadline of the shutdown.
    case shutdownDeadline = "shutdown_deadline"
    /// The records were logged after the shutdown.
    case afterShutdown = "after_shutdown"
    /// The limit of the spool's size was reached. The oldest records of the lowest severity are dropped first.
    case spoolFull = "spool_full"
    /// The file with the spooled records was removed, truncated or changed.
    case spoolDamaged = "spool_damaged"
    /// ``WebTrackingConfiguration/sampling`` left the records out. A record of the same statement says how many.
    case sampled
    /// The records were the same as the one before them. A later record says how many there were.
    case repeated
    /// The records were logged in a child of `fork`, through a producer of its parent.
    case afterFork = "after_fork"
}

/// Counts of dropped records by reason and level.
package typealias DropCounts = CaseCounts<DropReason, LevelCounts>

extension DropCounts {
    /// The rank of the least severe level that has drops.
    var lowestRank: Int {
        let sum = self.sum
        return (0..<7).first { sum[$0] > 0 } ?? 6
    }
}

/// An encoded record that this library writes itself.
struct SyntheticRecord: Sendable {
    var members: [UInt8]
    var rank: Int
}

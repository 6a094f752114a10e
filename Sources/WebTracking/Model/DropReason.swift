// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Why records were given up; each reason is counted in ``WebTrackingStatistics/dropped``.
public enum DropReason: String, Sendable, CaseIterable {
    /// The memory limit was reached; records of low severity are the first to go.
    case memoryFull = "memory_full"
    /// The records waited longer than ``WebTrackingConfiguration/Delivery/maximumAge``.
    case expired
    /// The service refused the request for good, for example as malformed.
    case rejected
    /// The service said 401 for longer than ``WebTrackingConfiguration/Delivery/refusalPatience``: web tracking is off for
    /// the logstore, or a policy of the project denies it; with signed delivery, the credentials are wrong or have expired, or
    /// no policy allows them to write.
    case unauthorized
    /// The service said 404 for longer than ``WebTrackingConfiguration/Delivery/refusalPatience``: no such project or
    /// logstore.
    case notFound = "not_found"
    /// The service found a request with this single record too large.
    case tooLarge = "too_large"
    /// The records were still waiting when the shutdown's deadline came.
    case shutdownDeadline = "shutdown_deadline"
    /// The records came after the shutdown.
    case afterShutdown = "after_shutdown"
    /// The bound on the spool's bytes was reached; the oldest records of the lowest severity are the first to go.
    case spoolFull = "spool_full"
    /// The file that the records were spooled to has been removed, cut or changed.
    case spoolDamaged = "spool_damaged"
    /// ``WebTrackingConfiguration/sampling`` left the records out, and a record of their statement says how many.
    case sampled
    /// The records were the same as the one before them, and a record behind that one says how many they were.
    case repeated
    /// The records were logged in a child of `fork` through a producer of its parent.
    case afterFork = "after_fork"

    var index: Int {
        switch self {
        case .memoryFull: 0
        case .expired: 1
        case .rejected: 2
        case .unauthorized: 3
        case .notFound: 4
        case .tooLarge: 5
        case .shutdownDeadline: 6
        case .afterShutdown: 7
        case .spoolFull: 8
        case .spoolDamaged: 9
        case .sampled: 10
        case .repeated: 11
        case .afterFork: 12
        }
    }
}

/// Counts of dropped records by reason and level.
package struct DropCounts: Sendable, Equatable {
    // Empty until something is dropped, which is the usual case.
    private var counts: [LevelCounts] = []

    package init() {}

    package var isEmpty: Bool { self.counts.isEmpty }

    package subscript(reason: DropReason) -> LevelCounts {
        get { self.counts.isEmpty ? LevelCounts() : self.counts[reason.index] }
        set {
            if self.counts.isEmpty { self.counts = Array(repeating: LevelCounts(), count: DropReason.allCases.count) }
            self.counts[reason.index] = newValue
        }
    }

    /// The rank of the least severe level with a drop.
    var lowestRank: Int {
        (0..<7).first { rank in self.counts.contains { $0[rank] > 0 } } ?? 6
    }

    package var total: Int { self.counts.reduce(0) { $0 + $1.total } }

    package static func += (left: inout DropCounts, right: DropCounts) {
        guard !right.isEmpty else { return }
        for reason in DropReason.allCases { left[reason] += right[reason] }
    }

    /// The sums over all reasons.
    package var levels: LevelCounts { self.counts.reduce(into: LevelCounts()) { $0 += $1 } }

    /// The counts that are not zero, over all levels.
    package var byReason: [DropReason: Int] {
        var result: [DropReason: Int] = [:]
        for reason in DropReason.allCases where self[reason].total != 0 { result[reason] = self[reason].total }
        return result
    }
}

/// A record that this library writes itself, encoded.
struct SyntheticRecord: Sendable {
    var members: [UInt8]
    var rank: Int
}

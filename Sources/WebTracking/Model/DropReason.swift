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
    private struct Entry: Equatable {
        var reason: DropReason
        var levels: LevelCounts
    }

    /// One for each reason that something was dropped for, in the order of their indices: most topics have none, and of
    /// 100,000 that are given up at once each has one.
    private var entries: [Entry] = []

    package init() {}

    package var isEmpty: Bool { self.entries.isEmpty }

    package subscript(reason: DropReason) -> LevelCounts {
        get { self.entries.first { $0.reason == reason }?.levels ?? LevelCounts() }
        set {
            let place = self.entries.firstIndex { $0.reason.index >= reason.index } ?? self.entries.count
            if place < self.entries.count, self.entries[place].reason == reason {
                self.entries[place].levels = newValue
            } else {
                self.entries.insert(Entry(reason: reason, levels: newValue), at: place)
            }
        }
    }

    /// The rank of the least severe level with a drop.
    var lowestRank: Int {
        (0..<7).first { rank in self.entries.contains { $0.levels[rank] > 0 } } ?? 6
    }

    package var total: Int { self.entries.reduce(0) { $0 + $1.levels.total } }

    package static func += (left: inout DropCounts, right: DropCounts) {
        for entry in right.entries { left[entry.reason] += entry.levels }
    }

    /// The sums over all reasons.
    package var levels: LevelCounts { self.entries.reduce(into: LevelCounts()) { $0 += $1.levels } }

    /// The counts that are not zero, over all levels.
    package var byReason: [DropReason: Int] {
        var result: [DropReason: Int] = [:]
        for entry in self.entries where entry.levels.total != 0 { result[entry.reason] = entry.levels.total }
        return result
    }
}

/// A record that this library writes itself, encoded.
struct SyntheticRecord: Sendable {
    var members: [UInt8]
    var rank: Int
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

extension LogLevel {
    /// The position of the level from 0 (`trace`) to 6 (`critical`).
    package var rank: Int {
        switch self {
        case .trace: 0
        case .debug: 1
        case .info: 2
        case .notice: 3
        case .warning: 4
        case .error: 5
        case .critical: 6
        }
    }

    /// All levels in the order of their rank.
    package static let ranked: [LogLevel] = [.trace, .debug, .info, .notice, .warning, .error, .critical]
}

/// One count for each level, stored in place.
package struct LevelCounts: Countable {
    private var counts = Counts8()

    package init() {}

    /// The count of the level with this rank.
    package subscript(rank: Int) -> Int {
        get { self.counts[rank] }
        set { self.counts[rank] = newValue }
    }

    /// Counts one more of the level with this rank.
    @inline(__always)
    mutating func countOne(_ rank: Int) { self.counts.add(1, at: rank) }

    package var total: Int { self.counts.total }

    /// The counts that are not zero, by level.
    package var byLevel: [LogLevel: Int] {
        var result: [LogLevel: Int] = [:]
        for level in LogLevel.ranked where self[level.rank] != 0 { result[level] = self[level.rank] }
        return result
    }

    package static func += (left: inout LevelCounts, right: LevelCounts) {
        left.counts += right.counts
    }

    package static func -= (left: inout LevelCounts, right: LevelCounts) {
        left.counts -= right.counts
    }
}

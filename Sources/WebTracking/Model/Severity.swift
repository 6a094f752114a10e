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

/// One count for each level, stored in place, so that counting on the logging path allocates nothing.
///
/// Not a SIMD vector: if a value with larger alignment lives across an `await`, the optimiser places it past the end of
/// the task's frame (found by the address sanitizer with Swift 6.3.1 on Linux).
package struct LevelCounts: Countable {
    private var counts = (0, 0, 0, 0, 0, 0, 0, 0)

    package init() {}

    /// The count of the level with this rank.
    package subscript(rank: Int) -> Int {
        get { withUnsafeBytes(of: self.counts) { $0.load(fromByteOffset: Self.offset(rank), as: Int.self) } }
        set {
            // A tuple of equal types has the memory layout of an array.
            withUnsafeMutableBytes(of: &self.counts) {
                $0.storeBytes(of: newValue, toByteOffset: Self.offset(rank), as: Int.self)
            }
        }
    }

    @inline(__always)
    private static func offset(_ rank: Int) -> Int { (rank & 7) &* MemoryLayout<Int>.stride }

    /// Counts one more of the level with this rank.
    @inline(__always)
    mutating func countOne(_ rank: Int) {
        // In place: the subscript would copy all of them to read one.
        withUnsafeMutableBytes(of: &self.counts) { bytes in
            let offset = Self.offset(rank)
            bytes.storeBytes(
                of: bytes.load(fromByteOffset: offset, as: Int.self) &+ 1,
                toByteOffset: offset,
                as: Int.self
            )
        }
    }

    package static func == (left: LevelCounts, right: LevelCounts) -> Bool {
        (0..<8).allSatisfy { left[$0] == right[$0] }
    }

    package var total: Int { (0..<8).reduce(0) { $0 &+ self[$1] } }

    /// The counts that are not zero, by level.
    package var byLevel: [LogLevel: Int] {
        var result: [LogLevel: Int] = [:]
        for level in LogLevel.ranked where self[level.rank] != 0 { result[level] = self[level.rank] }
        return result
    }

    package static func += (left: inout LevelCounts, right: LevelCounts) {
        for rank in 0..<8 { left[rank] &+= right[rank] }
    }

    package static func -= (left: inout LevelCounts, right: LevelCounts) {
        for rank in 0..<8 { left[rank] &-= right[rank] }
    }
}

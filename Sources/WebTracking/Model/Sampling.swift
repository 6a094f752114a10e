// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// Leaves out records if there are too many like them. Off by default.
///
/// What is left out is reported in the log. If records of a statement were left out, one record for each second says
/// how many. After a run of identical records, one record says how many there were. Both are counted as dropped, as
/// ``DropReason/sampled`` and ``DropReason/repeated``.
///
/// ```swift
/// configuration.sampling.rates = Sampling.Rate.below(.error, .init(first: 100, thenOneIn: 100))
/// configuration.sampling.suppressedRepeats = [.debug, .info, .notice, .warning]
/// ```
public struct Sampling: Sendable, Equatable {
    /// How many records of one statement (file and line) and level are kept.
    public struct Rate: Sendable, Equatable {
        /// The number of records to keep in each second of the clock (0 to 1,000,000).
        public var first: Int
        /// Of the other records, one in this many is kept (at least 1); `nil` keeps none of them.
        public var thenOneIn: Int?

        /// Creates a rate.
        public init(first: Int, thenOneIn: Int? = nil) {
            self.first = first
            self.thenOneIn = thenOneIn
        }

        /// One rate for all levels below `level`, as in ``Sampling/rates``.
        public static func below(_ level: LogLevel, _ rate: Rate) -> [LogLevel: Rate] {
            Dictionary(uniqueKeysWithValues: LogLevel.ranked.filter { $0 < level }.map { ($0, rate) })
        }
    }

    /// The rates, by level. Records of other levels are not sampled.
    public var rates: [LogLevel: Rate] = [:]
    /// The levels of which repeats are left out. Identical records that follow each other in a topic and a batch become
    /// one record, and one that counts the others. They may differ in their time. Costs a comparison of each record
    /// with the one before it.
    public var suppressedRepeats: Set<LogLevel> = []

    /// Samples nothing, at no cost.
    public init() {}

    /// Samples nothing.
    public static let off = Sampling()
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// Which records are left out because there are too many like them. Off by default.
///
/// What is left out is told: each second in which a statement's records were left out has a record that says how many, and
/// a run of identical records one that says how often it was repeated. Both are counted as dropped, with the reasons
/// ``DropReason/sampled`` and ``DropReason/repeated``.
///
/// ```swift
/// configuration.sampling.rates = Sampling.Rate.below(.error, .init(first: 100, thenOneIn: 100))
/// configuration.sampling.suppressedRepeats = [.debug, .info, .notice, .warning]
/// ```
public struct Sampling: Sendable, Equatable {
    /// How many records of one statement (file and line) and level are let through.
    public struct Rate: Sendable, Equatable {
        /// This many in each second of the clock (0 to 1,000,000) …
        public var first: Int
        /// … and of the others one in this many (at least 1); `nil` for none of them.
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

    /// The rates, by level; records of other levels are never sampled.
    public var rates: [LogLevel: Rate] = [:]
    /// The levels of which identical records, one after the other in a topic and in a batch, become one and a record
    /// that counts the others; identical but for their time. Costs a comparison of each record with the one before it.
    public var suppressedRepeats: Set<LogLevel> = []

    /// Samples nothing, and costs nothing.
    public init() {}

    /// Samples nothing.
    public static let off = Sampling()
}

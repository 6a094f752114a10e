// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Which requests go wrong, and how.
///
/// Only valid `POST` requests are asked about: a faulty client still hears what is wrong with its request. The same
/// requests in the same order meet the same faults.
public struct FaultPlan: Sendable {
    /// What a plan knows about a request.
    public struct Request: Sendable, Equatable {
        /// How many valid requests came before.
        public var index: Int
        public var logstore: String
        public var topic: String
        public var logCount: Int
    }

    private let decide: @Sendable (Request) -> Fault?

    /// Calls `decide` for every request, possibly from several threads at once.
    public init(_ decide: @escaping @Sendable (Request) -> Fault?) {
        self.decide = decide
    }

    /// Nothing goes wrong.
    public static let none = FaultPlan { _ in nil }

    /// The first request meets the first fault, and so on; nothing goes wrong where there is `nil`, or after the end.
    public static func sequence(_ faults: [Fault?]) -> FaultPlan {
        FaultPlan { $0.index < faults.count ? faults[$0.index] : nil }
    }

    /// A share of the requests meets one of `faults`, all with the same probability.
    ///
    /// - Parameters:
    ///   - share: From 0, none, to 1, all.
    ///   - faults: What can happen; nothing does if it is empty.
    ///   - seed: Another seed picks other requests.
    public static func random(share: Double, of faults: [Fault], seed: UInt64) -> FaultPlan {
        FaultPlan { request in
            // From the index, so that no state is shared between requests. The seed is mixed first, or neighbouring indices
            // would share most of their numbers.
            var start = SeededGenerator(seed: seed)
            var generator = SeededGenerator(seed: start.next() ^ (UInt64(request.index) &* 0xD134_2543_DE82_EF95))
            guard Double.random(in: 0..<1, using: &generator) < share else { return nil }
            return faults.randomElement(using: &generator)
        }
    }

    func fault(for request: Request) -> Fault? { self.decide(request) }
}

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
            var generator = SplitMix64(seed: seed, index: UInt64(request.index))
            guard Double.random(in: 0..<1, using: &generator) < share else { return nil }
            return faults.randomElement(using: &generator)
        }
    }

    func fault(for request: Request) -> Fault? { self.decide(request) }
}

/// A small generator that can start at any place of its sequence, so that no state is shared between requests.
private struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64, index: UInt64) {
        // Mixed once, or neighbouring indices would share most of their numbers.
        var start = SplitMix64(state: seed)
        self.state = start.next() ^ (index &* 0xD134_2543_DE82_EF95)
    }

    private init(state: UInt64) {
        self.state = state
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

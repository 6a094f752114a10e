// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// SplitMix64: all chance of a simulation comes from one seed.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        self.state = seed
    }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A generator of its own for one part, so that what one part draws does not move the others.
    package mutating func fork() -> SeededGenerator { SeededGenerator(seed: self.next()) }

    /// Uniform in 0..<1.
    package mutating func unit() -> Double { Double(self.next() >> 11) * 0x1p-53 }

    /// True with this probability.
    package mutating func chance(_ probability: Double) -> Bool { self.unit() < probability }

    /// One of the indices 0..<count.
    package mutating func index(_ count: Int) -> Int { Int(self.next() % UInt64(count)) }

    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[self.index(elements.count)] }

    package mutating func int(_ range: ClosedRange<Int>) -> Int { range.lowerBound + self.index(range.count) }

    /// Between the bounds, uniform in the logarithm: small values come as often as large ones.
    package mutating func logarithmic(_ range: ClosedRange<Int>) -> Int {
        let exponent = self.unit()
        let ratio = Double(range.upperBound) / Double(max(range.lowerBound, 1))
        return min(
            max(Int(Double(max(range.lowerBound, 1)) * ratio.raised(to: exponent)), range.lowerBound),
            range.upperBound
        )
    }

    /// Exponentially distributed.
    package mutating func exponential(mean: Duration) -> Duration {
        let nanoseconds = Double(mean.saturatedNanoseconds) * -(1 - self.unit()).naturalLogarithm
        return .nanoseconds(Int64(min(nanoseconds, 1e18)))
    }

    package mutating func duration(_ range: ClosedRange<Duration>) -> Duration {
        let lower = range.lowerBound.saturatedNanoseconds
        let span = range.upperBound.saturatedNanoseconds - lower
        return .nanoseconds(lower + Int64(Double(span) * self.unit()))
    }
}

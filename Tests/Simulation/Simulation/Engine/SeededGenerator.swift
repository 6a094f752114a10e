// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
package import WebTrackingTestKit

/// All chance of a simulation comes from one seed.
extension SeededGenerator {
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

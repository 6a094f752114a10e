// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Histogram

/// Durations in nanoseconds, kept to three digits up to a minute in memory that is there from the start.
struct LatencyRecorder: Sendable {
    private var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000)
    private var total: UInt64 = 0

    @inline(__always)
    mutating func record(_ duration: UInt64) {
        self.histogram.record(duration)
        self.total &+= duration
    }

    mutating func add(_ other: Self) {
        self.histogram.add(other.histogram)
        self.total += other.total
    }

    /// Mean, percentiles and maximum, under names that begin with `prefix`.
    func summary(prefix: String) -> [(name: String, value: Double)] {
        guard self.histogram.totalCount > 0 else { return [] }
        return [
            ("\(prefix)mean", Double(self.total) / Double(self.histogram.totalCount)),
            ("\(prefix)p50", Double(self.histogram.valueAtPercentile(50))),
            ("\(prefix)p99", Double(self.histogram.valueAtPercentile(99))),
            ("\(prefix)p999", Double(self.histogram.valueAtPercentile(99.9))),
            ("\(prefix)max", Double(self.histogram.max)),
        ]
    }
}

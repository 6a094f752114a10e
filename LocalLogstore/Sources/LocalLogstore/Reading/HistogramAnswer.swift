// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How many logs there are in each part of the time, as GetHistograms answers it.
enum HistogramAnswer {
    /// About so many parts are asked for; none is shorter than a second.
    static func parts(of seconds: Range<Int64>) -> Int { Int(min(60, seconds.upperBound - seconds.lowerBound)) }

    /// All of the time asked for, also where there is nothing.
    static func array(_ overview: LogOverview, of seconds: Range<Int64>) -> JSONValue {
        let second: Int64 = 1_000_000
        let parts = overview.buckets.enumerated().map { index, counts -> JSONValue in
            // The first and the last go beyond it.
            let start = overview.start + Int64(index) * overview.step
            return .object([
                ("from", .int(max(seconds.lowerBound, start / second))),
                ("to", .int(min(seconds.upperBound, (start + overview.step) / second))),
                ("count", .int(counts.reduce(0, +))), ("progress", .string("Complete")),
            ])
        }
        return .array(parts)
    }
}

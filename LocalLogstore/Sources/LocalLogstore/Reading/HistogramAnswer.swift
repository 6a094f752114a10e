// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How many logs there are in each part of the time, as GetHistograms answers it.
enum HistogramAnswer {
    /// About so many parts are asked for; none is shorter than a second.
    static func parts(of seconds: Range<Int64>) -> Int { Int(min(60, seconds.upperBound - seconds.lowerBound)) }

    /// All of the time asked for, also where there is nothing.
    static func array(_ overview: LogOverview, of seconds: Range<Int64>) -> JSONValue {
        let second: Int64 = 1_000_000
        var parts: [(seconds: Range<Int64>, count: Int)] = []
        for (index, counts) in overview.buckets.enumerated() {
            // The first and the last go beyond it.
            let start = overview.start + Int64(index) * overview.step
            let from = max(seconds.lowerBound, start / second)
            let count = counts.reduce(0, +)
            // Within less than a second there may be several.
            if let last = parts.indices.last, parts[last].seconds.contains(from) {
                parts[last].count += count
            } else {
                let to = min(seconds.upperBound, (start + overview.step + second - 1) / second)
                parts.append((from..<to, count))
            }
        }
        return .array(
            parts.map { part in
                .object([
                    ("from", .int(part.seconds.lowerBound)), ("to", .int(part.seconds.upperBound)),
                    ("count", .int(part.count)), ("progress", .string("Complete")),
                ])
            }
        )
    }
}

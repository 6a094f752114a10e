// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// How many logs match, over time and by what they are about.
public struct LogOverview: Sendable, Equatable {
    /// A value and how many logs have it.
    public struct Count: Sendable, Equatable {
        public var value: String
        public var count: Int
        /// Whether the value is only the beginning of longer ones.
        public var isCut = false
    }

    /// Where the first bucket begins, in microseconds since 1970.
    public var start: Int64 = 0
    /// How long a bucket is.
    public var step: Int64 = 1
    /// For each bucket how many logs there are of each severity, in the order of ``Severity``.
    public var buckets: [[Int]] = []
    public var total = 0
    /// Most frequent first; of logs without a level or label there is no count.
    public var levels: [Count] = []
    public var labels: [Count] = []
    public var topics: [Count] = []
    /// Whether all logs are counted. Otherwise the time was up, and the newest are.
    public var isComplete = true
}

extension LogScan {
    /// Counts what matches, in about `buckets` steps of time.
    func overview(buckets wanted: Int) throws -> LogOverview {
        var overview = LogOverview()
        // The newest first, for the case that time does not suffice for all.
        let blocks = try self.blocks().reversed()
        var tail = TailTimes()
        if let last = blocks.first {
            try self.forEachMatch(in: last) {
                tail.add($0.time)
                return true
            }
        }
        let sealed = blocks.dropFirst()
        let from = self.selection.from ?? min(sealed.map(\.minimumTime).min() ?? .max, tail.minimum)
        let until = self.selection.until ?? max(sealed.map(\.maximumTime).max() ?? .min, tail.maximum).addingClamped(1)
        guard from < until else { return overview }
        let step = Self.step(for: until.subtractingClamped(from), buckets: wanted)
        overview.step = step
        overview.start = from.floored(to: step)
        let count = Int((until - 1 - overview.start) / step) + 1
        overview.buckets = [[Int]](repeating: [Int](repeating: 0, count: Severity.allCases.count), count: count)
        var streams = [Int](repeating: 0, count: self.streamLimit)
        for block in blocks {
            if self.isOverdue {
                overview.isComplete = false
                break
            }
            try self.count(block, into: &overview, from..<until, &streams)
        }
        overview.total = streams.reduce(0, +)
        overview.levels = self.counts(streams, \.level)
        overview.labels = self.counts(streams, \.label)
        overview.topics = self.counts(streams, \.topic)
        return overview
    }

    private struct TailTimes {
        var minimum = Int64.max
        var maximum = Int64.min

        mutating func add(_ time: Int64) {
            self.minimum = min(self.minimum, time)
            self.maximum = max(self.maximum, time)
        }
    }

    private func count(
        _ block: Block,
        into overview: inout LogOverview,
        _ range: Range<Int64>,
        _ streams: inout [Int]
    ) throws {
        // What is known of the block as a whole is enough if it lies in one bucket and nothing depends on single logs.
        if let counts = block.counts, range.contains(block.minimumTime), range.contains(block.maximumTime),
            (block.minimumTime - overview.start) / overview.step == (block.maximumTime - overview.start)
                / overview.step,
            !block.mayMatch || counts.allSatisfy({ self.verdict($0.stream) == true })
        {
            let bucket = Int((block.minimumTime - overview.start) / overview.step)
            for (stream, count) in counts where self.verdict(stream) == true {
                overview.buckets[bucket][self.severity(stream).rawValue] += Int(count)
                streams[Int(stream)] += Int(count)
            }
            return
        }
        try self.forEachHit(in: block, within: range.lowerBound...range.upperBound - 1) { hit in
            let severity = self.severity(hit.stream)
            overview.buckets[Int((hit.time - overview.start) / overview.step)][severity.rawValue] += 1
            streams[Int(hit.stream)] += 1
        }
    }

    private func counts(_ streams: [Int], _ value: (LogStream) -> String?) -> [LogOverview.Count] {
        var counts: [String: Int] = [:]
        for (id, count) in streams.enumerated() where count > 0 {
            guard let stream = self.streams[Int64(id)], let value = value(stream) else { continue }
            counts[value, default: 0] += count
        }
        return counts.map { LogOverview.Count(value: $0.key, count: $0.value) }.ranked(100)
    }

    /// A length of time that people count in, so that there are at most `buckets` of it, and one for two ends.
    static func step(for length: Int64, buckets: Int) -> Int64 {
        let wanted = max(1, length / Int64(max(1, buckets)))
        let second: Int64 = 1_000_000
        var steps: [Int64] = []
        var power: Int64 = 1
        while power < second {
            steps += [power, power * 2, power * 5]
            power *= 10
        }
        steps += [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]
            .map { $0 * second }
        if let step = steps.first(where: { $0 >= wanted }) { return step }
        let day = 86_400 * second
        return (wanted / day + 1) * day
    }
}

extension [LogOverview.Count] {
    /// The most frequent, and equally frequent ones by value.
    func ranked(_ limit: Int) -> Self {
        Array(self.sorted { ($1.count, $0.value) < ($0.count, $1.value) }.prefix(limit))
    }
}

extension Int64 {
    fileprivate func floored(to step: Int64) -> Int64 {
        let rest = self % step
        return self - (rest < 0 ? rest + step : rest)
    }

    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = self.subtractingReportingOverflow(other)
        return overflow ? .max : difference
    }
}

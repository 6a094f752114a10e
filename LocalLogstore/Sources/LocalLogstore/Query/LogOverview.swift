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
    /// How many different ones there are, which may be more than are listed.
    public var different = Different()

    public struct Different: Sendable, Equatable {
        public var levels = 0
        public var labels = 0
        public var topics = 0
    }
}

extension LogReader {
    /// Counts what matches, in about `buckets` steps of time.
    func overview(buckets wanted: Int) throws -> LogOverview {
        var overview = LogOverview()
        guard let range = try self.range() else { return overview }
        let step = Self.step(for: range.upperBound.subtractingClamped(range.lowerBound), buckets: wanted)
        overview.step = step
        overview.start = range.lowerBound.floored(to: step)
        let length = Severity.allCases.count
        var buckets = [Int](repeating: 0, count: (Int((range.upperBound - 1 - overview.start) / step) + 1) * length)
        var kinds = try CountedKinds(in: self.database)
        func add(_ time: Int64, _ kind: Int64, _ count: Int) throws {
            let severity = try kinds.add(kind, count)
            buckets[Int((time - overview.start) / step) * length + severity] += count
        }
        func addLogs(_ range: Range<Int64>) throws {
            try self.forEachInAnyOrder("at, kind", within: range) { try add($0.int(0), $0.int(1), 1) }
        }
        let minute = Int64.microsecondsOfMinute
        // Whole minutes are counted already.
        let first = range.lowerBound.addingClamped(minute - 1).minute
        let end = range.upperBound.minute
        if self.plan.isOfKinds, step % minute == 0, first < end {
            try self.forEachCount(first..<end) { try add($0 * minute, $1, $2) }
            try addLogs(range.lowerBound..<first * minute)
            try addLogs(end * minute..<range.upperBound)
        } else {
            try addLogs(range)
        }
        overview.buckets = stride(from: 0, to: buckets.count, by: length).map { Array(buckets[$0..<$0 + length]) }
        overview.total = buckets.reduce(0, +)
        kinds.rank(into: &overview)
        return overview
    }

    /// The time asked for, and else from the first log of these kinds to the last; `nil` if there are none.
    private func range() throws -> Range<Int64>? {
        func end(_ order: String) throws -> Int64? {
            let kind = self.plan.kind ?? Condition(sql: "1")
            let row = try RawStatement(
                Condition(
                    sql: "SELECT at FROM logs INDEXED BY logs_by_time WHERE \(kind.sql) ORDER BY at \(order) LIMIT 1",
                    arguments: kind.arguments
                ),
                in: self.database
            )
            defer { row.reset() }
            return try row.step() ? row.int(0) : nil
        }
        guard let from = try self.selection.from ?? end("ASC"),
            let until = try self.selection.until ?? end("DESC")?.addingClamped(1), from < until
        else { return nil }
        return from..<until
    }

    /// What is counted of these kinds in whole minutes: the minute, the kind, and how many.
    private func forEachCount(_ minutes: Range<Int64>, _ body: (Int64, Int64, Int) throws -> Void) throws {
        let kind = self.plan.kind ?? Condition(sql: "1")
        let rows = try RawStatement(
            Condition(
                sql: "SELECT minute, kind, logs FROM counts WHERE minute >= ? AND minute < ? AND \(kind.sql)",
                arguments: [.int(minutes.lowerBound), .int(minutes.upperBound)] + kind.arguments
            ),
            in: self.database
        )
        defer { rows.reset() }
        while try rows.step() { try body(rows.int(0), rows.int(1), Int(rows.int(2))) }
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

/// How many logs there are of each kind, while they are counted.
private struct CountedKinds {
    private var places: [Int64: Int] = [:]
    private var counts: [(count: Int, severity: Int, level: String?, label: String?, topic: String)] = []
    private let find: RawStatement

    init(in database: Database) throws {
        self.find = try RawStatement("SELECT severity, level, label, topic FROM kinds WHERE id = ?", in: database)
    }

    /// Returns the severity of the kind.
    mutating func add(_ kind: Int64, _ count: Int) throws -> Int {
        let place = try self.places[kind] ?? self.begin(kind)
        self.counts[place].count += count
        return self.counts[place].severity
    }

    private mutating func begin(_ kind: Int64) throws -> Int {
        self.find.bind(1, kind)
        defer { self.find.reset() }
        _ = try self.find.step()
        self.counts.append(
            (0, Int(self.find.int(0)), self.find.optionalString(1), self.find.optionalString(2), self.find.string(3))
        )
        self.places[kind] = self.counts.count - 1
        return self.counts.count - 1
    }

    private static let maximumValues = 1_000

    func rank(into overview: inout LogOverview) {
        var levels = ValueCounts()
        var labels = ValueCounts()
        var topics = ValueCounts()
        for kind in self.counts {
            if let level = kind.level { levels.add(level, kind.count) }
            if let label = kind.label { labels.add(label, kind.count) }
            topics.add(kind.topic, kind.count)
        }
        overview.levels = levels.ranked(Self.maximumValues)
        overview.labels = labels.ranked(Self.maximumValues)
        overview.topics = topics.ranked(Self.maximumValues)
        overview.different = LogOverview.Different(levels: levels.count, labels: labels.count, topics: topics.count)
    }
}

/// How often there is each value. Of long values the beginning counts.
struct ValueCounts {
    private static let maximumBytes = 200

    private var counts: [String: Int] = [:]
    private var cut: Set<String> = []

    var count: Int { self.counts.count }

    func contains(_ value: String) -> Bool { self.counts[Self.shortened(value)] != nil }

    mutating func add(_ value: String, _ count: Int = 1) {
        let short = Self.shortened(value)
        if short.utf8.count != value.utf8.count { self.cut.insert(short) }
        self.counts[short, default: 0] += count
    }

    private static func shortened(_ value: String) -> String {
        value.utf8.count > self.maximumBytes ? String(value.prefix(self.maximumBytes / 4)) + "…" : value
    }

    /// The most frequent, and equally frequent ones by value.
    func ranked(_ limit: Int) -> [LogOverview.Count] {
        self.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(limit)
            .map { LogOverview.Count(value: $0.key, count: $0.value, isCut: self.cut.contains($0.key)) }
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = self.subtractingReportingOverflow(other)
        return overflow ? .max : difference
    }
}

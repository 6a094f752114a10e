// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The fields that logs have, and the values these have most often.
public struct LogFacets: Sendable, Equatable {
    public struct Facet: Sendable, Equatable {
        public var name: String
        /// How many of the logs have the field.
        public var count: Int
        /// The most frequent first.
        public var values: [LogOverview.Count]
        /// Whether there are more values than were counted.
        public var hasMore: Bool
    }

    /// How many logs were looked at, the newest.
    public var logs = 0
    /// The most frequent first.
    public var fields: [Facet] = []
    /// How many more fields there are, each in fewer logs than those of ``fields``.
    public var left = 0
    /// Whether these are all that match.
    public var isComplete = true
}

extension LogReader {
    private static let maximumFields = 200
    private static let maximumValues = 2_000

    /// Looks at up to `limit` of the newest matching logs.
    ///
    /// - Parameter only: This field alone; `nil` for all.
    func facets(limit: Int, only: FieldName?, values: Int) throws -> LogFacets {
        var facets = LogFacets()
        var counts: [String: (logs: Int, values: ValueCounts, isOverflowing: Bool)] = [:]
        let newest = try self.newest(limit + 1)
        facets.isComplete = newest.count <= limit
        let row = try RawStatement("SELECT \(Self.columns) FROM logs WHERE id = ?", in: self.database)
        func forEachField(_ body: (String, String) -> Void) throws {
            for log in newest.prefix(limit) {
                row.bind(1, log.id)
                defer { row.reset() }
                if try row.step() { try self.forEachField(of: row, only: only, body) }
            }
        }
        // Which fields these are is known only behind the last log: one with hundreds must not hide those of all others.
        if only == nil {
            var names = FieldNames()
            try forEachField { name, _ in names.add(name) }
            for name in names.ranked(Self.maximumFields) { counts[name] = (0, ValueCounts(), false) }
            facets.left = names.count - counts.count
        }
        func count(_ name: String, _ value: String) {
            if counts[name] == nil {
                guard only != nil else { return }
                counts[name] = (0, ValueCounts(), false)
            }
            counts[name]?.logs += 1
            if counts[name]!.values.count < Self.maximumValues || counts[name]!.values.contains(value) {
                counts[name]?.values.add(value)
            } else {
                counts[name]?.isOverflowing = true
            }
        }
        facets.logs = min(newest.count, limit)
        try forEachField(count)
        facets.fields = counts.map { name, counted in
            LogFacets.Facet(
                name: name,
                count: counted.logs,
                values: counted.values.ranked(values),
                hasMore: counted.isOverflowing || counted.values.count > values
            )
        }
        .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
        return facets
    }

    private func forEachField(of row: RawStatement, only: FieldName?, _ body: (String, String) -> Void) throws {
        switch only {
        case nil, .topic, .source, .tag:
            guard let request = try self.request(row.int(1))?.request else { break }
            if only == nil || only == .topic { body("__topic__", request.topic) }
            if only == nil || only == .source { body("__source__", request.source) }
            for tag in request.tags where only == nil || only == .tag(tag.name) {
                body("__tag__:" + tag.name, tag.value)
            }
        case .log(let name):
            if let member = FlatObject.member(MemberName(name), of: row.bytes(4)) { body(name, member.value) }
        }
        guard only == nil else { return }
        var object = FlatObject(row.bytes(4))
        while let member = object.next() {
            if member.isNamed("time") || member.isNamed("seq") { continue }
            body(member.name, member.value)
        }
    }
}

/// How many logs have each field, with bounded memory.
struct FieldNames {
    /// Far more than are shown, and than one log may have.
    private static let maximum = 20_000

    private var counts: [String: Int] = [:]

    var count: Int { self.counts.count }

    mutating func add(_ name: String) {
        self.counts[name, default: 0] += 1
        guard self.counts.count > Self.maximum else { return }
        // Those of the fewest logs make room.
        let kept = self.ranked(Self.maximum / 2)
        self.counts = Dictionary(uniqueKeysWithValues: kept.map { ($0, self.counts[$0] ?? 0) })
    }

    /// The most frequent, and equally frequent ones by name.
    func ranked(_ limit: Int) -> [String] {
        self.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(limit).map(\.key)
    }
}

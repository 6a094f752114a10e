// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Answers questions about the logs of a selection, within one access to the database.
final class LogReader {
    /// In the order of arrival, or the other way round.
    enum Order: String {
        case arrival = "ASC"
        case newestFirst = "DESC"
    }

    /// What stored(_:) reads.
    static let columns = "id, request_id, at, kind, fields"

    let selection: LogSelection
    let plan: SearchPlan
    let database: Database
    private let logsPerTable: Int64
    private var isOfMany: Bool?
    private var knownKinds: [Condition]?
    private var requests: [Int64: (request: StoredRequest, firstLog: Int64)] = [:]
    private var severities: [Int64: Severity] = [:]

    init(_ selection: LogSelection, in database: Database, options: StoreOptions) {
        self.selection = selection
        self.plan = SearchPlan(selection)
        self.database = database
        self.logsPerTable = options.logsPerTable
    }

    /// With kinds beyond this number, SQLite looks them up, which takes longer.
    private static let maximumKindOfBits: Int64 = 1 << 20

    /// That a log is of a kind that matches.
    private func kinds() throws -> [Condition] {
        if let known = self.knownKinds { return known }
        var conditions: [Condition] = []
        if let kinds = self.plan.kinds {
            let last = try Int64.fetchOne(self.database, sql: "SELECT max(id) FROM kinds") ?? 0
            conditions = self.plan.kind.map { [$0] } ?? []
            if last <= Self.maximumKindOfBits {
                var bits = [UInt8](repeating: 0, count: Int(last) / 8 + 1)
                try self.run("SELECT id FROM kinds", [kinds], "") { row in
                    bits[Int(row.int(0)) / 8] |= 1 << UInt8(row.int(0) % 8)
                    return true
                }
                conditions = [Condition(sql: "has_bit(?, kind)", arguments: [.blob(bits)])]
            }
        }
        self.knownKinds = conditions
        return conditions
    }

    // MARK: - By arrival

    /// Calls `body` with the matching logs, by arrival, until it returns `false`.
    ///
    /// - Parameters:
    ///   - columns: What to read of each.
    ///   - conditions: What they have to fulfil besides.
    func forEach(
        _ columns: String,
        ids: ClosedRange<Int64> = 1...Int64.max,
        order: Order = .arrival,
        within times: Range<Int64>? = nil,
        where conditions: [Condition] = [],
        _ body: (RawStatement) throws -> Bool
    ) throws {
        let all =
            try [Self.condition(times ?? self.times)] + self.kinds() + self.plan.conditions(usingWords: true)
            + conditions
        guard self.plan.words != nil else {
            let range = Condition(
                sql: "id BETWEEN ? AND ?",
                arguments: [.int(ids.lowerBound), .int(ids.upperBound)]
            )
            try self.run(
                "SELECT \(columns) FROM logs NOT INDEXED",
                [range] + all,
                "ORDER BY id \(order.rawValue)",
                body
            )
            return
        }
        try self.forEachTable(in: ids, order) { table, matches in
            let source = "SELECT \(columns) FROM \(table) CROSS JOIN logs ON logs.id = \(table).rowid"
            return try self.run(source, [matches] + all, "ORDER BY \(table).rowid \(order.rawValue)", body)
        }
    }

    /// Calls `body` with each table of words, and the condition that the search is to it, until it returns `false`.
    private func forEachTable(
        in ids: ClosedRange<Int64>,
        _ order: Order,
        _ body: (String, Condition) throws -> Bool
    ) throws {
        let ends = try RawStatement("SELECT (SELECT min(id) FROM logs), (SELECT max(id) FROM logs)", in: self.database)
        defer { ends.reset() }
        guard let words = self.plan.words, try ends.step() else { return }
        let first = max(ids.lowerBound, ends.int(0))
        let last = min(ids.upperBound, ends.int(1))
        guard first <= last, last > 0 else { return }
        let tables = (first - 1) / self.logsPerTable...(last - 1) / self.logsPerTable
        for table in order == .arrival ? Array(tables) : tables.reversed() {
            let name = "words_\(table)"
            let matches = Condition(
                sql: "\(name) MATCH ? AND \(name).rowid BETWEEN ? AND ?",
                arguments: [.text(words), .int(first), .int(last)]
            )
            guard try body(name, matches) else { return }
        }
    }

    /// More than this are many: some of the newest logs are then likely among them.
    private static let few = 20_000

    /// Whether very many logs have the words.
    private func hasMany() throws -> Bool {
        if let known = self.isOfMany { return known }
        var count = 0
        try self.forEachTable(in: 1...Int64.max, .newestFirst) { table, matches in
            try self.run("SELECT rowid FROM \(table)", [matches], "") { _ in
                count += 1
                return count <= Self.few
            }
        }
        self.isOfMany = count > Self.few
        return count > Self.few
    }

    /// Not so many logs are looked at to find out the numbers of those within the time.
    private static let maximumOfNarrowing: Int64 = 300_000

    /// The numbers of the logs of a time, if many others have the words and that is quick to find out.
    private func ids(of times: Range<Int64>) throws -> ClosedRange<Int64> {
        guard self.plan.words != nil, times != .min ..< .max, try self.hasMany() else { return 1...Int64.max }
        let sample = Self.condition(times)
        let ends = Condition(
            sql: """
                SELECT count(*), min(id), max(id) FROM (SELECT id FROM logs INDEXED BY logs_by_time
                WHERE \(sample.sql) LIMIT \(Self.maximumOfNarrowing))
                """,
            arguments: sample.arguments
        )
        let row = try RawStatement(ends, in: self.database)
        defer { row.reset() }
        guard try row.step(), row.int(0) < Self.maximumOfNarrowing else { return 1...Int64.max }
        // No log has the number 0.
        guard row.int(0) > 0 else { return 0...0 }
        return row.int(1)...row.int(2)
    }

    /// Runs a statement until `body` returns `false`, which this then does, too.
    @discardableResult
    private func run(
        _ source: String,
        _ conditions: [Condition],
        _ end: String,
        _ body: (RawStatement) throws -> Bool
    ) throws -> Bool {
        let condition = Condition.all(conditions)
        let rows = try RawStatement(
            Condition(sql: "\(source) WHERE \(condition.sql) \(end)", arguments: condition.arguments),
            in: self.database
        )
        defer { rows.reset() }
        while try rows.step() {
            if try !body(rows) { return false }
        }
        return true
    }

    /// The matching logs as rows for SQL, with the columns of ``columns``.
    func rows() throws -> Condition {
        let others =
            try [Self.condition(self.times)] + self.kinds() + self.plan.conditions(usingWords: self.plan.words != nil)
        func select(_ source: String, _ conditions: [Condition]) -> Condition {
            let condition = Condition.all(conditions)
            return Condition(
                sql: "SELECT \(Self.columns) FROM \(source) WHERE \(condition.sql)",
                arguments: condition.arguments
            )
        }
        guard self.plan.words != nil else { return select("logs", others) }
        var parts: [Condition] = []
        try self.forEachTable(in: self.ids(of: self.times), .arrival) { table, matches in
            parts.append(select("\(table) CROSS JOIN logs ON logs.id = \(table).rowid", [matches] + others))
            return true
        }
        guard !parts.isEmpty else { return select("logs", [Condition(sql: "0")]) }
        func union(_ parts: some Sequence<Condition>) -> Condition {
            Condition(sql: parts.map(\.sql).joined(separator: " UNION ALL "), arguments: parts.flatMap(\.arguments))
        }
        // SQLite takes at most 500 at once.
        let atOnce = 400
        guard parts.count > atOnce else { return union(parts) }
        return union(
            stride(from: 0, to: parts.count, by: atOnce).map { start in
                let some = union(parts[start..<min(start + atOnce, parts.count)])
                return Condition(sql: "SELECT * FROM (\(some.sql))", arguments: some.arguments)
            }
        )
    }

    // MARK: - By time

    /// The time asked for.
    private var times: Range<Int64> {
        let from = self.selection.from ?? .min
        return from..<max(from, self.selection.until ?? .max)
    }

    /// There may be one bound on each side only: SQLite would take any of several to find its way.
    private static func condition(_ times: Range<Int64>) -> Condition {
        var parts: [Condition] = []
        if times.lowerBound > .min { parts.append(Condition(sql: "at >= ?", arguments: [.int(times.lowerBound)])) }
        if times.upperBound < .max { parts.append(Condition(sql: "at < ?", arguments: [.int(times.upperBound)])) }
        return .all(parts)
    }

    /// Calls `body` with the matching logs, the oldest first, until it returns `false`; without the index of words.
    ///
    /// Logs mostly arrive in the order of their times: then the next one stands behind the last, and is found at once.
    private func forEachByTime(
        _ columns: String,
        within times: Range<Int64>,
        where conditions: [Condition],
        _ body: (RawStatement) throws -> Bool
    ) throws {
        try self.run(
            "SELECT \(columns) FROM logs INDEXED BY logs_by_time",
            [Self.condition(times)] + self.kinds() + conditions + self.plan.conditions(usingWords: false),
            "ORDER BY at, id",
            body
        )
    }

    /// Calls `body` with all matching logs in any order.
    ///
    /// - Parameter times: A part of the time asked for; `nil` for all of it.
    func forEachInAnyOrder(
        _ columns: String,
        within times: Range<Int64>? = nil,
        where conditions: [Condition] = [],
        _ body: (RawStatement) throws -> Void
    ) throws {
        let times = times ?? self.times
        guard self.plan.words != nil else {
            return try self.forEachByTime(columns, within: times, where: conditions) { row in
                try body(row)
                return true
            }
        }
        try self.forEach(columns, ids: self.ids(of: times), within: times, where: conditions) { row in
            try body(row)
            return true
        }
    }

    /// The newest matching logs, at most `limit`, behind `cursor`.
    func newest(_ limit: Int, after cursor: LogPage.Cursor? = nil) throws -> [LogPage.Cursor] {
        var times = self.times
        var behind: [Condition] = []
        if let cursor {
            let end = cursor.time == .max ? .max : cursor.time + 1
            times = times.lowerBound..<max(times.lowerBound, min(times.upperBound, end))
            behind = [Condition(sql: "NOT (at = ? AND id >= ?)", arguments: [.int(cursor.time), .int(cursor.id)])]
        }
        if try self.plan.words == nil || self.hasMany() {
            if let found = try self.newestByTime(limit, within: times, behind) { return found }
        }
        var found: [LogPage.Cursor] = []
        func keepNewest() {
            found.sort { $1.isBehind($0) }
            found.removeLast(max(0, found.count - limit))
        }
        let ids = try self.ids(of: times)
        try self.forEach("at, id", ids: ids, order: .newestFirst, within: times, where: behind) { row in
            found.append(LogPage.Cursor(time: row.int(0), id: row.int(1)))
            if found.count > 2 * limit + 10_000 { keepNewest() }
            return true
        }
        keepNewest()
        return found
    }

    /// The oldest matching logs, at most `limit`.
    func oldest(_ limit: Int) throws -> [LogPage.Cursor] {
        var found: [LogPage.Cursor] = []
        guard limit > 0 else { return found }
        if try self.plan.words == nil || self.hasMany() {
            try self.forEachByTime("at, id", within: self.times, where: []) { row in
                found.append(LogPage.Cursor(time: row.int(0), id: row.int(1)))
                return found.count < limit
            }
            return found
        }
        try self.forEachInAnyOrder("at, id") { found.append(LogPage.Cursor(time: $0.int(0), id: $0.int(1))) }
        found.sort { $0.isBehind($1) }
        return Array(found.prefix(limit))
    }

    /// About how many logs are looked at first, how many times more each time, and how often if there are words.
    private static let firstSlice = 2_000
    private static let growth: Int64 = 5
    private static let slicesForWords = 3

    /// The same without the index of words, slice by slice into the past; `nil` if that takes too long.
    private func newestByTime(
        _ limit: Int,
        within times: Range<Int64>,
        _ conditions: [Condition]
    ) throws -> [LogPage.Cursor]? {
        guard let oldest = try self.time(within: times, "ASC LIMIT 1"),
            let newest = try self.time(within: times, "DESC LIMIT 1")
        else { return [] }
        var found: [LogPage.Cursor] = []
        var end = times.upperBound
        var start = try self.time(within: times, "DESC LIMIT 1 OFFSET \(Self.firstSlice)") ?? oldest
        var length = max(1, newest - start)
        var slices = 1
        while true {
            var slice: [LogPage.Cursor] = []
            try self.forEachByTime("at, id", within: start..<end, where: conditions) { row in
                slice.append(LogPage.Cursor(time: row.int(0), id: row.int(1)))
                return true
            }
            found += slice.reversed()
            if found.count >= limit { return Array(found.prefix(limit)) }
            if start <= oldest { return found }
            if self.plan.words != nil, slices == Self.slicesForWords { return nil }
            slices += 1
            end = start
            length = length > Int64.max / Self.growth ? length : length * Self.growth
            start = start - oldest > length ? start - length : oldest
        }
    }

    /// The time of one log, whether it matches or not.
    private func time(within times: Range<Int64>, _ order: String) throws -> Int64? {
        var time: Int64?
        let source = "SELECT at FROM logs INDEXED BY logs_by_time"
        try self.run(source, [Self.condition(times)], "ORDER BY at \(order)") { row in
            time = row.int(0)
            return false
        }
        return time
    }

    // MARK: - Logs

    /// A log by its number, whether it matches or not; `nil` if there is none.
    func load(_ id: Int64) throws -> StoredLog? {
        let row = try RawStatement("SELECT \(Self.columns) FROM logs WHERE id = ?", in: self.database)
        row.bind(1, id)
        defer { row.reset() }
        return try row.step() ? self.stored(row) : nil
    }

    /// The log of a row of ``columns``, with all there is to know about it.
    func stored(_ row: RawStatement) throws -> StoredLog? {
        guard let (request, firstLog) = try self.request(row.int(1)) else { return nil }
        return StoredLog(
            id: row.int(0),
            requestID: row.int(1),
            position: Int(row.int(0) - firstLog),
            time: row.int(2),
            severity: try self.severity(row.int(3)),
            request: request,
            log: LogFields(validated: row.string(4))
        )
    }

    /// The request a log came with.
    func request(_ id: Int64) throws -> (request: StoredRequest, firstLog: Int64)? {
        if let known = self.requests[id] { return known }
        let rows = try RawStatement("SELECT \(StoredRequest.columns) FROM requests WHERE id = ?", in: self.database)
        rows.bind(1, id)
        defer { rows.reset() }
        guard try rows.step() else { return nil }
        // Logs come request by request: a few are enough.
        if self.requests.count >= 64 { self.requests.removeAll(keepingCapacity: true) }
        let request = (StoredRequest(columns: rows), rows.int(10))
        self.requests[id] = request
        return request
    }

    private func severity(_ kind: Int64) throws -> Severity {
        if let known = self.severities[kind] { return known }
        let row = try RawStatement("SELECT severity FROM kinds WHERE id = ?", in: self.database)
        row.bind(1, kind)
        defer { row.reset() }
        let severity = try row.step() ? Severity(rawValue: Int(row.int(0))) ?? .none : .none
        self.severities[kind] = severity
        return severity
    }
}

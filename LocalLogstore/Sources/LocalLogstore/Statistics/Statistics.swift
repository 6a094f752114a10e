// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite

/// What a statement gave.
public struct Statistics: Sendable, Equatable {
    /// What a column holds.
    public enum Kind: String, Sendable {
        case text
        case number
        /// Seconds since 1970.
        case time
    }

    public enum Value: Sendable, Equatable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
    }

    public struct Column: Sendable, Equatable {
        public var name: String
        public var kind: Kind
    }

    public var columns: [Column]
    public var rows: [[Value]] = []
    /// Whether there are more rows than the limit.
    public var hasMore = false
}

/// Why there are no statistics.
public enum StatisticsError: Error, Sendable, Equatable, CustomStringConvertible {
    case tooSlow(Duration)
    /// In bytes.
    case tooLarge(Int)
    /// In the words of SQLite.
    case notComputed(String)

    public var description: String {
        switch self {
        case .tooSlow(let limit):
            "The statistics took longer than \(limit.components.seconds) s; search for fewer logs, or a shorter time."
        case .tooLarge(let limit):
            "The result is larger than \(limit / 1_000_000) MB; ask for fewer columns or rows."
        case .notComputed(let reason): "This cannot be computed: \(reason)."
        }
    }
}

extension LogStore {
    /// How long statistics may take. In memory there is one connection: senders wait meanwhile.
    public var statisticsLimit: Duration { .seconds(self.path == nil ? 5 : 20) }

    /// Computes a statement from the logs of a selection, on a connection that cannot write.
    ///
    /// Throws a ``StatisticsError`` if it takes longer than `limit`, if the result is too large, or if there is none, as
    /// of a sum of whole numbers that is too large.
    ///
    /// - Parameters:
    ///   - selection: The logs.
    ///   - statement: What to compute.
    ///   - limit: How long it may take; `nil` for ``statisticsLimit``.
    public func statistics(
        of selection: LogSelection,
        _ statement: SelectStatement,
        limit: Duration? = nil
    ) async throws -> Statistics {
        let limit = limit ?? self.statisticsLimit
        return try await self.database.read { [options] database in
            do {
                return try database.within(limit) {
                    try LogReader(selection, in: database, options: options).statistics(statement)
                }
            } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
                throw StatisticsError.tooSlow(limit)
            } catch let error as DatabaseError
                where [.SQLITE_ERROR, .SQLITE_TOOBIG].contains(error.resultCode)
            {
                throw StatisticsError.notComputed(error.message ?? "\(error)")
            }
        }
    }
}

extension LogReader {
    /// The most bytes of a result: it is in memory, here and in the browser.
    private static let maximumBytes = 32_000_000

    fileprivate func statistics(_ statement: SelectStatement) throws -> Statistics {
        var statistics = Statistics(
            columns: statement.columns.map { column in
                let kind: Statistics.Kind =
                    column.expression.isTime ? .time : column.expression.isText ? .text : .number
                return Statistics.Column(name: column.name, kind: kind)
            }
        )
        let rows = try RawStatement(statement.condition(on: self.rows()), in: self.database)
        defer { rows.reset() }
        var bytes = 0
        while try rows.step() {
            guard statistics.rows.count < statement.limit else {
                statistics.hasMore = true
                break
            }
            let row = statement.columns.indices.map { Statistics.Value(rows.value(Int32($0))) }
            bytes += row.reduce(0) { $0 + $1.bytes }
            guard bytes <= Self.maximumBytes else { throw StatisticsError.tooLarge(Self.maximumBytes) }
            statistics.rows.append(row)
        }
        return statistics
    }
}

extension Database {
    /// Runs `body`, whose statements end with an error after so long.
    fileprivate func within<Result>(_ limit: Duration, _ body: () throws -> Result) rethrows -> Result {
        var end = ContinuousClock.now + limit
        let connection = self.sqliteConnection
        return try withUnsafeMutablePointer(to: &end) { end in
            // Between so many steps of SQLite's machine, of which a row takes some dozens.
            sqlite3_progress_handler(
                connection,
                10_000,
                { end in
                    let end = end!.assumingMemoryBound(to: ContinuousClock.Instant.self).pointee
                    return ContinuousClock.now > end ? 1 : 0
                },
                end
            )
            defer { sqlite3_progress_handler(connection, 0, nil, nil) }
            return try body()
        }
    }
}

/// `percentile(number, share)`: the smallest number that so many of all do not exceed.
struct PercentileFunction: DatabaseAggregate {
    static var function: DatabaseFunction {
        DatabaseFunction("percentile", argumentCount: 2, pure: true, aggregate: Self.self)
    }

    private var numbers: [Double] = []
    private var share = 0.0

    init() {}

    mutating func step(_ values: [DatabaseValue]) throws {
        self.share = Double.fromDatabaseValue(values[1]) ?? 0
        if let number = Double.fromDatabaseValue(values[0]) { self.numbers.append(number) }
    }

    func finalize() throws -> (any DatabaseValueConvertible)? {
        guard !self.numbers.isEmpty else { return nil }
        let rank = (self.share * Double(self.numbers.count)).rounded(.up)
        return self.numbers.sorted()[max(0, min(self.numbers.count, Int(rank)) - 1)]
    }
}

// MARK: - As JSON

extension Statistics {
    package var json: JSONValue {
        .object([
            (
                "columns",
                .array(
                    self.columns.map { .object([("name", .string($0.name)), ("kind", .string($0.kind.rawValue))]) }
                )
            ),
            ("rows", .array(self.rows.map { .array($0.map(\.json)) })), ("more", .bool(self.hasMore)),
        ])
    }

    /// From what ``json`` has made; `nil` if it is something else.
    package init?(json: JSONValue) {
        guard case .array(let columns)? = json["columns"], case .array(let rows)? = json["rows"],
            case .bool(let hasMore)? = json["more"]
        else { return nil }
        self.hasMore = hasMore
        self.columns = columns.compactMap { column in
            guard case .string(let name)? = column["name"], case .string(let kind)? = column["kind"] else { return nil }
            return Kind(rawValue: kind).map { Column(name: name, kind: $0) }
        }
        self.rows = rows.compactMap { row in
            guard case .array(let values) = row else { return nil }
            return values.map(Value.init(json:))
        }
        guard self.columns.count == columns.count, self.rows.count == rows.count,
            self.rows.allSatisfy({ $0.count == columns.count })
        else { return nil }
    }
}

extension Statistics.Value {
    /// What JSON has no number for is null.
    package var json: JSONValue {
        switch self {
        case .null: .null
        case .integer(let number): .int(number)
        case .real(let number): Self.text(of: number).map { .number($0) } ?? .null
        case .text(let text): .string(text)
        }
    }

    /// About how many it takes.
    fileprivate var bytes: Int { if case .text(let text) = self { text.utf8.count } else { 8 } }

    init(_ value: SQLArgument?) {
        switch value {
        case .int(let number): self = .integer(number)
        case .real(let number): self = .real(number)
        case .text(let text): self = .text(text)
        case .blob, nil: self = .null
        }
    }

    init(json: JSONValue) {
        switch json {
        case .string(let text): self = .text(text)
        case .number(let text): self = Int64(text).map { .integer($0) } ?? Double(text).map { .real($0) } ?? .null
        case .bool, .null, .array, .object: self = .null
        }
    }

    /// A whole number without a point; `nil` for what is no number.
    private static func text(of number: Double) -> String? {
        guard number.isFinite else { return nil }
        return Int64(exactly: number).map { String($0) } ?? String(number)
    }
}

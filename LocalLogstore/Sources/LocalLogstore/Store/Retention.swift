// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation
import GRDB

/// How long logs are kept.
public struct Retention: Sendable, Equatable {
    /// Logs and deliveries received longer ago are deleted, some minutes late; `nil` for no limit.
    public var maximumAge: Duration?
    /// The oldest logs are deleted while the store is larger, in bytes; `nil` for no limit.
    public var maximumBytes: Int?

    public init(maximumAge: Duration? = nil, maximumBytes: Int? = nil) {
        self.maximumAge = maximumAge
        self.maximumBytes = maximumBytes
    }
}

extension LogStore {
    /// About what a delivery takes, with its place in the index.
    private static let bytesOfDelivery = 400

    /// How many logs are deleted in one transaction: others have to write in between.
    static let logsAtOnce: Int64 = 4_096

    /// These newest logs are always kept, whatever room they take.
    private static let keptLogs: Int64 = 256

    /// Deletes what need not be kept, the oldest logs by arrival, and returns how many logs that were.
    @discardableResult
    public func prune(_ retention: Retention, now: Date = Date()) async throws -> Int {
        guard retention.maximumAge != nil || retention.maximumBytes != nil else { return 0 }
        let oldest = retention.maximumAge.map { now.microseconds - Int64($0 / .microseconds(1)) } ?? .min
        try await self.transactions.run { database in
            try database.execute(sql: "DELETE FROM deliveries WHERE received_at < ?", arguments: [oldest])
            // A tenth of the room is for them.
            if let kept = retention.maximumBytes.map({ $0 / 10 / Self.bytesOfDelivery }) {
                try database.execute(
                    sql: "DELETE FROM deliveries WHERE id <= (SELECT max(id) FROM deliveries) - ?",
                    arguments: [kept]
                )
            }
        }
        var deleted = 0
        while true {
            let count = try await self.transactions.run { [options] database in
                let used = try Self.usedBytes(in: database)
                let isTooLarge = retention.maximumBytes.map { used > $0 } ?? false
                return try Self.deleteLogs(receivedBefore: isTooLarge ? .max : oldest, options, in: database)
            }
            if count == 0 { break }
            deleted += count
        }
        if deleted > 0 {
            let writer = self.writer
            try await self.transactions.run { database in
                try SequenceTable.forgetDeleted(in: database)
                try Self.forgetEmptyKinds(in: database)
                writer.forget()
            }
        }
        return deleted
    }

    /// The bytes of the file that are in use. Pages of deleted logs are used again, the file does not shrink.
    static func usedBytes(in database: Database) throws -> Int {
        let size = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
        let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        return (pages - free) * size
    }

    /// Counts logs no more that are about to be deleted.
    static func subtractFromCounts(_ logs: Condition, in database: Database) throws {
        let minute = Int64.microsecondsOfMinute
        try RawStatement(
            Condition(
                sql: """
                    INSERT INTO counts (minute, kind, logs)
                    SELECT (at - (at % \(minute) + \(minute)) % \(minute)) / \(minute), kind, -count(*)
                    FROM logs WHERE \(logs.sql) GROUP BY 1, 2
                    ON CONFLICT (minute, kind) DO UPDATE SET logs = logs + excluded.logs
                    """,
                arguments: logs.arguments
            ),
            in: database
        )
        .run()
    }

    /// Forgets the kinds that no log is of. The writer has to forget what it knows, too.
    static func forgetEmptyKinds(in database: Database) throws {
        try database.execute(sql: "DELETE FROM counts WHERE logs <= 0")
        try database.execute(sql: "DELETE FROM kinds WHERE id NOT IN (SELECT kind FROM counts)")
    }

    /// Deletes some of the oldest logs, and returns how many.
    private static func deleteLogs(
        receivedBefore: Int64,
        _ options: StoreOptions,
        in database: Database
    ) throws -> Int {
        let ends = try Row.fetchOne(database, sql: "SELECT (SELECT min(id) FROM logs), (SELECT max(id) FROM logs)")
        guard let first = ends?[0] as Int64?, let last = ends?[1] as Int64? else { return 0 }
        let kept = try Int64.fetchOne(
            database,
            sql: "SELECT first_log FROM requests WHERE received_at >= ? ORDER BY id LIMIT 1",
            arguments: [receivedBefore]
        )
        let end = min(kept ?? .max, first + self.logsAtOnce, last + 1 - self.keptLogs)
        guard end > first else { return 0 }
        try self.subtractFromCounts(Condition(sql: "id < ?", arguments: [.int(end)]), in: database)
        try database.execute(sql: "DELETE FROM logs WHERE id < ?", arguments: [end])
        let deleted = database.changesCount
        try database.execute(
            sql: "DELETE FROM requests WHERE id < (SELECT request_id FROM logs ORDER BY id LIMIT 1)"
        )
        for table in stride(from: (first - 1) / options.logsPerTable, to: (end - 1) / options.logsPerTable, by: 1) {
            try database.execute(sql: "DROP TABLE IF EXISTS words_\(table)")
        }
        return deleted
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// What was removed from a store.
public struct Cleared: Sendable, Equatable {
    public var logs: Int
    public var deliveries: Int

    public init(logs: Int = 0, deliveries: Int = 0) {
        self.logs = logs
        self.deliveries = deliveries
    }
}

extension LogStore {
    /// The file is made smaller where at least half of it is unused and no more than this is left to copy: senders wait
    /// meanwhile. Otherwise freed room is used again.
    private static let maximumCopied = 64_000_000

    /// Removes the logs and deliveries of a project and logstore, or all, that were there when it was called; what is
    /// stored meanwhile stays.
    ///
    /// - Parameters:
    ///   - project: This project alone; `nil` for all.
    ///   - logstore: Logstores of this name alone; `nil` for all.
    @discardableResult
    public func clear(project: String? = nil, logstore: String? = nil) async throws -> Cleared {
        // What was answered is noted, and belongs to what is removed.
        await self.writer.settle()
        let place = Condition.place(project: project, logstore: logstore)
        let last = try await self.transactions.run { try LastRows(in: $0) }
        var cleared = Cleared()
        var position: Int64 = 0
        while let piece = try await self.transactions.run({ [position] in
            try Self.clearLogs(behind: position, upTo: last.log, place, in: $0)
        }) {
            cleared.logs += piece.deleted
            position = piece.end
        }
        cleared.deliveries = try await self.transactions.run { [writer, options] database in
            // All of their logs are gone.
            try Condition.delete("requests", [.rows(upTo: last.request), place], in: database)
            try Self.forgetEmptyKinds(in: database)
            try StoreSchema.clearWords(options, in: database)
            writer.forget()
            return try Condition.delete("deliveries", [.rows(upTo: last.delivery), place], in: database)
        }
        await self.shrink()
        return cleared
    }

    /// Deletes some of the logs behind one, and returns how many and where to go on; `nil` if there are none.
    private static func clearLogs(
        behind position: Int64,
        upTo last: Int64,
        _ place: Condition,
        in database: Database
    ) throws -> (deleted: Int, end: Int64)? {
        let end = try Int64.fetchOne(
            database,
            sql: "SELECT max(id) FROM (SELECT id FROM logs WHERE id > ? AND id <= ? ORDER BY id LIMIT ?)",
            arguments: [position, last, Self.logsAtOnce]
        )
        guard let end else { return nil }
        let kinds = Condition(sql: "kind IN (SELECT id FROM kinds WHERE \(place.sql))", arguments: place.arguments)
        let logs = Condition.all([
            Condition(sql: "id > ? AND id <= ?", arguments: [.int(position), .int(end)]), kinds,
        ])
        try self.subtractFromCounts(logs, in: database)
        return (try Condition.delete("logs", [logs], in: database), end)
    }

    private func shrink() async {
        guard self.path != nil else { return }
        // Where that fails, as on a full disk, the room is used again all the same.
        try? await self.database.writeWithoutTransaction { database in
            let size = try Int.fetchOne(
                database,
                sql: "SELECT page_size * page_count FROM pragma_page_size, pragma_page_count"
            )
            let used = try Self.usedBytes(in: database)
            guard let size, used <= min(size / 2, Self.maximumCopied) else { return }
            try database.execute(sql: "VACUUM")
            // Does not wait for readers: a later one shortens the file then.
            try database.checkpoint(.passive)
        }
    }

    /// Which rows there are.
    private struct LastRows: Sendable {
        var log: Int64
        var request: Int64
        var delivery: Int64

        init(in database: Database) throws {
            func last(_ table: String) throws -> Int64 {
                try Int64.fetchOne(database, sql: "SELECT max(id) FROM \(table)") ?? 0
            }
            self.log = try last("logs")
            self.request = try last("requests")
            self.delivery = try last("deliveries")
        }
    }
}

extension Condition {
    /// On what has columns for a project and a logstore.
    fileprivate static func place(project: String?, logstore: String?) -> Self {
        .all(
            [("project", project), ("logstore", logstore)].compactMap { column, name in
                name.map { Self(sql: "\(column) = ?", arguments: [.text($0)]) }
            }
        )
    }

    fileprivate static func rows(upTo last: Int64) -> Self { Self(sql: "id <= ?", arguments: [.int(last)]) }

    /// Deletes rows, and returns how many.
    @discardableResult
    fileprivate static func delete(_ table: String, _ conditions: [Self], in database: Database) throws -> Int {
        let all = Self.all(conditions)
        try RawStatement(Self(sql: "DELETE FROM \(table) WHERE \(all.sql)", arguments: all.arguments), in: database)
            .run()
        return database.changesCount
    }
}

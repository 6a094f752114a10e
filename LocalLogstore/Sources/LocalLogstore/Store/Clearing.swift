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
    /// What there was is told by the numbers of logs: no other log gets one of them, while those of requests and
    /// deliveries are given again.
    ///
    /// - Parameters:
    ///   - project: This project alone; `nil` for all.
    ///   - logstore: Logstores of this name alone; `nil` for all.
    @discardableResult
    public func clear(project: String? = nil, logstore: String? = nil) async throws -> Cleared {
        // What was answered is noted, and belongs to what is removed.
        await self.writer.settle()
        let place = Condition.place(project: project, logstore: logstore)
        let (last, deliveries) = try await self.transactions.run { database in
            (
                // Also where a clear that was broken off has left what goes with them.
                try StoreSchema.lastLog(in: database),
                try Self.delete("deliveries", [place], in: database)
            )
        }
        var cleared = Cleared(deliveries: deliveries)
        var position: Int64 = 0
        while let piece = try await self.transactions.run({ [position] in
            try Self.clearLogs(behind: position, upTo: last, place, in: $0)
        }) {
            cleared.logs += piece.deleted
            position = piece.end
        }
        // Table by table: others have to write in between.
        var table: Int64 = -1
        while let next = try await self.transactions.run({ [table, options] in
            try StoreSchema.clearWords(behind: table, options, in: $0)
        }) { table = next }
        try await self.transactions.run { [writer] database in
            // All of their logs are gone.
            let requests = Condition(sql: "first_log <= ?", arguments: [.int(last)])
            try Self.delete("requests", [requests, place], in: database)
            // Until now they refused what was there.
            let sequences = Condition(sql: "last_log <= ?", arguments: [.int(last)])
            try Self.delete("sequences", [sequences, place], in: database)
            try Self.forgetEmptyKinds(in: database)
            writer.forget()
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
        return (try Self.delete("logs", [logs], in: database), end)
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

    /// Deletes rows, and returns how many.
    @discardableResult
    private static func delete(_ table: String, _ conditions: [Condition], in database: Database) throws -> Int {
        let all = Condition.all(conditions)
        let statement = Condition(sql: "DELETE FROM \(table) WHERE \(all.sql)", arguments: all.arguments)
        try RawStatement(statement, in: database).run()
        return database.changesCount
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
}

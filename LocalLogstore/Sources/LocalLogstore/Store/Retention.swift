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

    /// How many blocks are deleted in one transaction: others have to write in between.
    private static let blocksAtOnce: Int64 = 16

    /// Deletes what need not be kept, whole blocks of the oldest logs, and returns how many logs that were.
    ///
    /// The newest logs, those that fill no block yet, are always kept.
    @discardableResult
    public func prune(_ retention: Retention, now: Date = Date()) async throws -> Int {
        guard retention.maximumAge != nil || retention.maximumBytes != nil else { return 0 }
        let oldest = retention.maximumAge.map { now.microseconds - Int64($0 / .microseconds(1)) } ?? .min
        try await self.database.write { database in
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
            let count = try await self.database.write { [blocksPerTable = self.options.blocksPerTable] database in
                let used = try Self.usedBytes(in: database)
                let isTooLarge = retention.maximumBytes.map { used > $0 } ?? false
                return try Self.deleteBlocks(
                    receivedBefore: oldest,
                    anyway: isTooLarge,
                    blocksPerTable: blocksPerTable,
                    in: database
                )
            }
            if count == 0 { break }
            deleted += count
        }
        if deleted > 0 {
            let writer = self.writer
            try await self.database.write { database in
                try StreamTable.deleteEmpty(in: database)
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

    private static func deleteBlocks(
        receivedBefore: Int64,
        anyway: Bool,
        blocksPerTable: Int64,
        in database: Database
    ) throws -> Int {
        let first = try Int64.fetchOne(database, sql: "SELECT min(id) FROM blocks")
        let newest = try Int64.fetchOne(database, sql: "SELECT max(id) FROM blocks")
        guard let first, let newest else { return 0 }
        var end = first
        while end < min(newest, first + Self.blocksAtOnce) {
            let received = try Int64.fetchOne(
                database,
                sql: "SELECT received_at FROM requests JOIN logs ON requests.id = logs.request_id WHERE logs.id = ?",
                arguments: [SearchIndex.ids(of: end).upperBound]
            )
            guard anyway || received ?? .min < receivedBefore else { break }
            end += 1
        }
        guard end > first else { return 0 }
        let firstLeft = SearchIndex.ids(of: end).lowerBound
        try database.execute(sql: "DELETE FROM logs WHERE id < ?", arguments: [firstLeft])
        let deleted = database.changesCount
        try database.execute(sql: "DELETE FROM blocks WHERE id < ?", arguments: [end])
        try database.execute(sql: "DELETE FROM columns WHERE id < ?", arguments: [end])
        try database.execute(
            sql: "DELETE FROM requests WHERE id < (SELECT request_id FROM logs WHERE id >= ? ORDER BY id LIMIT 1)",
            arguments: [firstLeft]
        )
        // The words of single blocks cannot be deleted, but those of many can be dropped.
        for table in stride(from: first / blocksPerTable, to: end / blocksPerTable, by: 1) {
            try database.execute(sql: "DROP TABLE IF EXISTS words_\(table)")
        }
        return deleted
    }
}

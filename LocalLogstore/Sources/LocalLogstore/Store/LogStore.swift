//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

public import Foundation
import GRDB

/// The logs a local endpoint has accepted, in an SQLite file.
///
/// The file is in WAL mode: other processes can read while the endpoint writes, and what was committed survives a
/// crash of the process. Methods throw the database's errors.
public final class LogStore: Sendable {
    private let database: any DatabaseWriter
    private let writer: GroupCommit

    /// Opens the file at `path`, which is created if there is none.
    public init(path: String) throws {
        let pool = try DatabasePool(path: path, configuration: Self.configuration())
        try StoreSchema.migrator.migrate(pool)
        self.database = pool
        self.writer = GroupCommit(pool)
    }

    /// Opens an existing file for reading only.
    public init(readingFrom path: String) throws {
        var configuration = Self.configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        self.database = queue
        self.writer = GroupCommit(queue)
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.prepareDatabase { $0.add(function: LogQuery.hasField) }
        // Another process may hold the lock for the length of a checkpoint.
        configuration.busyMode = .timeout(5)
        return configuration
    }

    /// Stores one request; returns once it is committed.
    func append(_ request: StoredRequest, logs: [LogFields]) async throws {
        try await self.writer.append(RequestRow(request: request, logs: logs))
    }

    /// Stores one group of logs; returns once it is committed.
    ///
    /// - Parameters:
    ///   - group: What to store.
    ///   - project: The project and
    ///   - logstore: the logstore it belongs to.
    ///   - receivedAt: When it came.
    ///   - compression: How it was sent.
    ///   - rawBytes: Its size before compression.
    ///   - wireBytes: Its size as sent.
    public func append(
        _ group: LogGroup,
        project: String,
        logstore: String,
        receivedAt: Date = Date(),
        compression: Compression = .none,
        rawBytes: Int = 0,
        wireBytes: Int = 0
    ) async throws {
        let request = StoredRequest(
            receivedAt: receivedAt,
            project: project,
            logstore: logstore,
            topic: group.topic,
            source: group.source,
            tags: group.tags,
            rawBytes: rawBytes,
            wireBytes: wireBytes,
            compression: compression,
            logCount: group.logs.count
        )
        try await self.append(request, logs: group.logs)
    }

    /// The logs that `query` selects. All of them are in memory; see ``forEachLog(matching:_:)``.
    public func logs(matching query: LogQuery = LogQuery()) async throws -> [StoredLog] {
        try await self.database.read { database in
            var logs: [StoredLog] = []
            try Self.forEachLog(matching: query, in: database) { logs.append($0) }
            return logs
        }
    }

    /// Calls `body` with one log after the other, from one snapshot. Blocks; errors of `body` end the reading.
    public func forEachLog(matching query: LogQuery, _ body: (StoredLog) throws -> Void) throws {
        try self.database.read { database in
            try Self.forEachLog(matching: query, in: database, body)
        }
    }

    /// How many logs `query` selects, its limit included.
    public func count(matching query: LogQuery = LogQuery()) async throws -> Int {
        try await self.database.read { database in
            try query.request(columns: "logs.id").fetchCount(database)
        }
    }

    /// The same as ``count(matching:)``, for callers that are not asynchronous. Blocks.
    public func countNow(matching query: LogQuery = LogQuery()) throws -> Int {
        try self.database.read { database in
            try query.request(columns: "logs.id").fetchCount(database)
        }
    }

    /// Every request, in the order of arrival.
    public func requests() async throws -> [StoredRequest] {
        try await self.database.read { database in
            try Row.fetchAll(database, sql: "SELECT \(StoredRequest.columns) FROM requests ORDER BY id")
                .map(StoredRequest.init(row:))
        }
    }

    /// The logstores that hold logs, sorted.
    public func logstores() async throws -> [String] {
        try await self.database.read { database in
            try String.fetchAll(database, sql: "SELECT DISTINCT logstore FROM requests ORDER BY logstore")
        }
    }

    /// Closes the file. Nothing works afterwards.
    public func close() throws {
        try self.database.close()
    }

    private static func forEachLog(
        matching query: LogQuery,
        in database: Database,
        _ body: (StoredLog) throws -> Void
    ) throws {
        let columns = "logs.id, logs.request_id, logs.position, logs.fields, \(StoredRequest.columns)"
        let rows = try query.request(columns: columns).fetchCursor(database)
        // Logs of one request follow each other, so its columns are read once.
        var request: (id: Int64, value: StoredRequest)?
        while let row = try rows.next() {
            let requestID: Int64 = row["request_id"]
            let value = request?.id == requestID ? request!.value : StoredRequest(row: row)
            request = (requestID, value)
            let log = LogFields(validated: row["fields"])
            try body(
                StoredLog(id: row["id"], requestID: requestID, position: row["position"], request: value, log: log)
            )
        }
    }
}

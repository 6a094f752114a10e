// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// The tables, for those who open the file with other tools as well.
enum StoreSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { database in
            // Times are microseconds since 1970; tags and fields are JSON objects in the order of the request.
            try database.execute(
                sql: """
                    CREATE TABLE requests (
                        id INTEGER PRIMARY KEY,
                        received_at INTEGER NOT NULL,
                        project TEXT NOT NULL,
                        logstore TEXT NOT NULL,
                        topic TEXT NOT NULL,
                        source TEXT NOT NULL,
                        tags TEXT NOT NULL,
                        raw_bytes INTEGER NOT NULL,
                        wire_bytes INTEGER NOT NULL,
                        compression TEXT NOT NULL,
                        log_count INTEGER NOT NULL
                    );
                    CREATE TABLE logs (
                        id INTEGER PRIMARY KEY,
                        request_id INTEGER NOT NULL REFERENCES requests (id),
                        position INTEGER NOT NULL,
                        fields TEXT NOT NULL,
                        UNIQUE (request_id, position)
                    );
                    """
            )
        }
        migrator.registerMigration("v2") { database in
            try self.createSearch(in: database)
            try self.createColumns(in: database)
            try self.copyLogs(in: database)
        }
        migrator.registerMigration("v3") { database in
            try self.createColumns(in: database)
            var inserter = try LogInserter(continuing: database)
            try inserter.rewriteColumns(in: database)
        }
        return migrator
    }

    /// What is known of each row of a block: see ``BlockColumns``.
    private static func createColumns(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS columns (
                    id INTEGER PRIMARY KEY,
                    times BLOB NOT NULL,
                    streams BLOB NOT NULL,
                    fields BLOB NOT NULL,
                    numbers BLOB NOT NULL,
                    few BLOB,
                    many BLOB
                );
                """
        )
    }

    /// A log is of the time `at`: its own if it states one, and that of its receipt otherwise. What all logs of a stream
    /// share, and what a block of 256 logs has, is known without reading them; there are further tables `words_N` with
    /// the words of blocks.
    private static func createSearch(in database: Database) throws {
        try database.execute(
            sql: """
                DROP INDEX IF EXISTS requests_by_topic;
                ALTER TABLE requests ADD COLUMN first_log INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE requests RENAME TO old_requests;
                CREATE TABLE requests (
                    id INTEGER PRIMARY KEY,
                    received_at INTEGER NOT NULL,
                    project TEXT NOT NULL,
                    logstore TEXT NOT NULL,
                    topic TEXT NOT NULL,
                    source TEXT NOT NULL,
                    tags TEXT NOT NULL,
                    raw_bytes INTEGER NOT NULL,
                    wire_bytes INTEGER NOT NULL,
                    compression TEXT NOT NULL,
                    log_count INTEGER NOT NULL,
                    first_log INTEGER NOT NULL
                );
                ALTER TABLE logs RENAME TO old_logs;
                CREATE TABLE logs (
                    id INTEGER PRIMARY KEY,
                    request_id INTEGER NOT NULL,
                    at INTEGER NOT NULL,
                    stream INTEGER NOT NULL,
                    fields TEXT NOT NULL
                );
                CREATE TABLE streams (
                    id INTEGER PRIMARY KEY,
                    project TEXT NOT NULL,
                    logstore TEXT NOT NULL,
                    topic TEXT NOT NULL,
                    severity INTEGER NOT NULL,
                    level TEXT,
                    label TEXT,
                    is_exact INTEGER NOT NULL
                );
                CREATE TABLE blocks (
                    id INTEGER PRIMARY KEY,
                    min_at INTEGER NOT NULL,
                    max_at INTEGER NOT NULL,
                    counts BLOB NOT NULL,
                    is_indexed INTEGER NOT NULL
                );
                CREATE TABLE deliveries (
                    id INTEGER PRIMARY KEY,
                    received_at INTEGER NOT NULL,
                    project TEXT NOT NULL,
                    logstore TEXT NOT NULL,
                    client TEXT NOT NULL,
                    status INTEGER NOT NULL,
                    code TEXT NOT NULL,
                    message TEXT NOT NULL,
                    raw_bytes INTEGER NOT NULL,
                    wire_bytes INTEGER NOT NULL,
                    compression TEXT NOT NULL,
                    log_count INTEGER NOT NULL,
                    microseconds INTEGER NOT NULL,
                    batch TEXT NOT NULL,
                    attempt INTEGER NOT NULL,
                    is_stored INTEGER NOT NULL,
                    is_duplicate INTEGER NOT NULL
                );
                CREATE INDEX deliveries_by_batch ON deliveries (batch);
                """
        )
    }

    /// Takes over what a file of the first version holds.
    private static func copyLogs(in database: Database) throws {
        var inserter = try LogInserter(continuing: database)
        let requests = try RawStatement(
            "SELECT \(StoredRequest.columns), id FROM old_requests ORDER BY id",
            in: database
        )
        while try requests.step() {
            let logs = try RawStatement(
                "SELECT fields FROM old_logs WHERE request_id = ? ORDER BY position",
                in: database
            )
            logs.bind(1, requests.int(11))
            var row = RequestRow(request: StoredRequest(columns: requests), logs: [])
            while try logs.step() { row.logs.append(LogFields(validated: logs.string(0))) }
            logs.reset()
            try inserter.insert(row, into: database)
        }
        requests.reset()
        try database.execute(sql: "DROP TABLE old_logs; DROP TABLE old_requests;")
    }
}

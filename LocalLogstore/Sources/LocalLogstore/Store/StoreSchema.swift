// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The tables, documented also for users of other tools.
///
/// Times are microseconds since 1970; tags and fields are JSON objects in the order of the request.
enum StoreSchema {
    /// Marks the file as one of these: "wtlg".
    private static let application = 0x7774_6C67
    private static let version = 1

    /// How many logs share a table of words. A table whose logs are all deleted is dropped at once, which costs nothing;
    /// taking the words of single logs out of an index would cost as much as putting them in.
    static let logsPerTable: Int64 = 65_536

    /// Stands behind each value in the index, so that no phrase goes from one value into the next. No word contains it.
    static let separator = "¦"

    /// Makes the tables that are missing.
    static func prepare(_ writer: any DatabaseWriter) throws {
        try writer.write {
            if try self.isEmpty($0) { try self.create(in: $0) }
            // Files of this version were made before it had any.
            try SequenceTable.create(in: $0)
        }
    }

    /// Whether nobody has put anything into the database, be it but a mark.
    static func isEmpty(_ database: Database) throws -> Bool {
        try ["SELECT count(*) FROM sqlite_master", "PRAGMA application_id", "PRAGMA user_version"].allSatisfy {
            try Int.fetchOne(database, sql: $0) == 0
        }
    }

    /// Throws a ``StoreError`` if the tables are not these.
    static func check(_ database: Database, path: String) throws {
        let application = try Int.fetchOne(database, sql: "PRAGMA application_id")
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version")
        if application == self.application, version == self.version { return }
        // Before this version, files had no mark.
        let isOwn =
            try application == self.application || (database.tableExists("blocks") && database.tableExists("logs"))
        throw isOwn ? StoreError.otherVersion(path) : StoreError.foreign(path)
    }

    /// A log is of the time `at`: its own if it states one, and that of its receipt otherwise. What many logs have in
    /// common and searches are mostly about is their kind. `counts` says how many logs of a kind there are in a minute;
    /// there are further tables `words_N`, the full-text index of ``logsPerTable`` logs each.
    private static func create(in database: Database) throws {
        try database.execute(
            sql: """
                PRAGMA application_id = \(self.application);
                PRAGMA user_version = \(self.version);
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
                CREATE TABLE kinds (
                    id INTEGER PRIMARY KEY,
                    project TEXT NOT NULL,
                    logstore TEXT NOT NULL,
                    topic TEXT NOT NULL,
                    severity INTEGER NOT NULL,
                    level TEXT,
                    label TEXT
                );
                CREATE INDEX kinds_by_name ON kinds (label, topic, level, logstore, project);
                CREATE TABLE logs (
                    id INTEGER PRIMARY KEY,
                    request_id INTEGER NOT NULL,
                    at INTEGER NOT NULL,
                    kind INTEGER NOT NULL,
                    fields TEXT NOT NULL
                );
                CREATE INDEX logs_by_time ON logs (at, id, kind);
                CREATE TABLE counts (
                    minute INTEGER NOT NULL,
                    kind INTEGER NOT NULL,
                    logs INTEGER NOT NULL,
                    PRIMARY KEY (minute, kind)
                ) WITHOUT ROWID;
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

    /// Makes a table of words; its text is not kept, only where each word stands.
    static func createWords(_ table: Int64, in database: Database) throws {
        try database.execute(
            sql: """
                CREATE VIRTUAL TABLE IF NOT EXISTS words_\(table) USING fts5
                (text, content = '', columnsize = 0, tokenize = "ascii tokenchars '_'")
                """
        )
    }

    /// The numbers of the tables of words, in order.
    private static func wordTables(in database: Database) throws -> [Int64] {
        try String.fetchAll(database, sql: "SELECT name FROM sqlite_master WHERE sql LIKE '%USING fts5%'")
            .compactMap { Int64($0.dropFirst("words_".count)) }
            .sorted()
    }

    /// The number of the last log there was, though it may be deleted; 0 if there was none. No other log may get it: its
    /// words are still in the index, and readers that follow go on behind it.
    static func lastLog(in database: Database) throws -> Int64 {
        let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM logs") ?? 0
        guard let table = try self.wordTables(in: database).last else { return last }
        let name = "words_\(table)"
        let indexed = try Int64.fetchOne(
            database,
            sql: "SELECT rowid FROM \(name) WHERE \(name) MATCH ? ORDER BY rowid DESC LIMIT 1",
            arguments: ["\"\(self.separator)\""]
        )
        return max(last, indexed ?? 0)
    }

    /// Drops the words of the first table behind one whose logs are all deleted, and returns its number; `nil` if there
    /// is none.
    ///
    /// Between the first log and the last there has to be each table; the last keeps the number of the last log.
    static func clearWords(
        behind position: Int64,
        _ options: StoreOptions,
        in database: Database
    ) throws -> Int64? {
        func hasLogs(_ ids: ClosedRange<Int64>) throws -> Bool {
            try Bool.fetchOne(
                database,
                sql: "SELECT EXISTS (SELECT 1 FROM logs WHERE id BETWEEN ? AND ?)",
                arguments: [ids.lowerBound, ids.upperBound]
            ) == true
        }
        let tables = try self.wordTables(in: database)
        for table in tables where table > position {
            let first = table * options.logsPerTable + 1
            if try hasLogs(first...first + options.logsPerTable - 1) { continue }
            let last = try self.lastLog(in: database)
            try database.execute(sql: "DROP TABLE words_\(table)")
            if try table == tables.last || hasLogs(0...first - 1) { try self.createWords(table, in: database) }
            if table == tables.last {
                try database.execute(
                    sql: "INSERT INTO words_\(table) (rowid, text) VALUES (?, ?)",
                    arguments: [last, self.separator]
                )
            }
            return table
        }
        return nil
    }
}

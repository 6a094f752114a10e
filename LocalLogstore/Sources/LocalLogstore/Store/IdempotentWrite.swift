// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// A write that a logstore takes once: its sequence id has to be above the last one of its hash key there.
public struct IdempotentWrite: Sendable, Equatable {
    /// 32 hexadecimal digits; their case does not matter.
    public var key: String
    public var sequence: UInt64
    /// For how long after a write its key is remembered; `nil` for as long as its logs are there.
    public var memory: Duration?

    public init(key: String, sequence: UInt64, memory: Duration? = nil) {
        self.key = key.lowercased()
        self.sequence = sequence
        self.memory = memory
    }
}

/// The last sequence id of each hash key of a logstore.
///
/// It is written in the transaction of the logs, so that there is never one without the other, and forgotten with them.
enum SequenceTable {
    /// `sequence` has the bits of a number without a sign.
    static func create(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS sequences (
                    project TEXT NOT NULL,
                    logstore TEXT NOT NULL,
                    key TEXT NOT NULL,
                    sequence INTEGER NOT NULL,
                    written_at INTEGER NOT NULL,
                    last_log INTEGER NOT NULL,
                    PRIMARY KEY (project, logstore, key)
                ) WITHOUT ROWID
                """
        )
    }

    /// Records the sequence id of a write. Returns the answer to one that is not above the last; then the write is not
    /// to be stored.
    ///
    /// - Parameter lastLog: The number that the last log of the write will have.
    static func record(
        _ write: IdempotentWrite,
        of request: StoredRequest,
        lastLog: Int64,
        in database: Database
    ) throws -> ServiceError? {
        let now = request.receivedAt.microseconds
        // A century is for ever.
        let oldest = write.memory.map { now - Int64(min($0, .seconds(3_155_760_000)) / .microseconds(1)) } ?? .min
        let find = try RawStatement(
            """
            SELECT sequence FROM sequences WHERE project = ? AND logstore = ? AND key = ? AND written_at >= ?
            """,
            in: database
        )
        find.bind(1, text: request.project)
        find.bind(2, text: request.logstore)
        find.bind(3, text: write.key)
        find.bind(4, oldest)
        defer { find.reset() }
        let last = try find.step() ? UInt64(bitPattern: find.int(0)) : 0
        if write.sequence <= last { return .invalidSequenceID(write, last: last) }
        let insert = try RawStatement(
            """
            INSERT OR REPLACE INTO sequences (project, logstore, key, sequence, written_at, last_log)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            in: database
        )
        insert.bind(1, text: request.project)
        insert.bind(2, text: request.logstore)
        insert.bind(3, text: write.key)
        insert.bind(4, Int64(bitPattern: write.sequence))
        insert.bind(5, now)
        insert.bind(6, lastLog)
        try insert.run()
        return nil
    }

    /// Forgets the keys whose last writes have no logs any more, behind which there are none of an earlier one either.
    static func forgetDeleted(in database: Database) throws {
        try database.execute(sql: "DELETE FROM sequences WHERE last_log < (SELECT min(id) FROM logs)")
    }
}

extension ServiceError {
    /// The status is not documented, and the text is not the service's.
    fileprivate static func invalidSequenceID(_ write: IdempotentWrite, last: UInt64) -> Self {
        Self(
            status: 400,
            code: "InvalidSequenceId",
            message: "The sequence id \(write.sequence) is not above \(last), the last one of the key \(write.key)."
        )
    }
}

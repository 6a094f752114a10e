// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// One request on its way into the database.
struct RequestRow: Sendable {
    var request: StoredRequest
    var logs: [LogFields]
    /// What has it stored once; `nil` for each time that it comes.
    var write: IdempotentWrite?

    /// Writes the request without its logs, and returns its number.
    func insert(firstLog: Int64, into database: Database) throws -> Int64 {
        let insert = try RawStatement(
            """
            INSERT INTO requests (received_at, project, logstore, topic, source, tags, raw_bytes, wire_bytes,
                                  compression, log_count, first_log)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            in: database
        )
        insert.bind(1, self.request.receivedAt.microseconds)
        insert.bind(2, text: self.request.project)
        insert.bind(3, text: self.request.logstore)
        insert.bind(4, text: self.request.topic)
        insert.bind(5, text: self.request.source)
        insert.bind(6, text: JSONWriter.object(self.request.tags))
        insert.bind(7, Int64(self.request.rawBytes))
        insert.bind(8, Int64(self.request.wireBytes))
        insert.bind(9, text: self.request.compression.rawValue)
        insert.bind(10, Int64(self.request.logCount))
        insert.bind(11, firstLog)
        try insert.run()
        return database.lastInsertedRowID
    }
}

extension StoredRequest {
    /// The columns that ``init(columns:)`` reads, in its order.
    static let columns = """
        received_at, project, logstore, topic, source, tags, raw_bytes, wire_bytes, compression, log_count, first_log
        """

    /// From the current row of a statement whose first columns are ``columns``.
    init(columns row: RawStatement) {
        self.receivedAt = Date(microseconds: row.int(0))
        self.project = row.string(1)
        self.logstore = row.string(2)
        self.topic = row.string(3)
        self.source = row.string(4)
        self.tags = LogFields(validated: row.string(5)).fields
        self.rawBytes = Int(row.int(6))
        self.wireBytes = Int(row.int(7))
        self.compression = Compression(rawValue: row.string(8)) ?? .none
        self.logCount = Int(row.int(9))
    }
}

extension Date {
    /// Microseconds since 1970.
    var microseconds: Int64 { Int64((self.timeIntervalSince1970 * 1_000_000).rounded()) }

    init(microseconds: Int64) {
        self.init(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    }
}

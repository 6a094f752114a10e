//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Foundation
import GRDB

/// One request on its way into the database.
struct RequestRow: Sendable {
    var request: StoredRequest
    var logs: [LogFields]

    /// Writes the request and its logs. Throws if the database refuses either; the caller's transaction undoes both.
    func insert(into database: Database) throws {
        let insertRequest = try database.cachedStatement(
            sql: """
                INSERT INTO requests (received_at, project, logstore, topic, source, tags, raw_bytes, wire_bytes,
                                      compression, log_count)
                VALUES (?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, ?)
                """
        )
        // GRDB would cut a text at its first NUL, which topic and source may hold: they go in as bytes.
        try insertRequest.execute(arguments: [
            self.request.receivedAt.microseconds, self.request.project, self.request.logstore,
            Data(self.request.topic.utf8), Data(self.request.source.utf8), JSONWriter.object(self.request.tags),
            self.request.rawBytes, self.request.wireBytes, self.request.compression.rawValue, self.request.logCount,
        ])
        let id = database.lastInsertedRowID
        let insertLog = try database.cachedStatement(
            sql: "INSERT INTO logs (request_id, position, fields) VALUES (?, ?, ?)"
        )
        for (position, log) in self.logs.enumerated() {
            try insertLog.execute(arguments: [id, position, log.json])
        }
    }
}

extension StoredRequest {
    /// The columns that ``init(row:)`` reads.
    static let columns = """
        requests.received_at, requests.project, requests.logstore, CAST(requests.topic AS BLOB) AS topic,
        CAST(requests.source AS BLOB) AS source, requests.tags, requests.raw_bytes, requests.wire_bytes,
        requests.compression, requests.log_count
        """

    init(row: Row) {
        self.receivedAt = Date(microseconds: row["received_at"])
        self.project = row["project"]
        self.logstore = row["logstore"]
        self.topic = String(decoding: row["topic"] as Data, as: UTF8.self)
        self.source = String(decoding: row["source"] as Data, as: UTF8.self)
        self.tags = LogFields(validated: row["tags"]).fields
        self.rawBytes = row["raw_bytes"]
        self.wireBytes = row["wire_bytes"]
        self.compression = Compression(rawValue: row["compression"]) ?? .none
        self.logCount = row["log_count"]
    }
}

extension Date {
    /// Microseconds since 1970.
    var microseconds: Int64 { Int64((self.timeIntervalSince1970 * 1_000_000).rounded()) }

    init(microseconds: Int64) {
        self.init(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    }
}

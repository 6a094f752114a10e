// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The kinds of logs, for the writer: logs of a kind agree in project, logstore, topic, level and label.
struct KindTable {
    /// More than this are not remembered, but looked up: a label with the number of an order makes a kind of each log.
    private static let maximumKnown = 20_000

    private struct Key: Hashable {
        var place: [UInt8]
        var level: [UInt8]?
        var label: [UInt8]?
    }

    private var known: [Key: Int64] = [:]
    private var request: StoredRequest?
    private var place: [UInt8] = []
    // The kind of the last log is often that of the next, too.
    private var last: (key: Key, kind: Int64)?

    /// Says which request the next logs came with.
    mutating func begin(_ request: StoredRequest) {
        self.request = request
        self.place.removeAll(keepingCapacity: true)
        for part in [request.project, request.logstore, request.topic] {
            withUnsafeBytes(of: part.utf8.count) { self.place.append(contentsOf: $0) }
            self.place.append(contentsOf: part.utf8)
        }
    }

    /// The kind of a log, which is new if need be.
    mutating func kind(level: [UInt8]?, label: [UInt8]?, in database: Database) throws -> Int64 {
        let key = Key(place: self.place, level: level, label: label)
        if let last = self.last, last.key == key { return last.kind }
        let kind = try self.known[key] ?? self.stored(key, in: database)
        if self.known.count >= Self.maximumKnown { self.known.removeAll(keepingCapacity: true) }
        self.known[key] = kind
        self.last = (key, kind)
        return kind
    }

    private func stored(_ key: Key, in database: Database) throws -> Int64 {
        guard let request = self.request else { return 0 }
        let level = key.level.map { String(decoding: $0, as: UTF8.self) }
        func bind(_ statement: RawStatement) {
            statement.bind(1, text: request.project)
            statement.bind(2, text: request.logstore)
            statement.bind(3, text: request.topic)
            statement.bind(4, text: level)
            statement.bind(5, text: key.label.map { String(decoding: $0, as: UTF8.self) })
        }
        let find = try RawStatement(
            """
            SELECT id FROM kinds
            WHERE project = ?1 AND logstore = ?2 AND topic = ?3 AND level IS ?4 AND label IS ?5
            """,
            in: database
        )
        bind(find)
        defer { find.reset() }
        if try find.step() { return find.int(0) }
        let insert = try RawStatement(
            "INSERT INTO kinds (project, logstore, topic, level, label, severity) VALUES (?, ?, ?, ?, ?, ?)",
            in: database
        )
        bind(insert)
        insert.bind(6, Int64((level.map { Severity(level: String($0.prefix(32))) } ?? .none).rawValue))
        try insert.run()
        return database.lastInsertedRowID
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The streams there are, for the one who writes logs.
struct StreamTable {
    /// With more streams than this, new ones are not told apart by level and label any more: a label that holds a number
    /// of the order would make a stream of each log.
    private static let maximumExactStreams = 5_000

    private static let maximumNameBytes = 256

    private var streams: [[UInt8]: LogStream] = [:]
    private var lastID: Int64 = 0

    init(from database: Database) throws {
        for stream in try Self.all(in: database) {
            self.streams[Self.key(stream)] = stream
            self.lastID = max(self.lastID, stream.id)
        }
    }

    /// The stream of a log, which is new if need be.
    mutating func stream(
        project: String,
        logstore: String,
        topic: String,
        level: [UInt8]?,
        label: [UInt8]?,
        in database: Database
    ) throws -> LogStream {
        var stream = LogStream(
            id: 0,
            project: project,
            logstore: logstore,
            topic: topic,
            severity: level.map { Severity(level: String(decoding: $0.prefix(32), as: UTF8.self)) } ?? .none,
            level: level.map { String(decoding: $0, as: UTF8.self) },
            label: label.map { String(decoding: $0, as: UTF8.self) }
        )
        if max(level?.count ?? 0, label?.count ?? 0) > Self.maximumNameBytes { Self.generalise(&stream) }
        if let known = self.streams[Self.key(stream)] { return known }
        if self.streams.count >= Self.maximumExactStreams {
            Self.generalise(&stream)
            if let known = self.streams[Self.key(stream)] { return known }
        }
        self.lastID += 1
        stream.id = self.lastID
        try Self.insert(stream, into: database)
        self.streams[Self.key(stream)] = stream
        return stream
    }

    private static func generalise(_ stream: inout LogStream) {
        stream.isExact = false
        stream.level = nil
        stream.label = nil
    }

    /// All that tells streams apart, byte by byte: two spellings of an accented letter are two labels.
    private static func key(_ stream: LogStream) -> [UInt8] {
        var key: [UInt8] = [UInt8(stream.severity.rawValue), stream.isExact ? 1 : 0]
        for part in [stream.project, stream.logstore, stream.topic, stream.level, stream.label] {
            withUnsafeBytes(of: Int32(part?.utf8.count ?? -1)) { key.append(contentsOf: $0) }
            if let part { key.append(contentsOf: part.utf8) }
        }
        return key
    }

    private static func insert(_ stream: LogStream, into database: Database) throws {
        let insert = try RawStatement("INSERT INTO streams VALUES (?, ?, ?, ?, ?, ?, ?, ?)", in: database)
        insert.bind(1, stream.id)
        insert.bind(2, text: stream.project)
        insert.bind(3, text: stream.logstore)
        insert.bind(4, text: stream.topic)
        insert.bind(5, Int64(stream.severity.rawValue))
        insert.bind(6, text: stream.level)
        insert.bind(7, text: stream.label)
        insert.bind(8, stream.isExact ? 1 : 0)
        try insert.run()
    }

    /// Deletes the streams that have no logs any more. Whoever writes logs has to learn the streams anew.
    static func deleteEmpty(in database: Database) throws {
        var used: Set<Int64> = []
        let blocks = try RawStatement("SELECT counts, id FROM blocks ORDER BY id", in: database)
        var end: Int64 = 0
        while try blocks.step() {
            for (stream, _) in BlockBuilder.decode(blocks.bytes(0)) { used.insert(stream) }
            end = SearchIndex.ids(of: blocks.int(1)).upperBound
        }
        let rest = try Int64.fetchAll(database, sql: "SELECT DISTINCT stream FROM logs WHERE id > ?", arguments: [end])
        used.formUnion(rest)
        let delete = try RawStatement("DELETE FROM streams WHERE id = ?", in: database)
        for stream in try Self.all(in: database) where !used.contains(stream.id) {
            delete.bind(1, stream.id)
            try delete.run()
        }
    }

    /// In the order they came up.
    static func all(in database: Database) throws -> [LogStream] {
        let rows = try RawStatement(
            "SELECT id, project, logstore, topic, severity, level, label, is_exact FROM streams ORDER BY id",
            in: database
        )
        defer { rows.reset() }
        var streams: [LogStream] = []
        while try rows.step() {
            streams.append(
                LogStream(
                    id: rows.int(0),
                    project: rows.string(1),
                    logstore: rows.string(2),
                    topic: rows.string(3),
                    severity: Severity(rawValue: Int(rows.int(4))) ?? .none,
                    level: rows.optionalString(5),
                    label: rows.optionalString(6),
                    isExact: rows.int(7) == 1
                )
            )
        }
        return streams
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Writes requests and their logs, and fills blocks with them.
///
/// What it knows of the database it has to learn anew after a transaction that was rolled back.
struct LogInserter {
    /// A stated time further away than this from the receipt is not believed; it is the service's own window.
    private static let believedPast: Int64 = 7 * 86_400 * 1_000_000
    private static let believedFuture: Int64 = 15 * 60 * 1_000_000

    private var nextID: Int64
    private var streams: StreamTable
    private var block: BlockBuilder
    // The stream of the last log is usually that of the next, too.
    private var last: (level: [UInt8]?, label: [UInt8]?, request: Int64, stream: LogStream)?

    init(continuing database: Database, blocksPerTable: Int64 = SearchIndex.blocksPerTable) throws {
        let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM logs") ?? 0
        self.nextID = last + 1
        self.streams = try StreamTable(from: database)
        self.block = BlockBuilder(id: SearchIndex.block(of: self.nextID), blocksPerTable: blocksPerTable)
        try self.refill(from: database)
    }

    /// Takes in the logs of the block that was not full yet.
    private mutating func refill(from database: Database) throws {
        let streams = try Dictionary(uniqueKeysWithValues: StreamTable.all(in: database).map { ($0.id, $0) })
        try self.refill(from: database, streams)
    }

    /// Writes the columns of all full blocks anew.
    mutating func rewriteColumns(in database: Database) throws {
        let current = self.block.id
        let streams = try Dictionary(uniqueKeysWithValues: StreamTable.all(in: database).map { ($0.id, $0) })
        for block in try Int64.fetchAll(database, sql: "SELECT id FROM blocks ORDER BY id") {
            self.block.begin(block)
            try self.refill(from: database, streams)
            try self.block.writeColumns(to: database)
        }
        self.block.begin(current)
        try self.refill(from: database, streams)
    }

    private mutating func refill(from database: Database, _ streams: [Int64: LogStream]) throws {
        let rows = try RawStatement(
            "SELECT at, stream, fields FROM logs WHERE id BETWEEN ? AND ? ORDER BY id",
            in: database
        )
        let ids = SearchIndex.ids(of: self.block.id)
        rows.bind(1, ids.lowerBound)
        rows.bind(2, ids.upperBound)
        defer { rows.reset() }
        while try rows.step() {
            guard let stream = streams[rows.int(1)] else { continue }
            _ = self.read(rows.bytes(2))
            self.block.add(time: rows.int(0), stream: stream)
        }
    }

    /// Writes the request and its logs. Throws if the database refuses either; the caller's transaction undoes both.
    mutating func insert(_ row: RequestRow, into database: Database) throws {
        let requestID = try row.insert(firstLog: self.nextID, into: database)
        let received = row.request.receivedAt.microseconds
        let insert = try RawStatement(
            "INSERT INTO logs (id, request_id, at, stream, fields) VALUES (?, ?, ?, ?, ?)",
            in: database
        )
        for log in row.logs {
            var json = log.json
            try json.withUTF8 { fields in
                let facts = self.read(fields)
                let stream = try self.stream(facts, row.request, requestID, in: database)
                let time = facts.time.flatMap { self.isBelievable($0, received) ? $0 : nil } ?? received
                insert.bind(1, self.nextID)
                insert.bind(2, requestID)
                insert.bind(3, time)
                insert.bind(4, stream.id)
                insert.bind(5, text: fields)
                try insert.run()
                self.block.add(time: time, stream: stream)
            }
            try self.advance(in: database)
        }
    }

    private func isBelievable(_ time: Int64, _ received: Int64) -> Bool {
        time > received - Self.believedPast && time < received + Self.believedFuture
    }

    private mutating func advance(in database: Database) throws {
        self.nextID += 1
        let next = SearchIndex.block(of: self.nextID)
        guard next != self.block.id else { return }
        try self.block.seal(in: database)
        self.block.begin(next)
    }

    /// What one look at all fields gives.
    private struct Facts {
        var level: [UInt8]?
        var label: [UInt8]?
        var time: Int64?
    }

    /// Reads the fields that matter, and takes the words of all into the block.
    private mutating func read(_ fields: UnsafeBufferPointer<UInt8>) -> Facts {
        var facts = Facts()
        var object = FlatObject(fields)
        var textOfLog = 0
        while let member = object.next() {
            let isTime = member.isNamed("time")
            member.withValue { value in
                if isTime { facts.time = EventTime.microseconds(value) }
                if member.isNamed("level") { facts.level = Array(value) }
                if member.isNamed("label") { facts.label = Array(value) }
                member.withName { name in
                    self.block.add(
                        field: name,
                        value: value,
                        hasWords: !isTime && !member.isNamed("seq"),
                        textOfLog: &textOfLog
                    )
                }
            }
        }
        return facts
    }

    private mutating func stream(
        _ facts: Facts,
        _ request: StoredRequest,
        _ requestID: Int64,
        in database: Database
    ) throws -> LogStream {
        if let last = self.last, last.request == requestID, last.level == facts.level, last.label == facts.label {
            return last.stream
        }
        let stream = try self.streams.stream(
            project: request.project,
            logstore: request.logstore,
            topic: request.topic,
            level: facts.level,
            label: facts.label,
            in: database
        )
        self.last = (facts.level, facts.label, requestID, stream)
        return stream
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// Writes requests and their logs.
///
/// What it knows of the database it has to learn anew after a transaction that was rolled back.
struct LogInserter {
    /// A stated time further away than this from the receipt is not believed; it is the service's own window.
    private static let believedPast: Int64 = 7 * 86_400 * 1_000_000
    private static let believedFuture: Int64 = 15 * 60 * 1_000_000

    private let logsPerTable: Int64
    private var nextID: Int64
    private var words: (table: Int64, sql: String)?
    private var text: [UInt8] = []
    private var kinds = KindTable()
    /// What is to be added to the counts at the end of the transaction.
    private var counts: [MinuteOfKind: Int64] = [:]

    private struct MinuteOfKind: Hashable {
        var minute: Int64
        var kind: Int64
    }

    init(continuing database: Database, logsPerTable: Int64) throws {
        self.logsPerTable = logsPerTable
        self.nextID = try StoreSchema.lastLog(in: database) + 1
    }

    /// Writes the requests and their logs. Returns for each request the answer to one that was not to be stored. Throws if
    /// the database refuses any of it; the caller's transaction, which is this call's alone, undoes all.
    mutating func insert(_ rows: [RequestRow], into database: Database) throws -> [ServiceError?] {
        let refusals = try rows.map { try self.insert($0, into: database) }
        let add = try RawStatement(
            """
            INSERT INTO counts (minute, kind, logs) VALUES (?, ?, ?)
            ON CONFLICT (minute, kind) DO UPDATE SET logs = logs + excluded.logs
            """,
            in: database
        )
        for (key, count) in self.counts {
            add.bind(1, key.minute)
            add.bind(2, key.kind)
            add.bind(3, count)
            try add.run()
        }
        self.counts.removeAll(keepingCapacity: true)
        return refusals
    }

    private mutating func insert(_ row: RequestRow, into database: Database) throws -> ServiceError? {
        let lastLog = self.nextID + Int64(row.logs.count) - 1
        if let write = row.write,
            let refusal = try SequenceTable.record(write, of: row.request, lastLog: lastLog, in: database)
        {
            return refusal
        }
        let requestID = try row.insert(firstLog: self.nextID, into: database)
        let received = row.request.receivedAt.microseconds
        let insert = try RawStatement(
            "INSERT INTO logs (id, request_id, at, kind, fields) VALUES (?, ?, ?, ?, ?)",
            in: database
        )
        let topic = Array(row.request.topic.utf8)
        self.kinds.begin(row.request)
        for log in row.logs {
            var json = log.json
            try json.withUTF8 { fields in
                let facts = self.read(fields, topic: topic)
                let kind = try self.kinds.kind(level: facts.level, label: facts.label, in: database)
                let stated = facts.time.flatMap { self.isBelievable($0, received) ? $0 : nil }
                // A request that states times is refused if one is out of range.
                let time = log.time ?? stated ?? received
                insert.bind(1, self.nextID)
                insert.bind(2, requestID)
                insert.bind(3, time)
                insert.bind(4, kind)
                insert.bind(5, text: fields)
                try insert.run()
                self.counts[MinuteOfKind(minute: time.minute, kind: kind), default: 0] += 1
            }
            try self.insertWords(into: database)
            self.nextID += 1
        }
        return nil
    }

    private func isBelievable(_ time: Int64, _ received: Int64) -> Bool {
        time > received - Self.believedPast && time < received + Self.believedFuture
    }

    private mutating func insertWords(into database: Database) throws {
        let table = (self.nextID - 1) / self.logsPerTable
        if self.words?.table != table {
            try StoreSchema.createWords(table, in: database)
            self.words = (table, "INSERT INTO words_\(table) (rowid, text) VALUES (?, ?)")
        }
        let insert = try RawStatement(self.words!.sql, in: database)
        insert.bind(1, self.nextID)
        try self.text.withUnsafeBufferPointer { text in
            insert.bind(2, text: text)
            try insert.run()
        }
    }

    /// What one look at all fields gives.
    private struct Facts {
        var level: [UInt8]?
        var label: [UInt8]?
        var time: Int64?
    }

    /// Reads the fields that matter, and collects the text of all for the index.
    private mutating func read(_ fields: UnsafeBufferPointer<UInt8>, topic: [UInt8]) -> Facts {
        var facts = Facts()
        self.text.removeAll(keepingCapacity: true)
        topic.withUnsafeBufferPointer { self.append($0) }
        var object = FlatObject(fields)
        while let member = object.next() {
            member.withValue { value in
                if member.isNamed("time") {
                    facts.time = EventTime.microseconds(value)
                } else if !member.isNamed("seq") {
                    if member.isNamed("level") { facts.level = Array(value) }
                    if member.isNamed("label") { facts.label = Array(value) }
                    self.append(value)
                }
            }
        }
        return facts
    }

    /// The index cuts ASCII into words as searches do. Other text is cut here; the index takes what is left for words.
    private mutating func append(_ value: UnsafeBufferPointer<UInt8>) {
        if value.allSatisfy({ $0 < 0x80 }) {
            self.text.append(contentsOf: value)
        } else {
            var scanner = WordScanner(value)
            while scanner.next() {
                self.text.append(contentsOf: scanner.word)
                self.text.append(UInt8(ascii: " "))
            }
        }
        self.text.append(contentsOf: " \(StoreSchema.separator) ".utf8)
    }
}

extension Int64 {
    /// The minute since 1970 that a time in microseconds is in.
    var minute: Int64 { self.floored(to: Self.microsecondsOfMinute) / Self.microsecondsOfMinute }

    static let microsecondsOfMinute: Int64 = 60_000_000

    /// The greatest multiple of `step` that is not greater.
    func floored(to step: Int64) -> Int64 {
        let rest = self % step
        return self - (rest < 0 ? rest + step : rest)
    }
}

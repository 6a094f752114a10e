// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

extension LogScan {
    /// A log that matches, as far as the columns of a block know it.
    struct Hit {
        var id: Int64
        var time: Int64
        var stream: Int64
    }

    /// The rows of a full block that match for certain, and those that may; with their times and streams.
    struct Rows {
        var certain: RowSet
        var possible: RowSet
        var times: [Int64]
        var streams: [Int64]
        var streamOfRow: [UInt8]
    }

    /// `nil` if the block has no columns.
    func rows(of block: Block, within times: ClosedRange<Int64>) throws -> Rows? {
        guard let number = block.number else { return nil }
        let statement = try RawStatement(BlockColumns.sql, in: self.database)
        statement.bind(1, number)
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        let columns = BlockColumns(statement)
        let streams = columns.streams()
        var matching = RowSet.none
        var open: [(stream: LogStream, rows: RowSet)] = []
        for (id, rows) in zip(streams.ids, streams.rows) {
            switch self.verdict(id) {
            case true: matching = matching | rows
            case false: break
            default: if block.mayMatch, let stream = self.streams[id] { open.append((stream, rows)) }
            }
        }
        var rows = Rows(
            certain: matching,
            possible: matching,
            times: [],
            streams: streams.ids,
            streamOfRow: streams.ofRow
        )
        if !open.isEmpty {
            let undecided = open.reduce(RowSet.none) { $0 | $1.rows }
            let answer = self.filter.answer(columns, open)
            rows.certain = matching | undecided & answer.certain
            rows.possible = matching | undecided & answer.possible
        }
        let first = SearchIndex.ids(of: number).lowerBound
        let wanted = RowSet(Int(block.ids.lowerBound - first)..<Int(block.ids.upperBound - first) + 1)
        rows.possible = rows.possible & wanted
        if rows.possible.isEmpty { return rows }
        rows.times = columns.times
        for row in rows.possible {
            let time = rows.times[row]
            if !times.contains(time) || !self.selection.includes(time: time) { rows.possible.remove(row) }
        }
        rows.certain = rows.certain & rows.possible
        return rows
    }

    /// Calls `body` with the matching logs of a block whose time is within `times`, in any order. Logs are read only
    /// where the columns do not tell.
    func forEachHit(
        in block: Block,
        within times: ClosedRange<Int64> = .min ... .max,
        _ body: (Hit) throws -> Void
    ) throws {
        guard let rows = try self.rows(of: block, within: times), let number = block.number else {
            try self.forEachMatch(in: block) { log in
                if times.contains(log.time) { try body(Hit(id: log.id, time: log.time, stream: log.stream.id)) }
                return true
            }
            return
        }
        let first = SearchIndex.ids(of: number).lowerBound
        for row in rows.certain {
            let stream = rows.streams[Int(rows.streamOfRow[row])]
            try body(Hit(id: first + Int64(row), time: rows.times[row], stream: stream))
        }
        try self.read(rows.possible & ~rows.certain, certain: .none, from: first, .arrival) { log in
            try body(Hit(id: log.id, time: log.time, stream: log.stream.id))
            return true
        }
    }

    /// Reads some rows of a full block whose first log is `first`, and compares those that do not match for certain.
    @discardableResult
    func read(
        _ rows: RowSet,
        certain: RowSet,
        from first: Int64,
        _ order: Order,
        _ body: (Log) throws -> Bool
    ) throws -> Bool {
        // Few are looked up one by one; among many, those in between are passed over.
        let isSparse = rows.count < 64
        var scan: RawStatement?
        defer { scan?.reset() }
        for row in order == .arrival ? Array(rows) : rows.reversed() {
            let id = first + Int64(row)
            let statement: RawStatement
            if isSparse {
                statement = try self.statement(for: id...id, order)
            } else {
                statement = try scan ?? self.statement(for: first...first + SearchIndex.blockSize - 1, order)
                scan = statement
            }
            defer { if isSparse { statement.reset() } }
            repeat {
                guard try statement.step() else { return true }
            } while statement.int(0) != id
            guard let stream = self.streams[statement.int(3)] else { continue }
            let log = Log(id: id, time: statement.int(2), stream: stream, row: statement)
            guard certain.contains(row) || self.matches(log) else { continue }
            if try !body(log) { return false }
        }
        return true
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// One reading of the store: finds the blocks that can hold a match, and compares the logs in them.
///
/// To be used within one access to the database.
final class LogScan {
    /// A block that can hold a match. The logs that fill no block yet are one too, with any time and without counts.
    struct Block {
        var ids: ClosedRange<Int64>
        /// The number of the block if it is full.
        var number: Int64?
        var minimumTime: Int64
        var maximumTime: Int64
        /// How many logs it has of the streams that can match; `nil` if that is not known.
        var counts: [(stream: Int64, count: UInt32)]?
        /// Whether it cannot be ruled out that a log matches though no stream matches as a whole.
        var mayMatch: Bool
    }

    /// A log where it stands in the database; valid until the next.
    struct Log {
        var id: Int64
        var time: Int64
        var stream: LogStream
        let row: RawStatement

        var requestID: Int64 { self.row.int(1) }
        var fields: UnsafeBufferPointer<UInt8> { self.row.bytes(4) }
    }

    let selection: LogSelection
    private(set) var streams: [Int64: LogStream] = [:]
    // What is asked of every stream of every block, by the numbers of the streams.
    private var verdicts: [Bool?] = []
    private var severities: [Severity] = []
    private let search: SearchExpression
    let filter: RowFilter
    let database: Database
    private let deadline: (() -> Bool)?
    private var requests: [Int64: StoredRequest] = [:]

    /// - Parameter isOverdue: Whether it is time to answer with what there is; `nil` for never.
    init(_ selection: LogSelection, in database: Database, isOverdue: (() -> Bool)? = nil) throws {
        self.selection = selection
        self.search = selection.search.ordered
        self.filter = RowFilter(selection.search)
        self.database = database
        self.deadline = isOverdue
        let streams = try StreamTable.all(in: database)
        self.verdicts = [Bool?](repeating: false, count: Int(streams.last?.id ?? 0) + 1)
        self.severities = [Severity](repeating: .none, count: self.verdicts.count)
        for stream in streams {
            self.streams[stream.id] = stream
            self.verdicts[Int(stream.id)] = selection.verdict(for: stream)
            self.severities[Int(stream.id)] = stream.severity
        }
    }

    /// The numbers of streams are smaller than this.
    var streamLimit: Int { self.verdicts.count }

    /// Whether the logs of a stream match: all, none, or it depends on the log (`nil`).
    func verdict(_ stream: Int64) -> Bool? { stream < self.verdicts.count ? self.verdicts[Int(stream)] : false }

    func severity(_ stream: Int64) -> Severity { self.severities[Int(stream)] }

    /// Whether it is time to answer with what there is.
    var isOverdue: Bool { self.deadline?() ?? false }

    /// Whether some stream has matches.
    var canMatch: Bool { self.verdicts.contains { $0 != false } }

    // MARK: - Blocks

    /// The blocks that can hold a match, in the order of arrival.
    func blocks(after id: Int64 = 0) throws -> [Block] {
        guard self.canMatch else { return [] }
        let indexed = try self.indexedBlocks()
        let rows = try RawStatement(
            "SELECT id, min_at, max_at, counts, is_indexed FROM blocks WHERE id >= ? ORDER BY id",
            in: self.database
        )
        rows.bind(1, SearchIndex.block(of: id + 1))
        defer { rows.reset() }
        var blocks: [Block] = []
        var end = max(id, SearchIndex.ids(of: SearchIndex.block(of: id + 1)).lowerBound - 1)
        while try rows.step() {
            let blockID = rows.int(0)
            let ids = SearchIndex.ids(of: blockID)
            end = max(end, ids.upperBound)
            let minimum = rows.int(1)
            let maximum = rows.int(2)
            guard maximum >= self.selection.from ?? .min, minimum < self.selection.until ?? .max else { continue }
            let counts = BlockBuilder.decode(rows.bytes(3)).filter { self.verdict($0.stream) != false }
            guard !counts.isEmpty else { continue }
            let mayMatch = indexed.map { rows.int(4) == 0 || $0.contains(blockID) } ?? true
            // Then only whole streams can match.
            if !mayMatch, !counts.contains(where: { self.verdict($0.stream) == true }) { continue }
            blocks.append(
                Block(
                    ids: max(ids.lowerBound, id + 1)...ids.upperBound,
                    number: blockID,
                    minimumTime: minimum,
                    maximumTime: maximum,
                    counts: ids.lowerBound > id ? counts : nil,
                    mayMatch: mayMatch
                )
            )
        }
        blocks.append(
            Block(ids: end + 1...Int64.max, minimumTime: .min, maximumTime: .max, counts: nil, mayMatch: true)
        )
        return blocks
    }

    /// The blocks that have the words, by the index; `nil` if words do not matter.
    private func indexedBlocks() throws -> Set<Int64>? {
        guard let filter = self.selection.search.wordFilter else { return nil }
        let tables = try String.fetchAll(
            self.database,
            sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%fts5%'"
        )
        var blocks: Set<Int64> = []
        for table in tables {
            let rows = try RawStatement("SELECT rowid FROM \(table) WHERE \(table) MATCH ?", in: self.database)
            rows.bind(1, text: filter)
            defer { rows.reset() }
            while try rows.step() { blocks.insert(rows.int(0)) }
        }
        return blocks
    }

    // MARK: - Logs

    enum Order {
        case arrival
        case newestFirst
    }

    /// Calls `body` with the matching logs of a block until it returns `false`; then returns `false` itself.
    @discardableResult
    func forEachMatch(in block: Block, order: Order = .arrival, _ body: (Log) throws -> Bool) throws -> Bool {
        if let rows = try self.rows(of: block, within: .min ... .max), let number = block.number {
            let first = SearchIndex.ids(of: number).lowerBound
            return try self.read(rows.possible, certain: rows.certain, from: first, order, body)
        }
        let rows = try self.statement(for: block.ids, order)
        defer { rows.reset() }
        while try rows.step() {
            let streamID = rows.int(3)
            let verdict = self.verdict(streamID)
            guard verdict != false, let stream = self.streams[streamID] else { continue }
            let time = rows.int(2)
            guard self.selection.includes(time: time) else { continue }
            let log = Log(id: rows.int(0), time: time, stream: stream, row: rows)
            if verdict == nil {
                guard block.mayMatch, self.matches(log) else { continue }
            }
            if try !body(log) { return false }
        }
        return true
    }

    func statement(for ids: ClosedRange<Int64>, _ order: Order) throws -> RawStatement {
        let direction = order == .arrival ? "ASC" : "DESC"
        let rows = try RawStatement(
            "SELECT id, request_id, at, stream, fields FROM logs WHERE id BETWEEN ? AND ? ORDER BY id \(direction)",
            in: self.database
        )
        rows.bind(1, ids.lowerBound)
        rows.bind(2, ids.upperBound)
        return rows
    }

    func matches(_ log: Log) -> Bool {
        self.search.matches(
            LogView(fields: log.fields, topic: log.stream.topic) { try? self.request(log.requestID) }
        )
    }

    /// The request a log came with.
    func request(_ id: Int64) throws -> StoredRequest? {
        if let known = self.requests[id] { return known }
        let rows = try RawStatement("SELECT \(StoredRequest.columns) FROM requests WHERE id = ?", in: self.database)
        rows.bind(1, id)
        defer { rows.reset() }
        guard try rows.step() else { return nil }
        let request = StoredRequest(columns: rows)
        // Logs come request by request: a few are enough.
        if self.requests.count >= 64 { self.requests.removeAll(keepingCapacity: true) }
        self.requests[id] = request
        return request
    }

    /// The number of the first log of a request.
    private func firstLog(of requestID: Int64) throws -> Int64 {
        let rows = try RawStatement("SELECT first_log FROM requests WHERE id = ?", in: self.database)
        rows.bind(1, requestID)
        defer { rows.reset() }
        return try rows.step() ? rows.int(0) : 0
    }

    /// A log by its number, whether it matches or not; `nil` if there is none.
    func load(_ id: Int64) throws -> StoredLog? {
        let statement = try self.statement(for: id...id, .arrival)
        defer { statement.reset() }
        guard try statement.step(), let stream = self.streams[statement.int(3)] else { return nil }
        return try self.stored(Log(id: id, time: statement.int(2), stream: stream, row: statement))
    }

    /// The log with all there is to know about it.
    func stored(_ log: Log) throws -> StoredLog? {
        let requestID = log.requestID
        guard let request = try self.request(requestID) else { return nil }
        return StoredLog(
            id: log.id,
            requestID: requestID,
            position: Int(log.id - (try self.firstLog(of: requestID))),
            time: log.time,
            severity: log.stream.severity,
            request: request,
            log: LogFields(validated: String(decoding: log.fields, as: UTF8.self))
        )
    }
}

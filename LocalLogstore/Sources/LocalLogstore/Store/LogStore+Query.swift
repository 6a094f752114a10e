// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

extension LogStore {
    /// The logs that `query` selects. All of them are in memory; see ``forEachLog(matching:_:)``.
    public func logs(matching query: LogQuery = LogQuery()) async throws -> [StoredLog] {
        try await self.database.read { [options] database in
            var logs: [StoredLog] = []
            try Self.forEachLog(matching: query, in: database, options) { logs.append($0) }
            return logs
        }
    }

    /// Calls `body` with one log after the other, from one snapshot. Blocks; errors of `body` end the reading.
    public func forEachLog(matching query: LogQuery, _ body: (StoredLog) throws -> Void) throws {
        try self.database.read { [options] database in
            try Self.forEachLog(matching: query, in: database, options, body)
        }
    }

    /// How many logs `query` selects, its limit included.
    public func count(matching query: LogQuery = LogQuery()) async throws -> Int {
        try await self.database.read { [options] in try Self.count(matching: query, in: $0, options) }
    }

    /// Every request, in the order of arrival.
    public func requests() async throws -> [StoredRequest] {
        try await self.database.read { database in
            let rows = try RawStatement("SELECT \(StoredRequest.columns) FROM requests ORDER BY id", in: database)
            defer { rows.reset() }
            var requests: [StoredRequest] = []
            while try rows.step() { requests.append(StoredRequest(columns: rows)) }
            return requests
        }
    }

    /// The logstores that hold logs, sorted.
    public func logstores() async throws -> [String] {
        try await self.database.read {
            try String.fetchAll($0, sql: "SELECT DISTINCT logstore FROM kinds ORDER BY logstore")
        }
    }

    /// The logstores of a project that hold logs.
    func logstores(of project: String) async throws -> Set<String> {
        try await self.database.read {
            try String.fetchSet($0, sql: "SELECT DISTINCT logstore FROM kinds WHERE project = ?", arguments: [project])
        }
    }

    // MARK: - Following

    /// What has arrived behind a log.
    public struct Arrivals: Sendable {
        /// In the order of arrival.
        public var logs: [StoredLog] = []
        /// The last log that was looked at, whether it matches or not: where to go on.
        public var position: Int64

        public init(logs: [StoredLog] = [], position: Int64) {
            self.logs = logs
            self.position = position
        }
    }

    /// The number of the newest log, though it may be deleted; 0 if there was none.
    public func newestID() async throws -> Int64 {
        try await self.database.read { try StoreSchema.lastLog(in: $0) }
    }

    /// The logs behind the one called `position` that match, at most `limit` of them.
    public func arrivals(
        after position: Int64,
        matching selection: LogSelection,
        limit: Int
    ) async throws -> Arrivals {
        try await self.database.read { [options] database in
            let newest = try StoreSchema.lastLog(in: database)
            guard newest > position else { return Arrivals(position: position) }
            let reader = LogReader(selection, in: database, options: options)
            return try reader.arrivals(position + 1...newest, .arrival, limit: limit, end: newest)
        }
    }

    /// The logs in front of the one called `position` that match, the last to arrive first, at most `limit` of them.
    /// The position of the answer is where to go on; it is 1 when all were looked at.
    public func arrivals(
        before position: Int64,
        matching selection: LogSelection,
        limit: Int
    ) async throws -> Arrivals {
        try await self.database.read { [options] database in
            guard position > 1 else { return Arrivals(position: 1) }
            let reader = LogReader(selection, in: database, options: options)
            return try reader.arrivals(1...position - 1, .newestFirst, limit: limit, end: 1)
        }
    }

    // MARK: - Everything in order

    private static func forEachLog(
        matching query: LogQuery,
        in database: Database,
        _ options: StoreOptions,
        _ body: (StoredLog) throws -> Void
    ) throws {
        var left = query.limit ?? .max
        guard left > 0 else { return }
        let reader = LogReader(query.selection, in: database, options: options)
        let order: LogReader.Order = query.order == .arrival ? .arrival : .newestFirst
        try reader.forEach(LogReader.columns, order: order, where: query.receipt) { row in
            guard let stored = try reader.stored(row) else { return true }
            try body(stored)
            left -= 1
            return left > 0
        }
    }

    private static func count(matching query: LogQuery, in database: Database, _ options: StoreOptions) throws -> Int {
        let limit = query.limit ?? .max
        guard limit > 0 else { return 0 }
        let reader = LogReader(query.selection, in: database, options: options)
        var count = 0
        try reader.forEachInAnyOrder("1", where: query.receipt) { _ in count += 1 }
        return min(count, limit)
    }
}

extension LogQuery {
    /// On the time of receipt. Times have a precision of microseconds in the store.
    fileprivate var receipt: [Condition] {
        if self.from == nil, self.until == nil { return [] }
        return [
            Condition(
                sql: "request_id IN (SELECT id FROM requests WHERE received_at >= ? AND received_at < ?)",
                arguments: [.int(self.from?.microseconds ?? .min), .int(self.until?.microseconds ?? .max)]
            )
        ]
    }
}

extension LogReader {
    /// The first `limit` matching logs of these in that order; `end` is where to go on if these are all.
    fileprivate func arrivals(
        _ ids: ClosedRange<Int64>,
        _ order: Order,
        limit: Int,
        end: Int64
    ) throws -> LogStore.Arrivals {
        var arrivals = LogStore.Arrivals(position: end)
        try self.forEach(Self.columns, ids: ids, order: order) { row in
            if arrivals.logs.count >= limit {
                arrivals.position = arrivals.logs.last?.id ?? end
                return false
            }
            if let stored = try self.stored(row) { arrivals.logs.append(stored) }
            return true
        }
        return arrivals
    }
}

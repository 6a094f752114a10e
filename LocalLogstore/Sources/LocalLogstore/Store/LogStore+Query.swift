// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

extension LogStore {
    /// The logs that `query` selects. All of them are in memory; see ``forEachLog(matching:_:)``.
    public func logs(matching query: LogQuery = LogQuery()) async throws -> [StoredLog] {
        try await self.database.read { database in
            var logs: [StoredLog] = []
            try Self.forEachLog(matching: query, in: database) { logs.append($0) }
            return logs
        }
    }

    /// Calls `body` with one log after the other, from one snapshot. Blocks; errors of `body` end the reading.
    public func forEachLog(matching query: LogQuery, _ body: (StoredLog) throws -> Void) throws {
        try self.database.read { database in
            try Self.forEachLog(matching: query, in: database, body)
        }
    }

    /// How many logs `query` selects, its limit included.
    public func count(matching query: LogQuery = LogQuery()) async throws -> Int {
        try await self.database.read { try Self.count(matching: query, in: $0) }
    }

    /// The same as ``count(matching:)``, for callers that are not asynchronous. Blocks.
    public func countNow(matching query: LogQuery = LogQuery()) throws -> Int {
        try self.database.read { try Self.count(matching: query, in: $0) }
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
        try await self.database.read { try Self.logstores(in: $0) }
    }

    /// The same as ``logstores()``, for callers that are not asynchronous. Blocks.
    public func logstoresNow() throws -> [String] {
        try self.database.read { try Self.logstores(in: $0) }
    }

    private static func logstores(in database: Database) throws -> [String] {
        Set(try StreamTable.all(in: database).map(\.logstore)).sorted()
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

    /// The number of the newest log; 0 if there is none.
    public func newestID() async throws -> Int64 {
        try await self.database.read { try Int64.fetchOne($0, sql: "SELECT max(id) FROM logs") ?? 0 }
    }

    /// The logs behind the one called `position` that match, at most `limit` of them. When time is up there may be fewer
    /// than there are; then the position is not that of the newest log.
    public func arrivals(
        after position: Int64,
        matching selection: LogSelection,
        limit: Int
    ) async throws -> Arrivals {
        try await self.database.read { [options] database in
            let newest = try Int64.fetchOne(database, sql: "SELECT max(id) FROM logs") ?? 0
            var arrivals = Arrivals(position: position)
            guard newest > position else { return arrivals }
            let scan = try LogScan(selection, in: database, isOverdue: options.patience())
            for block in try scan.blocks(after: position) {
                if scan.isOverdue {
                    arrivals.position = max(position, block.ids.lowerBound - 1)
                    return arrivals
                }
                let goesOn = try scan.forEachMatch(in: block) { log in
                    if arrivals.logs.count >= limit { return false }
                    if let stored = try scan.stored(log) { arrivals.logs.append(stored) }
                    return true
                }
                if !goesOn {
                    arrivals.position = arrivals.logs.last?.id ?? position
                    return arrivals
                }
            }
            arrivals.position = newest
            return arrivals
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
            var arrivals = Arrivals(position: 1)
            let scan = try LogScan(selection, in: database, isOverdue: options.patience())
            for block in try scan.blocks().reversed() where block.ids.lowerBound < position {
                if scan.isOverdue {
                    arrivals.position = block.ids.upperBound < position ? block.ids.upperBound + 1 : position
                    return arrivals
                }
                let goesOn = try scan.forEachMatch(in: block, order: .newestFirst) { log in
                    guard log.id < position else { return true }
                    if arrivals.logs.count >= limit { return false }
                    if let stored = try scan.stored(log) { arrivals.logs.append(stored) }
                    return true
                }
                if !goesOn {
                    arrivals.position = arrivals.logs.last?.id ?? position
                    return arrivals
                }
            }
            return arrivals
        }
    }

    // MARK: - Everything in order

    private static func forEachLog(
        matching query: LogQuery,
        in database: Database,
        _ body: (StoredLog) throws -> Void
    ) throws {
        var left = query.limit ?? .max
        guard left > 0 else { return }
        let scan = try LogScan(query.selection, in: database)
        let blocks = try scan.blocks()
        for block in query.order == .arrival ? blocks : blocks.reversed() {
            let goesOn = try scan.forEachMatch(in: block, order: query.order == .arrival ? .arrival : .newestFirst) {
                log in
                guard let stored = try scan.stored(log), query.includes(stored.request.receivedAt) else { return true }
                try body(stored)
                left -= 1
                return left > 0
            }
            if !goesOn { return }
        }
    }

    private static func count(matching query: LogQuery, in database: Database) throws -> Int {
        var count = 0
        let limit = query.limit ?? .max
        guard limit > 0 else { return 0 }
        let scan = try LogScan(query.selection, in: database)
        let readsRequests = query.from != nil || query.until != nil
        for block in try scan.blocks() {
            if !readsRequests, let counts = block.counts, let whole = scan.wholeCount(of: block, counts) {
                count += whole
                continue
            }
            if readsRequests {
                try scan.forEachMatch(in: block) { log in
                    if let request = try scan.request(log.requestID), query.includes(request.receivedAt) { count += 1 }
                    return true
                }
            } else {
                try scan.forEachHit(in: block) { _ in count += 1 }
            }
            if count >= limit { break }
        }
        return min(count, limit)
    }
}

extension LogQuery {
    /// Times have a precision of microseconds in the store.
    fileprivate func includes(_ receivedAt: Date) -> Bool {
        let received = receivedAt.microseconds
        return received >= self.from?.microseconds ?? .min && received < self.until?.microseconds ?? .max
    }
}

extension LogScan {
    /// How many logs of a block match, if that is known without reading them.
    func wholeCount(of block: Block, _ counts: [(stream: Int64, count: UInt32)]) -> Int? {
        guard block.minimumTime >= self.selection.from ?? .min, block.maximumTime < self.selection.until ?? .max,
            !block.mayMatch || counts.allSatisfy({ self.verdict($0.stream) == true })
        else { return nil }
        return counts.reduce(0) { $0 + (self.verdict($1.stream) == true ? Int($1.count) : 0) }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

extension LogReader {
    /// The number that the next log will get.
    func nextLog() throws -> Int64 { try StoreSchema.lastLog(in: self.database) + 1 }

    /// The number of the first log of the first request to a logstore that was received then or later; that of the next
    /// log if there is none.
    func firstLog(since time: Int64) throws -> Int64 {
        let row = try RawStatement(
            Condition(
                sql: """
                    SELECT first_log FROM requests WHERE project = ? AND logstore = ? AND received_at >= ?
                    ORDER BY id LIMIT 1
                    """,
                arguments: [
                    .text(self.selection.project ?? ""), .text(self.selection.logstore ?? ""), .int(time),
                ]
            ),
            in: self.database
        )
        defer { row.reset() }
        return try row.step() ? row.int(0) : self.nextLog()
    }

    /// Calls `body` with the requests to a logstore that have some of these logs, in the order of arrival, until it returns
    /// `false`. Returns the number of the log to go on with.
    func forEachGroup(
        in logs: Range<Int64>,
        _ body: (StoredRequest, [StoredLog]) throws -> Bool
    ) throws -> Int64 {
        guard let requests = try self.numbersOfRequests(of: logs) else { return logs.upperBound }
        let rows = try RawStatement(
            Condition(
                sql: "SELECT id FROM requests WHERE id BETWEEN ? AND ? AND project = ? AND logstore = ? ORDER BY id",
                arguments: [
                    .int(requests.first), .int(requests.last), .text(self.selection.project ?? ""),
                    .text(self.selection.logstore ?? ""),
                ]
            ),
            in: self.database
        )
        defer { rows.reset() }
        while try rows.step() {
            let id = rows.int(0)
            guard let (request, firstLog) = try self.request(id) else { continue }
            var found: [StoredLog] = []
            try self.forEach(Self.columns, ids: firstLog...firstLog + Int64(max(1, request.logCount)) - 1) { row in
                if row.int(1) == id, let stored = try self.stored(row) { found.append(stored) }
                return true
            }
            // A clear removes the logs first.
            guard !found.isEmpty else { continue }
            if try !body(request, found) { return firstLog + Int64(request.logCount) }
        }
        return logs.upperBound
    }

    /// The numbers of the first and the last request of these logs, of any logstore; `nil` if none of the logs is there.
    /// Requests have the order of their logs.
    private func numbersOfRequests(of logs: Range<Int64>) throws -> (first: Int64, last: Int64)? {
        func end(_ order: Order) throws -> Int64? {
            let row = try RawStatement(
                "SELECT request_id FROM logs WHERE id >= ? AND id < ? ORDER BY id \(order.rawValue) LIMIT 1",
                in: self.database
            )
            defer { row.reset() }
            row.bind(1, logs.lowerBound)
            row.bind(2, logs.upperBound)
            return try row.step() ? row.int(0) : nil
        }
        guard let first = try end(.arrival), let last = try end(.newestFirst) else { return nil }
        return (first, last)
    }
}

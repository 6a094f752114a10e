// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

extension LogReader {
    /// The number of the first request to a logstore that was received then or later; one behind the last of all if there
    /// is none.
    func firstRequest(since time: Int64) throws -> Int64 {
        let row = try RawStatement(
            Condition(
                sql: """
                    SELECT coalesce(
                        (SELECT min(id) FROM requests WHERE project = ? AND logstore = ? AND received_at >= ?),
                        (SELECT max(id) + 1 FROM requests), 1)
                    """,
                arguments: [
                    .text(self.selection.project ?? ""), .text(self.selection.logstore ?? ""), .int(time),
                ]
            ),
            in: self.database
        )
        defer { row.reset() }
        return try row.step() ? row.int(0) : 1
    }

    /// Calls `body` with the requests to a logstore and their logs, in the order of arrival, until it returns `false`.
    /// Returns the number of the request to go on with.
    ///
    /// - Parameters:
    ///   - first: The number of the first.
    ///   - end: The number behind the last; `nil` for all.
    func forEachGroup(
        from first: Int64,
        until end: Int64?,
        _ body: (StoredRequest, [StoredLog]) throws -> Bool
    ) throws -> Int64 {
        // Behind what is there now: what comes meanwhile is read the next time.
        let end = try min(end ?? .max, max(first, self.firstRequest(since: .max)))
        let rows = try RawStatement(
            Condition(
                sql: "SELECT id FROM requests WHERE id >= ? AND id < ? AND project = ? AND logstore = ? ORDER BY id",
                arguments: [
                    .int(first), .int(end), .text(self.selection.project ?? ""), .text(self.selection.logstore ?? ""),
                ]
            ),
            in: self.database
        )
        defer { rows.reset() }
        while try rows.step() {
            let id = rows.int(0)
            guard let (request, firstLog) = try self.request(id) else { continue }
            var logs: [StoredLog] = []
            try self.forEach(Self.columns, ids: firstLog...firstLog + Int64(max(1, request.logCount)) - 1) { row in
                if row.int(1) == id, let stored = try self.stored(row) { logs.append(stored) }
                return true
            }
            if try !body(request, logs) { return id + 1 }
        }
        return end
    }
}

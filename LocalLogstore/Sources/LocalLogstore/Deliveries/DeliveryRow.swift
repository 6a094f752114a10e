// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

extension Delivery {
    /// How many deliveries are kept.
    static let maximumKept: Int64 = 100_000

    private static let columns = """
        id, received_at, project, logstore, client, status, code, message, raw_bytes, wire_bytes, compression, log_count,
        microseconds, batch, attempt, is_stored, is_duplicate
        """

    /// Writes it, and finds out whether it repeats another.
    func insert(into database: Database) throws {
        let (attempts, isStored) = try self.earlierAttempts(in: database)
        let insert = try RawStatement(
            """
            INSERT INTO deliveries (received_at, project, logstore, client, status, code, message, raw_bytes, wire_bytes,
                                    compression, log_count, microseconds, batch, attempt, is_stored, is_duplicate)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            in: database
        )
        insert.bind(1, self.receivedAt)
        insert.bind(2, text: self.project)
        insert.bind(3, text: self.logstore)
        insert.bind(4, text: self.client)
        insert.bind(5, Int64(self.status))
        insert.bind(6, text: self.code)
        insert.bind(7, text: self.message)
        insert.bind(8, Int64(self.rawBytes))
        insert.bind(9, Int64(self.wireBytes))
        insert.bind(10, text: self.compression)
        insert.bind(11, Int64(self.logCount))
        insert.bind(12, Int64(self.microseconds))
        insert.bind(13, text: self.batch)
        insert.bind(14, Int64(attempts + 1))
        insert.bind(15, self.isStored ? 1 : 0)
        insert.bind(16, isStored && self.isStored ? 1 : 0)
        try insert.run()
        let id = database.lastInsertedRowID
        if id.isMultiple(of: 1000) {
            try database.execute(sql: "DELETE FROM deliveries WHERE id <= ?", arguments: [id - Self.maximumKept])
        }
    }

    private func earlierAttempts(in database: Database) throws -> (count: Int, isStored: Bool) {
        guard !self.batch.isEmpty else { return (0, false) }
        let rows = try RawStatement(
            """
            SELECT count(*), max(is_stored) FROM deliveries
            WHERE batch = ? AND project = ? AND logstore = ? AND client = ?
            """,
            in: database
        )
        rows.bind(1, text: self.batch)
        rows.bind(2, text: self.project)
        rows.bind(3, text: self.logstore)
        rows.bind(4, text: self.client)
        defer { rows.reset() }
        return try rows.step() ? (Int(rows.int(0)), rows.int(1) == 1) : (0, false)
    }

    fileprivate init(columns row: RawStatement) {
        self.init(
            id: row.int(0),
            receivedAt: row.int(1),
            project: row.string(2),
            logstore: row.string(3),
            client: row.string(4),
            status: Int(row.int(5)),
            code: row.string(6),
            message: row.string(7),
            rawBytes: Int(row.int(8)),
            wireBytes: Int(row.int(9)),
            compression: row.string(10),
            logCount: Int(row.int(11)),
            microseconds: Int(row.int(12)),
            batch: row.string(13),
            attempt: Int(row.int(14)),
            isStored: row.int(15) == 1,
            isDuplicate: row.int(16) == 1
        )
    }

    fileprivate static func page(
        project: String?,
        logstore: String?,
        isRefused: Bool,
        before: Int64?,
        limit: Int,
        in database: Database
    ) throws -> DeliveryPage {
        var page = DeliveryPage()
        let condition = "(?1 IS NULL OR project = ?1) AND (?2 IS NULL OR logstore = ?2)"
        let rows = try RawStatement(
            """
            SELECT \(self.columns) FROM deliveries
            WHERE \(condition) AND id < ?3 AND (?5 = 0 OR status <> 200) ORDER BY id DESC LIMIT ?4
            """,
            in: database
        )
        rows.bind(1, text: project)
        rows.bind(2, text: logstore)
        rows.bind(3, before ?? .max)
        rows.bind(4, Int64(limit))
        rows.bind(5, isRefused ? 1 : 0)
        while try rows.step() { page.deliveries.append(Delivery(columns: rows)) }
        rows.reset()

        let all = try RawStatement(
            """
            SELECT status, attempt, is_duplicate, log_count, raw_bytes, wire_bytes, microseconds, received_at, is_stored
            FROM deliveries WHERE \(condition) ORDER BY id
            """,
            in: database
        )
        all.bind(1, text: project)
        all.bind(2, text: logstore)
        defer { all.reset() }
        var durations: [Int64] = []
        while try all.step() {
            page.summary.add(all)
            durations.append(all.int(6))
        }
        durations.sort()
        if !durations.isEmpty {
            page.summary.medianMicroseconds = Int(durations[durations.count / 2])
            // The smallest that 95 of 100 do not exceed.
            page.summary.p95Microseconds = Int(durations[(durations.count * 95 + 99) / 100 - 1])
        }
        return page
    }
}

extension DeliverySummary {
    fileprivate mutating func add(_ row: RawStatement) {
        self.requests += 1
        self.statuses[Int(row.int(0)), default: 0] += 1
        if row.int(1) > 1 { self.retries += 1 }
        if row.int(8) == 1 {
            self.logs += Int(row.int(3))
            self.rawBytes += Int(row.int(4))
            self.wireBytes += Int(row.int(5))
        }
        if row.int(2) == 1 {
            self.duplicates += 1
            self.duplicateLogs += Int(row.int(3))
        }
        if self.first == 0 { self.first = row.int(7) }
        self.last = row.int(7)
    }
}

extension LogStore {
    /// The newest deliveries, and all of them in numbers.
    ///
    /// - Parameters:
    ///   - isRefused: Only deliveries that were not answered 200, and
    ///   - before: with a smaller number; the numbers of the summary are of all.
    public func deliveries(
        project: String? = nil,
        logstore: String? = nil,
        isRefused: Bool = false,
        before: Int64? = nil,
        limit: Int = 100
    ) async throws -> DeliveryPage {
        await self.writer.settle()
        return try await self.database.read {
            try Delivery.page(
                project: project,
                logstore: logstore,
                isRefused: isRefused,
                before: before,
                limit: limit,
                in: $0
            )
        }
    }

    /// Keeps a delivery, soon.
    func note(_ delivery: Delivery) async { await self.writer.note(delivery) }
}

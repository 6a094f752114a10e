// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore

/// Where `query` and `tail` read logs: a file, or an endpoint that runs.
protocol LogSource: Sendable {
    /// What it is called in messages.
    var name: String { get }

    /// The logstores that there are logs of.
    func knownLogstores() async throws -> [String]

    /// How many logs a query selects, its limit included.
    func number(matching query: LogQuery) async throws -> Int

    /// What a statement computes from the logs that a query selects.
    func statistics(_ query: LogQuery, _ statement: StatementArgument) async throws -> Statistics

    /// Calls `body` with one log after the other; errors of `body` end the reading.
    func read(_ query: LogQuery, _ body: (StoredLog) throws -> Void) async throws

    /// The number of the newest log.
    func newest() async throws -> Int64

    /// What came behind a log, at most `limit` of what matches.
    func news(after position: Int64, _ query: LogQuery, limit: Int) async throws -> LogStore.Arrivals

    func end() throws
}

/// A file that an endpoint writes, or has written.
struct FileSource: LogSource {
    let store: LogStore
    let name: String

    func knownLogstores() async throws -> [String] { try await self.store.logstores() }

    func number(matching query: LogQuery) async throws -> Int { try await self.store.count(matching: query) }

    func statistics(_ query: LogQuery, _ statement: StatementArgument) async throws -> Statistics {
        try await self.store.statistics(of: query.selection, statement.statement)
    }

    func read(_ query: LogQuery, _ body: (StoredLog) throws -> Void) async throws {
        try self.store.forEachLog(matching: query, body)
    }

    func newest() async throws -> Int64 { try await self.store.newestID() }

    func news(after position: Int64, _ query: LogQuery, limit: Int) async throws -> LogStore.Arrivals {
        try await self.store.arrivals(after: position, matching: query.selection, limit: limit)
    }

    func end() throws { try self.store.close() }
}

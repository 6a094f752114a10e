// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

extension LogStore {
    /// Some of the newest logs that match.
    public func page(
        of selection: LogSelection,
        limit: Int,
        after cursor: LogPage.Cursor? = nil
    ) async throws -> LogPage {
        try await self.read(selection) { try $0.page(limit: limit, after: cursor) }
    }

    /// How many logs match, over time, in about `buckets` steps, and by level, label and topic.
    public func overview(of selection: LogSelection, buckets: Int = 60) async throws -> LogOverview {
        try await self.read(selection) { try $0.overview(buckets: buckets) }
    }

    /// The fields that matching logs have, and their most frequent values, of up to `limit` of the newest logs.
    public func facets(
        of selection: LogSelection,
        only field: FieldName? = nil,
        limit: Int,
        values: Int = 10
    ) async throws -> LogFacets {
        try await self.read(selection) { try $0.facets(limit: limit, only: field, values: values) }
    }

    /// One log by its number; `nil` if there is none.
    public func log(_ id: Int64) async throws -> StoredLog? {
        try await self.read(LogSelection()) { try $0.load(id) }
    }

    /// A log among those of its producer, up to `count` before it and after it; `nil` if there is no such log.
    public func context(of id: Int64, count: Int) async throws -> LogContext? {
        try await self.read(LogSelection()) { try $0.context(of: id, count: count) }
    }

    private func read<Result: Sendable>(
        _ selection: LogSelection,
        _ body: @escaping @Sendable (LogReader) throws -> Result
    ) async throws -> Result {
        try await self.database.read { [options] in try body(LogReader(selection, in: $0, options: options)) }
    }
}

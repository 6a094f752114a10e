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

    /// Some of the matching logs by time, as GetLogs asks for them.
    func slice(_ question: LogsQuestion) async throws -> [StoredLog] {
        try await self.read(question.selection) {
            try $0.slice(offset: question.offset, limit: question.line, newestFirst: question.reverse)
        }
    }

    /// Where a reader of what was received then or later begins; see ``LogReader/firstRequest(since:)``.
    func cursor(in place: Admission.Place, since time: Int64) async throws -> PullCursor {
        try await self.read(LogSelection(project: place.project, logstore: place.logstore)) {
            PullCursor(request: try $0.firstRequest(since: time))
        }
    }

    /// Up to `count` requests from a cursor on, and where to go on.
    func pull(
        in place: Admission.Place,
        from cursor: PullCursor,
        until end: PullCursor?,
        count: Int
    ) async throws -> (answer: PullAnswer, next: PullCursor) {
        try await self.read(LogSelection(project: place.project, logstore: place.logstore)) { reader in
            var answer = PullAnswer()
            let next = try reader.forEachGroup(from: cursor.request, until: end?.request) { request, logs in
                try answer.append(request, logs)
                return answer.count < count && answer.bytes.count < PullAnswer.maximumBytes
            }
            return (answer, PullCursor(request: next))
        }
    }

    private func read<Result: Sendable>(
        _ selection: LogSelection,
        _ body: @escaping @Sendable (LogReader) throws -> Result
    ) async throws -> Result {
        try await self.database.read { [options] in try body(LogReader(selection, in: $0, options: options)) }
    }
}

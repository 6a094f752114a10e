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

    /// Where a reader of what was received then or later begins; `nil` for what is still to come.
    func cursor(in place: Admission.Place, since time: Int64?) async throws -> PullCursor {
        try await self.read(LogSelection(project: place.project, logstore: place.logstore)) { reader in
            PullCursor(log: try time.map(reader.firstLog) ?? reader.nextLog())
        }
    }

    /// Up to `count` requests from a cursor on, and where to go on. Throws what the service answers for a cursor that no
    /// answer can have had, as one of another database.
    func pull(
        in place: Admission.Place,
        from cursor: PullCursor,
        until end: PullCursor?,
        count: Int
    ) async throws -> (answer: PullAnswer, next: PullCursor) {
        try await self.read(LogSelection(project: place.project, logstore: place.logstore)) { reader in
            var answer = PullAnswer()
            // What comes meanwhile is read the next time.
            let last = try reader.nextLog()
            let end = end?.log ?? last
            guard max(cursor.log, end) <= last else { throw PullCursor.unknown }
            let next = try reader.forEachGroup(in: cursor.log..<max(cursor.log, end)) { request, logs in
                try answer.append(request, logs)
                return answer.count < count && answer.bytes.count < PullAnswer.maximumBytes
            }
            return (answer, PullCursor(log: next))
        }
    }

    private func read<Result: Sendable>(
        _ selection: LogSelection,
        _ body: @escaping @Sendable (LogReader) throws -> Result
    ) async throws -> Result {
        try await self.database.read { [options] in try body(LogReader(selection, in: $0, options: options)) }
    }
}

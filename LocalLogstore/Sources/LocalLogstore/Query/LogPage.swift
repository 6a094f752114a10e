// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Some of the newest logs that match, and where to go on.
public struct LogPage: Sendable, Equatable {
    /// Where a page ends.
    public struct Cursor: Sendable, Equatable {
        public var time: Int64
        public var id: Int64

        public init(time: Int64, id: Int64) {
            self.time = time
            self.id = id
        }

        /// Whether this comes later on a page, which begins with the newest.
        func isBehind(_ other: Self) -> Bool { (self.time, self.id) < (other.time, other.id) }
    }

    /// The newest first.
    public var logs: [StoredLog] = []
    /// Where the next page begins; `nil` if there is none.
    public var next: Cursor?
}

extension LogReader {
    /// The newest logs that match, at most `limit` of them, behind `cursor`.
    func page(limit: Int, after cursor: LogPage.Cursor?) throws -> LogPage {
        var found = try self.newest(limit + 1, after: cursor)
        var page = LogPage()
        if found.count > limit {
            found.removeLast()
            page.next = found.last
        }
        page.logs = try found.compactMap { try self.load($0.id) }
        return page
    }

    /// The matching logs by time, without the first `offset` of them, at most `limit`.
    func slice(offset: Int, limit: Int, newestFirst: Bool) throws -> [StoredLog] {
        let found = try newestFirst ? self.newest(offset + limit) : self.oldest(offset + limit)
        return try found.dropFirst(offset).compactMap { try self.load($0.id) }
    }
}

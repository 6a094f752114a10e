// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

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
    /// Whether all that can match was looked at. Otherwise the time was up.
    public var isComplete = true
}

extension LogScan {
    /// The newest logs that match, at most `limit` of them, behind `cursor`.
    func page(limit: Int, after cursor: LogPage.Cursor?) throws -> LogPage {
        var page = LogPage()
        var found: [LogPage.Cursor] = []
        // Once there are enough, a block that ends before the last of them has nothing to add.
        let blocks = try self.blocks().sorted { $0.maximumTime > $1.maximumTime }
        var threshold: LogPage.Cursor?
        for block in blocks {
            if let threshold, block.maximumTime < threshold.time { break }
            if let cursor, block.minimumTime > cursor.time { continue }
            if self.isOverdue {
                page.isComplete = false
                // The next page begins with what was not looked at.
                let edge = LogPage.Cursor(time: block.maximumTime, id: .max)
                found.removeAll { $0.isBehind(edge) }
                page.next = cursor.map { edge.isBehind($0) ? edge : $0 } ?? edge
                break
            }
            let oldest = threshold?.time ?? .min
            let newest = cursor?.time ?? .max
            guard oldest <= newest else { break }
            try self.forEachHit(in: block, within: oldest...newest) { hit in
                let place = LogPage.Cursor(time: hit.time, id: hit.id)
                if let cursor, !place.isBehind(cursor) { return }
                if let threshold, place.isBehind(threshold) { return }
                found.append(place)
            }
            if found.count > limit {
                found.sort { $1.isBehind($0) }
                found.removeSubrange((limit + 1)...)
                threshold = found.last
            }
        }
        found.sort { $1.isBehind($0) }
        if found.count > limit {
            found.removeSubrange(limit...)
            page.next = found.last
        }
        // Only now are logs read that matched for certain.
        page.logs = try found.compactMap { try self.load($0.id) }
        return page
    }
}

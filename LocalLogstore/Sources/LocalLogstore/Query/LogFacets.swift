// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The fields that logs have, and the values these have most often.
public struct LogFacets: Sendable, Equatable {
    public struct Facet: Sendable, Equatable {
        public var name: String
        /// How many of the logs have the field.
        public var count: Int
        /// The most frequent first.
        public var values: [LogOverview.Count]
        /// Whether there are more values than were counted.
        public var hasMore: Bool
    }

    /// How many logs were looked at, the newest.
    public var logs = 0
    /// The most frequent first.
    public var fields: [Facet] = []
    /// Whether these are all that match.
    public var isComplete = true
}

extension LogScan {
    private static let maximumFields = 200
    private static let maximumValues = 2_000
    private static let maximumValueBytes = 200

    /// Looks at up to `limit` of the newest matching logs, by arrival.
    ///
    /// - Parameter only: This field alone; `nil` for all.
    func facets(limit: Int, only: FieldName?, values: Int) throws -> LogFacets {
        var facets = LogFacets()
        var counts: [String: [String: Int]] = [:]
        var overflowing: Set<String> = []
        var cut: Set<String> = []
        func count(_ name: String, _ value: String) {
            guard counts[name] != nil || counts.count < Self.maximumFields else { return }
            var value = value
            if value.utf8.count > Self.maximumValueBytes {
                value = String(value.prefix(Self.maximumValueBytes / 4)) + "…"
                cut.insert(value)
            }
            if counts[name, default: [:]][value] == nil, counts[name, default: [:]].count >= Self.maximumValues {
                overflowing.insert(name)
                // Still a log that has the field.
                counts[name, default: [:]]["", default: 0] += 0
                return
            }
            counts[name, default: [:]][value, default: 0] += 1
        }
        var present: [String: Int] = [:]
        blocks: for block in try self.blocks().reversed() {
            if self.isOverdue {
                facets.isComplete = false
                break
            }
            let goesOn = try self.forEachMatch(in: block, order: .newestFirst) { log in
                if facets.logs >= limit { return false }
                facets.logs += 1
                try self.forEachField(of: log, only: only) { name, value in
                    present[name, default: 0] += 1
                    count(name, value)
                }
                return true
            }
            if !goesOn {
                facets.isComplete = false
                break blocks
            }
        }
        facets.fields = counts.map { name, counts in
            LogFacets.Facet(
                name: name,
                count: present[name] ?? 0,
                values: counts.filter { $0.value > 0 }
                    .map { LogOverview.Count(value: $0.key, count: $0.value, isCut: cut.contains($0.key)) }
                    .ranked(values),
                hasMore: overflowing.contains(name) || counts.count > values
            )
        }
        .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
        return facets
    }

    private func forEachField(of log: Log, only: FieldName?, _ body: (String, String) -> Void) throws {
        if only == nil || only == .topic { body("__topic__", log.stream.topic) }
        switch only {
        case nil, .source, .tag:
            guard let request = try self.request(log.requestID) else { break }
            if only == nil || only == .source { body("__source__", request.source) }
            for tag in request.tags where only == nil || only == .tag(tag.name) {
                body("__tag__:" + tag.name, tag.value)
            }
        default: break
        }
        if case .some(.log(let name)) = only {
            var object = FlatObject(log.fields)
            while let member = object.next() {
                if member.isNamed(name) { return body(name, member.value) }
            }
        } else if only == nil {
            var object = FlatObject(log.fields)
            while let member = object.next() {
                if member.isNamed("time") || member.isNamed("seq") { continue }
                body(member.name, member.value)
            }
        }
    }
}

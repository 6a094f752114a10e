// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

/// What the store does beyond the bounds of what it keeps ready.
@Suite("Bounds of the store")
struct BoundTests {
    private func append(_ logs: [LogFields], to store: LogStore, receivedAt: Date = Date()) async throws {
        try await store.append(
            LogGroup(topic: "t", source: "s", tags: [], logs: logs),
            project: "p",
            logstore: "l",
            receivedAt: receivedAt
        )
    }

    private func total(_ search: String, _ store: LogStore) async throws -> Int {
        try await store.overview(of: LogSelection(search: SearchExpression(parsing: search))).total
    }

    private func streams(_ store: LogStore) async throws -> Int {
        try await store.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM streams") ?? 0 }
    }

    /// A label that is another in each log makes no stream of each.
    @Test func findsLabelsBeyondTheStreams() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            var store = try LogStore(path: path)
            func label(_ number: Int) -> LogFields {
                LogFields([Field("label", "l\(number)"), Field("level", number % 2 == 0 ? "info" : "error")])
            }
            try await self.append((0..<5_600).map(label), to: store)
            // Those that came first, and one of each level for all others.
            #expect(try await self.streams(store) == 5_002)
            try store.close()
            store = try LogStore(path: path)
            try await self.append((5_600..<6_000).map(label), to: store)
            #expect(try await self.streams(store) == 5_002)
            for number in [0, 4_999, 5_000, 5_599, 5_999] {
                #expect(try await self.total("label: l\(number)", store) == 1)
                #expect(try await self.total("label = \"l\(number)\"", store) == 1)
                #expect(try await self.total("not label: l\(number)", store) == 5_999)
                let page = try await store.page(
                    of: LogSelection(search: SearchExpression(parsing: "label: l\(number)")),
                    limit: 10
                )
                #expect(page.logs.map { $0.log["label"] } == ["l\(number)"])
            }
            #expect(try await self.total("level: error", store) == 3_000)
            let overview = try await store.overview(of: LogSelection())
            #expect(overview.total == 6_000)
            #expect(overview.buckets.map { $0[Severity.error.rawValue] }.reduce(0, +) == 3_000)
            try store.close()
        }
    }

    @Test func findsLabelsThatAreTooLongForAStream() async throws {
        try await withStore { store async throws in
            let long = String(repeating: "x", count: 300)
            try await self.append((0..<600).map { LogFields([Field("label", "\(long) \($0)")]) }, to: store)
            #expect(try await self.streams(store) == 1)
            #expect(try await self.total("label: 17", store) == 1)
            #expect(try await self.total("label = \"\(long) 17\"", store) == 1)
        }
    }

    /// What is too much text for the index is found all the same.
    @Test func findsWordsBehindTheTextThatIsIndexed() async throws {
        try await withStore { store async throws in
            let limit = SearchIndex.maximumTextOfLog
            func text(_ bytes: Int, ending: String) -> LogFields {
                let end = " " + ending
                return LogFields([Field("message", String(repeating: "x", count: bytes - end.utf8.count) + end)])
            }
            func filler(_ count: Int) -> [LogFields] { (0..<count).map { LogFields([Field("n", "\($0)")]) } }
            try await self.append([text(limit, ending: "inside")] + filler(255), to: store)
            try await self.append(filler(200) + [text(limit + 1, ending: "behind")] + filler(55), to: store)
            try await self.append(
                [LogFields([text(limit, ending: "x").fields[0], Field("more", "second")])] + filler(300),
                to: store
            )
            let indexed = try await store.database.read {
                try Int.fetchAll($0, sql: "SELECT is_indexed FROM blocks ORDER BY id")
            }
            #expect(indexed == [1, 0, 0])
            for word in ["inside", "behind", "second"] {
                #expect(try await self.total(word, store) == 1, "\(word)")
                #expect(try await self.total("not \(word)", store) == 812, "\(word)")
            }
            #expect(try await self.total("message: behind and not n: *", store) == 1)
            #expect(try await self.total("more = \"second\"", store) == 1)
            #expect(try await self.total("nowhere", store) == 0)
        }
    }

    // MARK: - Time

    /// A store whose questions may look at this many blocks.
    private func withImpatientStore(blocks: Int, _ body: (LogStore) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let options = StoreOptions(patience: {
                var left = blocks
                return {
                    left -= 1
                    return left < 0
                }
            })
            let store = try LogStore(path: directory.appending(path: "logs.sqlite").path, options: options)
            for request in 0..<12 {
                try await self.append(
                    (0..<256).map { LogFields([Field("n", "\(request * 256 + $0)"), Field("text", "a b")]) },
                    to: store,
                    receivedAt: Date(timeIntervalSince1970: 1_700_000_000 + Double(request))
                )
            }
            try await body(store)
            try store.close()
        }
    }

    @Test func answersWithWhatItFoundInTimeAndGoesOn() async throws {
        try await self.withImpatientStore(blocks: 4) { store async throws in
            let selection = LogSelection(search: try SearchExpression(parsing: "\"a b\""))
            var seen: [Int64] = []
            var pages = 0
            var cursor: LogPage.Cursor?
            repeat {
                let page = try await store.page(of: selection, limit: 5_000, after: cursor)
                #expect(page.isComplete == (page.next == nil))
                seen += page.logs.map(\.id)
                cursor = page.next
                pages += 1
            } while cursor != nil && pages < 50
            #expect(seen == (1...3_072).reversed().map { Int64($0) })
            #expect(pages > 2)

            let overview = try await store.overview(of: selection)
            #expect(!overview.isComplete && overview.total > 0 && overview.total < 3_072)
            let facets = try await store.facets(of: selection, limit: 10_000)
            #expect(!facets.isComplete && facets.logs > 0 && facets.logs < 3_072)

            var arrived: [Int64] = []
            var position: Int64 = 0
            for _ in 0..<50 where position < 3_072 {
                let arrivals = try await store.arrivals(after: position, matching: selection, limit: 5_000)
                #expect(arrivals.position > position)
                arrived += arrivals.logs.map(\.id)
                position = arrivals.position
            }
            #expect(arrived == (1...3_072).map { Int64($0) })
            position = 3_073
            for _ in 0..<50 where position > 1 {
                let arrivals = try await store.arrivals(before: position, matching: selection, limit: 5_000)
                #expect(arrivals.position < position)
                arrived += arrivals.logs.map(\.id)
                position = arrivals.position
            }
            #expect(arrived.suffix(3_072) == (1...3_072).reversed().map { Int64($0) }[...])
        }
    }

    @Test func saysInItsAnswersThatTheyAreNotComplete() async throws {
        try await self.withImpatientStore(blocks: 4) { store async throws in
            var settings = ServerSettings()
            settings.port = 0
            try await withServer(of: store, settings) { server async throws in
                for path in [
                    "logs?limit=1000&q=%22a+b%22", "overview?q=%22a+b%22", "fields", "arrivals?q=a&limit=5000",
                ] {
                    let answer = try await server.api(path)
                    #expect(answer.status == 200 && answer.body.contains(#""complete":false"#), "\(path)")
                }
                let answer = try await server.api("arrivals?after=3000")
                #expect(answer.body.contains(#""complete":true"#))
            }
        }
    }

    @Test func waitsTwoSecondsByDefault() {
        let isOver = StoreOptions().patience()
        #expect(!isOver())
        #expect(LogStore.patience == 2)
    }
}

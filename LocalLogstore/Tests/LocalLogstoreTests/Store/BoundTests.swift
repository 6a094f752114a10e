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

    /// Each log of a kind of its own, as if labels held numbers of orders: all is counted exactly.
    @Test func countsEveryLevelAndLabelHoweverManyThereAre() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            var store = try LogStore(path: path)
            func label(_ number: Int) -> LogFields {
                LogFields([Field("label", "l\(number)"), Field("level", number % 2 == 0 ? "info" : "error")])
            }
            try await self.append((0..<24_000).map(label), to: store)
            try store.close()
            store = try LogStore(path: path)
            try await self.append((24_000..<25_000).map(label), to: store)
            try await self.append((0..<20).map(label), to: store)
            for number in [21, 4_999, 5_000, 24_999] {
                #expect(try await self.total("label: l\(number)", store) == 1)
                #expect(try await self.total("label = \"l\(number)\"", store) == 1)
                #expect(try await self.total("not label: l\(number)", store) == 25_019)
            }
            #expect(try await self.total("level: error", store) == 12_510)
            let overview = try await store.overview(of: LogSelection())
            #expect(overview.total == 25_020)
            #expect(overview.buckets.map { $0[Severity.error.rawValue] }.reduce(0, +) == 12_510)
            #expect(overview.levels == [.init(value: "error", count: 12_510), .init(value: "info", count: 12_510)])
            #expect(overview.labels.prefix(20).allSatisfy { $0.count == 2 } && overview.labels[20].count == 1)
            #expect(overview.topics == [.init(value: "t", count: 25_020)])
            try store.close()
        }
    }

    @Test func findsLongLabels() async throws {
        try await withStore { store async throws in
            let long = String(repeating: "x", count: 300)
            try await self.append((0..<600).map { LogFields([Field("label", "\(long) \($0)")]) }, to: store)
            #expect(try await self.total("label: 17", store) == 1)
            #expect(try await self.total("label = \"\(long) 17\"", store) == 1)
            let overview = try await store.overview(of: LogSelection())
            #expect(overview.labels.map(\.count) == [600] && overview.labels[0].isCut)
        }
    }

    /// The index cuts words of 32 KiB.
    @Test func findsWordsOfAnyLength() async throws {
        try await withStore { store async throws in
            let long = String(repeating: "x", count: 40_000)
            func text(_ ending: String) -> LogFields { LogFields([Field("message", "\(long)\(ending) end")]) }
            try await self.append([text("a"), text("b"), text("")], to: store)
            // Longer than the search language takes.
            for (search, count) in [
                (.words(Phrase(long + "a")!), 1), (.words(Phrase(long)!), 1), (.not(.words(Phrase(long)!)), 2),
                (.words(Phrase(long, endsWithPrefix: true)!), 3), (.exact(.log("message"), long + "b end"), 1),
            ] as [(SearchExpression, Int)] {
                #expect(try await store.overview(of: LogSelection(search: search)).total == count)
            }
        }
    }

    @Test func takesNoPhraseForTheEndOfOneValueAndTheBeginningOfTheNext() async throws {
        try await withStore { store async throws in
            let fields = [Field("a", "one two"), Field("b", "three"), Field("time", "four"), Field("c", "five")]
            try await self.append([LogFields(fields)], to: store)
            #expect(try await self.total("\"one two\"", store) == 1)
            for search in ["\"two three\"", "\"t one\"", "\"three four\"", "\"three five\"", "four"] {
                #expect(try await self.total(search, store) == 0, "\(search)")
            }
        }
    }

    /// More logs than the newest that are compared one by one have a common word, or not.
    @Test func findsTheNewestOfVeryMany() async throws {
        try await withStore { store async throws in
            let base: Int64 = 1_700_000_000_000_000
            // Those of the first half have the word, and arrive the newest first.
            for request in 0..<10 {
                let logs = (0..<11_000).map { index -> LogFields in
                    let time = base + Int64(110_000 - request * 11_000 - index) * 1_000
                    return LogFields([
                        Field("time", "\(time)"), Field("text", request >= 5 ? "common word" : "other word"),
                    ])
                }
                try await self.append(logs, to: store, receivedAt: Date(microseconds: base + 200_000_000))
            }
            let selection = LogSelection(search: try SearchExpression(parsing: "common"))
            var cursor: LogPage.Cursor?
            var times: [Int64] = []
            for _ in 0..<3 {
                let page = try await store.page(of: selection, limit: 100, after: cursor)
                times += page.logs.map(\.time)
                cursor = page.next
            }
            #expect(times == (0..<300).map { base + Int64(55_000 - $0) * 1_000 })
            var word = LogSelection(search: try SearchExpression(parsing: "word"))
            #expect(
                try await store.page(of: word, limit: 5).logs.map(\.time)
                    == (0..<5).map { base + Int64(110_000 - $0) * 1_000 }
            )
            word.until = base + 60_000_000
            word.from = base + 50_000_000
            #expect(
                try await store.page(of: word, limit: 5).logs.map(\.time)
                    == (1..<6).map { base + Int64(60_000 - $0) * 1_000 }
            )
            #expect(try await store.overview(of: word).total == 10_000)
            #expect(try await self.total("common", store) == 55_000)
            #expect(try await self.total("not common", store) == 55_000)
        }
    }

    /// Whole minutes are counted when the logs come, what is left and right of them is not.
    @Test func countsTheSameByMinutesAndByLogs() async throws {
        try await withStore { store async throws in
            let base: Int64 = 1_700_000_000_000_000
            let logs = (0..<5_000).map { index in
                LogFields([
                    Field("time", "\(base + Int64(index) * 1_700_000)"),
                    Field("level", index % 3 == 0 ? "error" : "info"),
                ])
            }
            try await self.append(logs, to: store, receivedAt: Date(microseconds: base + 8_500_000_000))
            for (from, until) in [(0, 8_500), (13, 8_333), (100, 3_700), (3, 59), (nil, nil)] as [(Int64?, Int64?)] {
                for search in ["", "level: error", "not level: error"] {
                    var selection = LogSelection(search: try SearchExpression(parsing: search))
                    selection.from = from.map { base + $0 * 1_000_000 + 1 }
                    selection.until = until.map { base + $0 * 1_000_000 }
                    let overview = try await store.overview(of: selection, buckets: 10)
                    let matching = try await store.page(of: selection, limit: 6_000).logs
                    #expect(overview.total == matching.count, "\(selection)")
                    var buckets = overview.buckets.map { $0.map { _ in 0 } }
                    for log in matching {
                        buckets[Int((log.time - overview.start) / overview.step)][log.severity.rawValue] += 1
                    }
                    #expect(overview.buckets == buckets, "\(selection)")
                }
            }
        }
    }
}

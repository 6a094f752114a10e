// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

@Suite("Search")
struct SearchTests {
    /// A log whose fields are `name=value`, separated by semicolons.
    private func log(_ text: String) -> LogFields {
        LogFields(
            text.split(separator: ";").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return Field(String(parts[0]), String(parts[1]))
            }
        )
    }

    private func matching(_ search: String, in store: LogStore) async throws -> [String] {
        let selection = LogSelection(search: try SearchExpression(parsing: search))
        return try await store.page(of: selection, limit: 1000).logs.compactMap { $0.log["n"] }.sorted()
    }

    private static let depth = 16

    /// Each as deep as a search may be.
    @Test(
        arguments: [
            String(repeating: "not ", count: Self.depth - 1) + "placed",
            (1..<Self.depth).reduce("placed") { inner, level in
                level.isMultiple(of: 2) ? "(a and \(inner))" : "(b or \(inner))"
            },
        ]
    )
    func searchesAsDeepAsMayBe(search: String) async throws {
        let store = try LogStore()
        try await self.sample(store)
        for search in [search, search.replacing("placed", with: "ms > 1")] {
            _ = try await self.matching(search, in: store)
            _ = try await store.overview(of: LogSelection(search: try SearchExpression(parsing: search)))
        }
        #expect(throws: SearchError.self) { try SearchExpression(parsing: "not ((\(search)))") }
    }

    private func sample(_ store: LogStore) async throws {
        let logs = [
            "n=1;level=info;label=shop.orders;message=order placed;ms=12;seq=1",
            "n=2;level=error;label=shop.orders;message=payment failed: \"card\" declined;ms=120.5;seq=2",
            "n=3;level=warning;label=shop.db;message=slow query, order by placed;ms=900;user=;seq=3",
            "n=4;message=订单支付失败;note=Ünïcode\nsecond line;seq=4",
        ]
        try await store.append(
            LogGroup(topic: "Orders", source: "host-1", tags: [Field("env", "prod")], logs: logs.map(self.log)),
            project: "p",
            logstore: "app"
        )
        try await store.append(
            LogGroup(
                topic: "",
                source: "host-2",
                tags: [Field("env", "staging"), Field("n", "7")],
                logs: [self.log("n=5;level=ERR;message=order 1 lost;ms=abc")]
            ),
            project: "q",
            logstore: "web"
        )
    }

    static let expectations: [(String, [String])] = [
        ("", ["1", "2", "3", "4", "5"]),
        ("order", ["1", "3", "5"]),
        ("ORDER", ["1", "3", "5"]),
        ("\"order placed\"", ["1"]),
        ("orders", ["1", "2", "3", "4"]),
        ("pay*", ["2"]),
        ("\"by pla\"", []),
        ("\"order by\" pla*", ["3"]),
        ("card", ["2"]),
        ("支付", ["4"]),
        ("\"付支\"", []),
        ("ÜNÏCODE", ["4"]),
        ("second", ["4"]),
        ("nsecond", []),
        ("level: error", ["2"]),
        ("level: err", ["5"]),
        ("level: *", ["1", "2", "3", "5"]),
        ("not level: *", ["4"]),
        ("level: info or level: error", ["1", "2"]),
        ("label: shop not label: db", ["1", "2"]),
        ("message: order", ["1", "3", "5"]),
        ("user: \"\"", ["3"]),
        ("user: *", ["3"]),
        ("ms > 100", ["2", "3"]),
        ("ms >= 12 ms < 121", ["1", "2"]),
        ("ms = 900", ["3"]),
        ("__topic__: orders", ["1", "2", "3", "4"]),
        ("not __topic__: *", ["5"]),
        ("__source__: \"host-2\"", ["5"]),
        ("__tag__:env: prod", ["1", "2", "3", "4"]),
        ("__tag__:n > 6", ["5"]),
        ("__tag__:missing: *", []),
        ("missing: x", []),
        ("not order", ["2", "4"]),
        ("(failed or lost) and not level: err", ["2"]),
        ("seq: 2", ["2"]),
        ("seq > 2", ["3", "4"]), ("message = \"order placed\"", ["1"]), ("message = \"Order placed\"", []),
        ("label = \"shop.orders\"", ["1", "2"]), ("label = \"shop\"", []),
        ("not label = \"shop.db\"", ["1", "2", "4", "5"]),
        ("__tag__:env = \"prod\" and ms = \"12\"", ["1"]), ("__topic__ = \"orders\"", []),
        ("message = \"订单支付失败\"", ["4"]),
    ]

    @Test(arguments: expectations)
    func finds(search: String, expected: [String]) async throws {
        try await withStore { store async throws in
            try await self.sample(store)
            #expect(try await self.matching(search, in: store) == expected)
        }
    }

    /// The same answers when the logs are spread over full blocks, where the index has its say.
    @Test func findsTheSameThroughTheIndex() async throws {
        try await withStore { store async throws in
            let filler = LogGroup(
                topic: "filler",
                source: "s",
                tags: [],
                logs: (0..<700).map { self.log("message=nothing to see \($0);level=debug") }
            )
            try await store.append(filler, project: "p", logstore: "app")
            try await self.sample(store)
            try await store.append(filler, project: "p", logstore: "app")
            for (search, expected) in Self.expectations {
                #expect(
                    try await self.matching("(\(search.isEmpty ? "*" : search)) and n: *", in: store) == expected,
                    "\(search)"
                )
                let selection = LogSelection(search: try SearchExpression(parsing: search))
                let overview = try await store.overview(of: selection)
                var query = LogQuery()
                query.search = selection.search
                #expect(overview.total == (try await store.count(matching: query)), "\(search)")
                #expect(overview.buckets.joined().reduce(0, +) == overview.total, "\(search)")
                #expect(try await store.logs(matching: query).count == overview.total, "\(search)")
            }
        }
    }

    @Test func tellsProjectsAndLogstoresApart() async throws {
        try await withStore { store async throws in
            try await self.sample(store)
            #expect(try await store.page(of: LogSelection(project: "q"), limit: 10).logs.count == 1)
            #expect(try await store.page(of: LogSelection(project: "p", logstore: "app"), limit: 10).logs.count == 4)
            #expect(try await store.page(of: LogSelection(project: "q", logstore: "app"), limit: 10).logs.isEmpty)
        }
    }

    @Test func pagesThroughEverythingOnceAndNewestFirst() async throws {
        try await withStore { store async throws in
            // Times that go up and down against the order of arrival.
            let base = Date()
            for request in 0..<30 {
                let logs = (0..<50).map { index -> LogFields in
                    let time = base.addingTimeInterval(Double((request * 7919 + index * 104_729) % 5000))
                    return LogFields([
                        Field("time", time.formatted(.iso8601)), Field("n", "\(request * 50 + index)"),
                    ])
                }
                try await store.append(
                    LogGroup(topic: "", source: "", tags: [], logs: logs),
                    project: "p",
                    logstore: "l",
                    receivedAt: base
                )
            }
            var seen: [StoredLog] = []
            var cursor: LogPage.Cursor?
            repeat {
                let page = try await store.page(of: LogSelection(), limit: 70, after: cursor)
                seen += page.logs
                cursor = page.next
            } while cursor != nil
            #expect(seen.count == 1500)
            #expect(Set(seen.compactMap { $0.log["n"] }).count == 1500)
            // A statement further from the receipt than a quarter of an hour into the future is not believed.
            #expect(zip(seen, seen.dropFirst()).allSatisfy { ($0.time, $0.id) > ($1.time, $1.id) })
        }
    }

    @Test func boundsTime() async throws {
        try await withStore { store async throws in
            let base: Int64 = 1_700_000_000_000_000
            for second in 0..<600 {
                try await store.append(
                    LogGroup(topic: "", source: "", tags: [], logs: [self.log("n=\(second);level=info")]),
                    project: "p",
                    logstore: "l",
                    receivedAt: Date(microseconds: base + Int64(second) * 1_000_000)
                )
            }
            var selection = LogSelection()
            selection.from = base + 100_000_000
            selection.until = base + 400_000_000
            #expect(
                try await store.page(of: selection, limit: 1000).logs.map(\.log["n"])
                    == (100..<400).reversed().map { "\($0)" }
            )
            let overview = try await store.overview(of: selection, buckets: 30)
            #expect(overview.total == 300)
            #expect(overview.step == 10_000_000)
            #expect(overview.start == selection.from)
            #expect(overview.buckets.map { $0[Severity.info.rawValue] } == [Int](repeating: 10, count: 30))
            #expect(overview.levels == [LogOverview.Count(value: "info", count: 300)])
        }
    }

    @Test func countsFields() async throws {
        try await withStore { store async throws in
            try await self.sample(store)
            let facets = try await store.facets(of: LogSelection(), limit: 100)
            #expect(facets.logs == 5 && facets.isComplete)
            let message = try #require(facets.fields.first { $0.name == "message" })
            #expect(message.count == 5 && message.values.count == 5)
            let env = try #require(facets.fields.first { $0.name == "__tag__:env" })
            #expect(env.values.map(\.value) == ["prod", "staging"] && env.values.map(\.count) == [4, 1])
            #expect(!facets.fields.contains { $0.name == "seq" || $0.name == "time" })
            let level = try await store.facets(of: LogSelection(project: "p"), only: .log("level"), limit: 100)
            #expect(level.fields.map(\.name) == ["level"])
            #expect(level.fields[0].values.map(\.value) == ["error", "info", "warning"])
            let some = try await store.facets(of: LogSelection(), limit: 2)
            #expect(some.logs == 2 && !some.isComplete)
        }
    }

    @Test func showsWhatTheProducerSentAround() async throws {
        try await withStore { store async throws in
            let time = Date()
            var batch = 0
            func send(_ sequences: [Int], source: String, topic: String, after seconds: Double) async throws {
                batch += 1
                let logs = sequences.map { sequence in
                    LogFields([
                        Field("seq", "\(sequence)"),
                        Field(
                            "time",
                            time.addingTimeInterval(seconds + Double(sequence) / 1000)
                                .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
                        ),
                    ])
                }
                try await store.append(
                    LogGroup(
                        topic: topic,
                        source: source,
                        tags: [Field("__pack_id__", "5\(topic)-\(batch)")],
                        logs: logs
                    ),
                    project: "p",
                    logstore: "l"
                )
            }
            // Batches are numbered for each topic apart. An earlier run, two topics whose requests arrive the other way round, another producer, and a duplicate.
            try await send(Array(1...20), source: "a", topic: "x", after: -60)
            try await send([4, 5, 6], source: "a", topic: "y", after: 0)
            try await send([1, 2, 3, 7, 8], source: "a", topic: "x", after: 0)
            try await send([4, 5, 6], source: "a", topic: "y", after: 0)
            try await send(Array(1...20), source: "b", topic: "x", after: 0)
            let center = try #require(
                try await store.logs().first { $0.log["seq"] == "5" && $0.request.topic == "y" }
            )
            let context = try #require(try await store.context(of: center.id, count: 3))
            #expect(context.isBySequence)
            #expect(context.logs.map(\.log["seq"]) == ["2", "3", "4", "5", "6", "7", "8"])
            #expect(context.index == 3 && context.logs[3].id == center.id)
            // Those of this run, not of the earlier one with the same numbers.
            #expect(context.logs.allSatisfy { abs($0.time - center.time) < 1_000_000 })
            #expect(context.logs.map(\.request.topic) == ["x", "x", "y", "y", "y", "x", "x"])
            #expect(try await store.context(of: 9999, count: 3) == nil)
        }
    }

    @Test(
        arguments: [
            ("2026-11-23T08:15:30.012345678Z", 1_795_421_730_012_345), ("2026-11-23 08:15:30", 1_795_421_730_000_000),
            ("2026-11-23T16:15:30+08:00", 1_795_421_730_000_000), ("1795421730", 1_795_421_730_000_000),
            ("1795421730012", 1_795_421_730_012_000), ("2000-02-29T00:00:00Z", 951_782_400_000_000), ("yesterday", nil),
            ("2026-13-01T00:00:00Z", nil), ("2026-11-23T08:15:30X", nil), ("", nil), ("99999999999999999999", nil),
            ("2026-02-30T00:00:00Z", nil), ("1900-02-29T00:00:00Z", nil), ("2026-04-31T00:00:00Z", nil),
        ] as [(String, Int64?)]
    )
    func readsTimes(text: String, expected: Int64?) {
        var text = text
        #expect(text.withUTF8(EventTime.microseconds) == expected)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

@Suite("Retention")
struct RetentionTests {
    private func fill(
        _ store: LogStore,
        requests: Int,
        start: Date = Date(timeIntervalSince1970: 1_700_000_000)
    ) async throws {
        for request in 0..<requests {
            let logs = (0..<256).map {
                LogFields([Field("n", "\(request * 256 + $0)"), Field("message", "word\(request) \(UUID())")])
            }
            try await store.append(
                LogGroup(topic: "", source: "", tags: [], logs: logs),
                project: "p",
                logstore: "l",
                receivedAt: start.addingTimeInterval(Double(request) * 3600)
            )
        }
    }

    @Test func deletesWhatIsTooOld() async throws {
        try await withStore { store async throws in
            try await self.fill(store, requests: 10)
            let now = Date(timeIntervalSince1970: 1_700_000_000 + 9 * 3600)
            #expect(try await store.prune(Retention(maximumAge: .seconds(10 * 3600)), now: now) == 0)
            #expect(try await store.prune(Retention(maximumAge: .seconds(4.5 * 3600)), now: now) == 5 * 256)
            #expect(try await store.count() == 5 * 256)
            #expect(try await store.requests().count == 5)
            #expect(try await store.logs().first?.log["n"] == "1280")
            // What is left is found, what is gone is not, and new logs go on behind.
            var query = LogQuery()
            query.search = try SearchExpression(parsing: "word4 or word5")
            #expect(try await store.count(matching: query) == 256)
            try await self.fill(store, requests: 1, start: now)
            #expect(try await store.logs().last?.id == 11 * 256)
            #expect(try await store.overview(of: LogSelection()).total == 6 * 256)
        }
    }

    @Test func deletesTheOldestWhenTheStoreIsTooLarge() async throws {
        try await withStore { store async throws in
            try await self.fill(store, requests: 100)
            let bytes = try await store.contents().bytes
            #expect(try await store.prune(Retention(maximumBytes: bytes + 1)) == 0)
            let deleted = try await store.prune(Retention(maximumBytes: bytes / 2))
            #expect(deleted > 30 * 256 && deleted < 99 * 256)
            #expect(try await store.contents().bytes <= bytes / 2)
            #expect(try await store.logs().last?.log["n"] == "25599")
        }
    }

    /// The words of single logs stay, those of a whole table go with it.
    @Test func dropsTablesOfWords() async throws {
        try await withTemporaryDirectory { directory in
            let store = try LogStore(
                path: directory.appending(path: "logs.sqlite").path,
                options: StoreOptions(logsPerTable: 1024)
            )
            func tables() async throws -> [String] {
                try await store.database.read {
                    try String.fetchAll(
                        $0,
                        sql: "SELECT name FROM sqlite_master WHERE sql LIKE '%USING fts5%' ORDER BY name"
                    )
                }
            }
            func found(_ search: String) async throws -> Int {
                try await store.overview(of: LogSelection(search: SearchExpression(parsing: search))).total
            }
            try await self.fill(store, requests: 10)
            #expect(try await tables() == ["words_0", "words_1", "words_2"])
            for request in 0..<10 { #expect(try await found("word\(request)") == 256) }
            let now = Date(timeIntervalSince1970: 1_700_000_000 + 9 * 3600)
            #expect(try await store.prune(Retention(maximumAge: .seconds(6.5 * 3600)), now: now) == 3 * 256)
            #expect(try await tables() == ["words_0", "words_1", "words_2"])
            #expect(try await store.prune(Retention(maximumAge: .seconds(3.5 * 3600)), now: now) == 3 * 256)
            #expect(try await tables() == ["words_1", "words_2"])
            for request in 0..<10 { #expect(try await found("word\(request)") == (request < 6 ? 0 : 256)) }
            // And on into the next table.
            try await self.fill(store, requests: 4, start: now)
            #expect(try await tables() == ["words_1", "words_2", "words_3"])
            #expect(try await found("word3") == 256)
            #expect(try await found("word9") == 256)
            try await store.prune(Retention(maximumAge: .zero), now: now.addingTimeInterval(86_400))
            #expect(try await tables() == ["words_3"])
            #expect(try await found("word3 or word9") == 256)
            try store.close()
        }
    }

    @Test func alwaysKeepsTheNewest() async throws {
        try await withStore { store async throws in
            try await self.fill(store, requests: 3)
            try await store.prune(Retention(maximumAge: .zero, maximumBytes: 1))
            #expect(try await store.count() == 256)
            try await self.fill(store, requests: 1)
            #expect(try await store.logs().map(\.id).max() == 4 * 256)
        }
    }

    @Test func forgetsWhatHasNoLogsAnyMore() async throws {
        try await withStore { store async throws in
            let start = Date(timeIntervalSince1970: 1_700_000_000)
            for logstore in 0..<4 {
                let logs = (0..<300).map { LogFields([Field("label", "l\($0 % 3)"), Field("n", "\($0)")]) }
                try await store.append(
                    LogGroup(topic: "", source: "", tags: [], logs: logs),
                    project: "p",
                    logstore: "store-\(logstore)",
                    receivedAt: start.addingTimeInterval(Double(logstore) * 3600)
                )
            }
            let now = start.addingTimeInterval(3 * 3600)
            #expect(try await store.prune(Retention(maximumAge: .seconds(5400)), now: now) == 600)
            #expect(try await store.logstores() == ["store-2", "store-3"])
            try await store.append(
                LogGroup(topic: "", source: "", tags: [], logs: [LogFields([Field("label", "new")])]),
                project: "p",
                logstore: "store-0",
                receivedAt: now
            )
            let overview = try await store.overview(of: LogSelection())
            #expect(overview.total == 1200 - 600 + 1)
            let labels = Dictionary(uniqueKeysWithValues: overview.labels.map { ($0.value, $0.count) })
            #expect(labels["new"] == 1 && labels.values.reduce(0, +) == overview.total)
            let found = try await store.page(
                of: LogSelection(search: SearchExpression(parsing: "label: new")),
                limit: 9
            )
            #expect(found.logs.map(\.request.logstore) == ["store-0"])
        }
    }

    @Test func deletesDeliveriesToo() async throws {
        try await withStore { store async throws in
            let now = Date(timeIntervalSince1970: 1_700_000_000)
            for index in 0..<5_000 {
                var delivery = Delivery.sample
                delivery.receivedAt = now.microseconds - Int64(5_000 - index) * 1_000_000
                await store.note(delivery)
            }
            #expect(try await store.deliveries().summary.requests == 5_000)
            try await store.prune(Retention(maximumAge: .seconds(4_000.5)), now: now)
            #expect(try await store.deliveries().summary.requests == 4_000)
            // A tenth of the room.
            try await store.prune(Retention(maximumBytes: 4_000_000), now: now)
            #expect(try await store.deliveries().summary.requests == 1_000)
        }
    }

    @Test func countsWhatIsLeft() async throws {
        try await withStore { store async throws in
            try await self.fill(store, requests: 30)
            let now = Date(timeIntervalSince1970: 1_700_000_000 + 29 * 3600)
            try await store.prune(Retention(maximumAge: .seconds(3.5 * 3600)), now: now)
            #expect(try await store.contents().logs == 4 * 256)
            let overview = try await store.overview(of: LogSelection(), buckets: 10)
            #expect(overview.total == 4 * 256 && overview.step >= 60_000_000)
            let counts = try await store.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM counts") }
            #expect(counts == 4)
        }
    }

    @Test func livesInMemory() async throws {
        let store = try LogStore()
        try await self.fill(store, requests: 3)
        #expect(try await store.count() == 768 && store.path == nil)
        #expect(
            try await store.page(of: LogSelection(search: SearchExpression(parsing: "word1")), limit: 500).logs.count
                == 256
        )
        try store.close()
    }
}

extension Delivery {
    fileprivate static var sample: Delivery {
        Delivery(
            receivedAt: 0,
            project: "p",
            logstore: "l",
            client: "127.0.0.1",
            status: 200,
            code: "",
            message: "",
            rawBytes: 1,
            wireBytes: 1,
            compression: "none",
            logCount: 1,
            microseconds: 1,
            batch: "",
            isStored: true
        )
    }
}

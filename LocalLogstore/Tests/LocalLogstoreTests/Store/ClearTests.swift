// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

@Suite("Clear")
struct ClearTests {
    private func send(
        _ store: LogStore,
        _ logs: [String],
        to logstore: String = "app",
        in project: String = "p"
    ) async throws {
        try await store.append(
            LogGroup(
                topic: "",
                source: "",
                tags: [],
                logs: logs.map { LogFields([Field("message", $0), Field("level", "info"), Field("label", logstore)]) }
            ),
            project: project,
            logstore: logstore,
            receivedAt: Date(timeIntervalSince1970: 1_700_000_000)
        )
    }

    private func delivery(_ logstore: String, status: Int = 200) -> Delivery {
        Delivery(
            id: 0,
            receivedAt: 1_700_000_000_000_000,
            project: "p",
            logstore: logstore,
            client: "c",
            status: status,
            code: "",
            message: "",
            rawBytes: 1,
            wireBytes: 1,
            compression: "none",
            logCount: 1,
            microseconds: 1,
            batch: "",
            attempt: 0,
            isStored: true,
            isDuplicate: false
        )
    }

    private func found(_ search: String, in store: LogStore) async throws -> [String] {
        let page = try await store.page(of: LogSelection(search: SearchExpression(parsing: search)), limit: 1000)
        let overview = try await store.overview(of: LogSelection(search: SearchExpression(parsing: search)))
        #expect(overview.total == page.logs.count)
        return page.logs.compactMap { $0.log["message"] }
    }

    @Test func removesEverythingOfALogstoreAndNothingElse() async throws {
        try await withStore { store async throws in
            try await self.send(store, ["one", "two"])
            try await self.send(store, ["one", "three"], to: "other")
            try await self.send(store, ["one"], in: "q")
            await store.note(self.delivery("app"))
            await store.note(self.delivery("other", status: 500))
            #expect(try await store.clear(project: "p", logstore: "app") == Cleared(logs: 2, deliveries: 1))
            #expect(try await self.found("one", in: store) == ["one", "one"])
            #expect(try await self.found("two", in: store) == [])
            #expect(
                try await store.contents().logstores.map { "\($0.project)/\($0.logstore) \($0.logs)" } == [
                    "p/other 2", "q/app 1",
                ]
            )
            #expect(try await store.requests().map(\.logstore) == ["other", "app"])
            #expect(try await store.deliveries().deliveries.map(\.logstore) == ["other"])
            #expect(try await store.clear(logstore: "app") == Cleared(logs: 1))
            #expect(try await store.clear(project: "nobody") == Cleared())
            #expect(try await store.clear() == Cleared(logs: 2, deliveries: 1))
            #expect(try await store.contents().logs == 0)
            #expect(try await store.overview(of: LogSelection()) == LogOverview())
        }
    }

    /// The index of words keeps those of single logs: no other log may get their number, in no process.
    @Test(arguments: [nil, "app"] as [String?])
    func givesNoNumberTwice(logstore: String?) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            var store = try LogStore(path: path, options: StoreOptions(logsPerTable: 4))
            try await self.send(store, ["kept", "kept"], to: "other")
            try await self.send(store, (0..<9).map { "gone\($0)" })
            try await store.clear(logstore: logstore)
            #expect(try await store.newestID() == 11)
            #expect(try await store.arrivals(after: 5, matching: LogSelection(), limit: 10).position == 11)
            try await self.send(store, ["new"])
            #expect(try await store.logs().last?.id == 12)
            try await store.clear(logstore: logstore)
            try store.close()
            store = try LogStore(path: path, options: StoreOptions(logsPerTable: 4))
            try await self.send(store, ["newer"])
            #expect(try await store.logs().last?.id == 13)
            #expect(try await self.found("gone8 or gone0 or new", in: store) == [])
            #expect(try await self.found("newer", in: store) == ["newer"])
            #expect(try await self.found("not kept", in: store) == ["newer"])
            try store.close()
        }
    }

    /// Each table of words between the first log and the last is asked.
    @Test func leavesNoGapBetweenLogs() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            let store = try LogStore(path: path, options: StoreOptions(logsPerTable: 4))
            try await self.send(store, ["first"], to: "other")
            try await self.send(store, (0..<20).map { "gone\($0)" })
            try await self.send(store, ["last"], to: "other")
            try await store.clear(logstore: "app")
            #expect(try await self.found("first or last or gone3", in: store) == ["last", "first"])
            // What retention deletes next is what is left.
            try await self.send(store, (0..<300).map { "new\($0)" }, to: "other")
            #expect(try await store.prune(Retention(maximumBytes: 1)) > 0)
            #expect(try await self.found("first", in: store) == [])
            #expect(try await self.found("new299", in: store) == ["new299"])
            try store.close()
        }
    }

    @Test func losesNothingThatComesMeanwhile() async throws {
        try await withStore { store async throws in
            for request in 0..<40 { try await self.send(store, (0..<500).map { "before\(request).\($0)" }) }
            await store.note(self.delivery("app"))
            let cleared = try await withThrowingTaskGroup(of: Cleared?.self) { tasks in
                tasks.addTask { try await store.clear() }
                for sender in 0..<4 {
                    tasks.addTask {
                        for request in 0..<50 {
                            try await self.send(
                                store,
                                ["meanwhile\(sender).\(request).a", "meanwhile\(sender).\(request).b"]
                            )
                        }
                        return nil
                    }
                }
                tasks.addTask {
                    // Once something is gone, what there is to remove is settled.
                    while try await store.log(1) != nil { await Task.yield() }
                    for request in 0..<20 {
                        try await self.send(store, ["late\(request)"])
                        await store.note(self.delivery("app"))
                    }
                    return nil
                }
                return try await tasks.reduce(Cleared()) { $1 ?? $0 }
            }
            await store.note(self.delivery("app"))
            try await self.send(store, ["after"])
            // What came before the clear began may be removed, request by request; all else is there.
            let left = try await store.logs().compactMap { $0.log["message"] }
            #expect(left.last == "after")
            #expect(!left.contains { $0.hasPrefix("before") })
            #expect(left.filter { $0.hasPrefix("late") }.count == 20)
            #expect(cleared.logs + left.count == 20_000 + 400 + 20 + 1)
            #expect(left.filter { $0.hasSuffix("a") }.count == left.filter { $0.hasSuffix("b") }.count)
            #expect(try await store.requests().reduce(0) { $0 + $1.logCount } == left.count)
            #expect(try await store.contents().logs == left.count)
            #expect(try await store.overview(of: LogSelection()).labels.map(\.count) == [left.count])
            #expect(try await store.deliveries().deliveries.count == 21)
        }
    }

    /// Of two clears the one that ends first frees the numbers of requests, and the next request gets one of them.
    @Test func twoAtOnceLeaveEachLogItsRequest() async throws {
        let store = try LogStore()
        for round in 0..<160 {
            try await self.send(store, ["first"])
            try await self.send(store, ["second"])
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<2 { tasks.addTask { try await store.clear() } }
                tasks.addTask {
                    // One step later in each round.
                    for _ in 0..<round % 16 { _ = try await store.newestID() }
                    try await self.send(store, ["meanwhile"])
                }
                try await tasks.waitForAll()
            }
            let counted = try await store.contents().logs
            #expect(try await store.logs().count == counted)
            #expect(try await store.requests().count == counted)
            try await store.clear()
        }
    }

    /// Senders wait for a transaction, so it drops one table of words.
    @Test func dropsTheWordsTableByTable() async throws {
        try await withTemporaryDirectory { directory in
            let options = StoreOptions(logsPerTable: 4)
            let store = try LogStore(path: directory.appending(path: "logs.sqlite").path, options: options)
            try await self.send(store, (0..<14).map { "gone\($0)" })
            let dropped = try await store.database.write { database in
                try database.execute(sql: "DELETE FROM logs WHERE id NOT BETWEEN 5 AND 8")
                func tables() throws -> Int {
                    let sql = "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%USING fts5%'"
                    return try Int.fetchOne(database, sql: sql) ?? 0
                }
                var dropped: [String] = []
                var table: Int64 = -1
                while let next = try StoreSchema.clearWords(behind: table, options, in: database) {
                    table = next
                    dropped.append("\(next): \(try tables())")
                }
                return dropped
            }
            // The first goes; those behind a log are made anew.
            #expect(dropped == ["0: 3", "2: 3", "3: 3"])
            #expect(try await store.newestID() == 14)
            #expect(try await self.found("gone5", in: store) == ["gone5"])
            try store.close()
        }
    }

    @Test func givesTheRoomBack() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            func size() throws -> Int {
                try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            }
            let store = try LogStore(path: path)
            try await self.send(store, ["small"], to: "other")
            for _ in 0..<20 {
                try await self.send(store, (0..<500).map { "\($0) " + String(repeating: "x", count: 500) })
            }
            try await store.database.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            let before = try size()
            #expect(before > 5_000_000)
            try await store.clear(logstore: "app")
            #expect(try size() < 300_000)
            #expect(try await self.found("small", in: store) == ["small"])
            try store.close()
        }
    }
}

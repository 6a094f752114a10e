// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import Synchronization
import Testing

@testable import LocalLogstore

/// What PullLogs gives while logs are removed.
@Suite("Pulling while logs are removed")
struct PullTests {
    private func append(
        _ topic: String,
        logs: Range<Int> = 0..<2,
        in project: String = "local",
        to store: LogStore
    ) async throws {
        let logs = logs.map { LogFields([Field("index", "\($0)")]) }
        let group = LogGroup(topic: topic, source: "", tags: [], logs: logs)
        try await store.append(group, project: project, logstore: "app")
    }

    /// An endpoint with three requests, and behind each one of another project.
    private func withRequests(_ body: (Signer, LogStore) async throws -> Void) async throws {
        try await withServer {
            $0.accessKeys = [Signer.key]
        } _: { server async throws in
            for topic in ["a", "b", "c"] {
                try await self.append(topic, to: server.store)
                try await self.append("not \(topic)", in: "other", to: server.store)
            }
            try await body(Signer(server: server), server.store)
        }
    }

    private func topics(_ signer: Signer, from cursor: String) async throws -> [String] {
        try await signer.pullAll(from: cursor).groups.map(\.topic)
    }

    /// The numbers of requests are given again then, those of logs are not.
    @Test(arguments: [nil, "local", "other"] as [String?])
    func losesNothingThatComesAfterAClear(project: String?) async throws {
        try await self.withRequests { signer, store async throws in
            let begin = try await signer.cursor(from: "begin")
            let middle = try await signer.pull(from: begin).next
            let end = try await signer.cursor(from: "end")
            #expect(try await self.topics(signer, from: middle) == ["c"])
            try await store.clear(project: project)
            #expect(try await signer.pull(from: end).next == end)
            for topic in ["new", "newer"] { try await self.append(topic, to: store) }
            let kept = project == "other" ? ["a", "b", "c"] : []
            #expect(try await self.topics(signer, from: begin) == kept + ["new", "newer"])
            #expect(try await self.topics(signer, from: middle) == Array(kept.dropFirst(2)) + ["new", "newer"])
            #expect(try await self.topics(signer, from: end) == ["new", "newer"])
            #expect(try await self.topics(signer, from: signer.cursor(from: "begin")) == kept + ["new", "newer"])
        }
    }

    /// It deletes by logs, so that of one request some are left.
    @Test func goesOnBehindWhatRetentionDeletes() async throws {
        try await withServer {
            $0.accessKeys = [Signer.key]
        } _: { server async throws in
            let signer = Signer(server: server)
            for request in 0..<10 {
                try await self.append("\(request)", logs: request * 100..<(request + 1) * 100, to: server.store)
            }
            let begin = try await signer.cursor(from: "begin")
            let read = try await signer.pull(from: begin)
            #expect(read.groups.map(\.topic) == ["0", "1"])
            #expect(try await server.store.prune(Retention(maximumBytes: 1)) == 744)
            let end = try await signer.cursor(from: "end")
            for cursor in [begin, read.next, try await signer.cursor(from: "begin")] {
                let (groups, next) = try await signer.pullAll(from: cursor)
                #expect(groups.map(\.topic) == ["7", "8", "9"] && next == end)
                #expect(groups.flatMap(\.logs).map { $0.contents[0].value } == (744..<1000).map { "\($0)" })
            }
        }
    }

    /// A clear removes requests behind their logs.
    @Test func aRequestWhoseLogsAreGoneIsNoGroup() async throws {
        try await self.withRequests { signer, store async throws in
            let begin = try await signer.cursor(from: "begin")
            // Those of "b".
            try await store.database.write { try $0.execute(sql: "DELETE FROM logs WHERE id IN (5, 6)") }
            #expect(try await self.topics(signer, from: begin) == ["a", "c"])
        }
    }

    @Test func anEndInFrontOfTheBeginningTakesNobodyBack() async throws {
        try await self.withRequests { signer, _ async throws in
            let begin = try await signer.cursor(from: "begin")
            let middle = try await signer.pull(from: begin).next
            for cursor in [middle, try await signer.cursor(from: "end")] {
                let pulled = try await signer.pull(from: cursor, until: begin)
                #expect(pulled.groups.isEmpty && pulled.next == cursor)
            }
        }
    }

    /// As after a start anew in memory: a reader would wait for what it never gets.
    @Test func refusesACursorOfAnotherDatabase() async throws {
        try await self.withRequests { signer, store async throws in
            let begin = try await signer.cursor(from: "begin")
            for number in [try await store.newestID() + 2, .max] {
                let cursor = Data("\(number)".utf8).base64EncodedString()
                for query in [[("cursor", cursor)], [("cursor", begin), ("end_cursor", cursor)]] {
                    let answer = try await signer.get("/logstores/app/shards/0", query: [("type", "log")] + query)
                    #expect(answer.status == 400 && answer.body.contains("InvalidCursor"), "\(answer.body)")
                }
            }
        }
    }

    /// Followers ask again and again, and mostly nothing has come.
    @Test func looksAtNoRequestWhereNothingHasCome() async throws {
        // In memory it has one connection.
        let store = try LogStore()
        var settings = ServerSettings()
        settings.port = 0
        settings.accessKeys = [Signer.key]
        try await withServer(of: store, settings) { server async throws in
            let signer = Signer(server: server)
            for topic in ["a", "b"] { try await self.append(topic, to: store) }
            let end = try await signer.cursor(from: "end")
            let statements = Mutex<[String]>([])
            try await store.database.write { database in
                database.trace { event in
                    if case .statement(let statement) = event { statements.withLock { $0.append(statement.sql) } }
                }
            }
            func requestsAreRead() -> Bool { statements.withLock { $0.contains { $0.contains("FROM requests") } } }
            #expect(try await signer.pull(from: end).groups.isEmpty)
            #expect(statements.withLock { !$0.isEmpty } && !requestsAreRead())
            try await self.append("new", to: store)
            #expect(try await signer.pull(from: end).groups.map(\.topic) == ["new"])
            #expect(requestsAreRead())
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import NIOHTTP1
import Testing

@testable import LocalLogstore

/// Writes with a hash key and a sequence id, each of which a logstore takes once.
@Suite("Idempotent writes")
struct IdempotentWriteTests {
    private static let key = "0123456789abcdef0123456789abcdef"
    private static let other = "fedcba9876543210fedcba9876543210"

    private func withSigner(
        _ change: (inout ServerSettings) -> Void = { _ in },
        _ body: (Signer) async throws -> Void
    ) async throws {
        try await withServer {
            $0.accessKeys = [Signer.key]
            $0.projects = .any
            change(&$0)
        } _: { server async throws in
            try await body(Signer(server: server))
        }
    }

    private func put(
        _ signer: Signer,
        _ sequence: UInt64?,
        _ message: String? = nil,
        key: String = Self.key,
        to logstore: String = "app"
    ) async throws -> Int {
        let message = message ?? sequence.map(String.init) ?? "none"
        let answer = try await signer.put(message, hashKey: key, sequence: sequence, to: logstore)
        #expect(
            answer.status == 200 || answer.body.hasPrefix(#"{"errorCode":"InvalidSequenceId","errorMessage":""#),
            "\(answer.body)"
        )
        #expect(answer.headers.contains(name: "x-log-requestid"))
        return answer.status
    }

    private func messages(_ store: LogStore) async throws -> [String] {
        try await store.logs().compactMap { $0.log["message"] }
    }

    // MARK: - What is taken

    @Test func takesEachIDAboveTheLastOnce() async throws {
        try await self.withSigner { signer async throws in
            let ids: [(UInt64, Int)] = [
                (1, 200), (1, 400), (2, 200), (1, 400), (2, 400), (10, 200), (9, 400), (10, 400),
                (1 << 63, 200), (1 << 63 - 1, 400), (.max, 200), (.max, 400),
            ]
            for (id, status) in ids { #expect(try await self.put(signer, id) == status, "\(id)") }
            #expect(
                try await self.messages(signer.server.store) == ["1", "2", "10", "\(UInt64(1) << 63)", "\(UInt64.max)"]
            )
            #expect(signer.server.server.statistics.logs == 5)
            #expect(try await signer.server.store.requests().count == 5)
        }
    }

    @Test func withoutAnIDAWriteIsStoredEachTime() async throws {
        try await self.withSigner { signer async throws in
            for id in [nil, nil, 1, nil, 1] as [UInt64?] { _ = try await self.put(signer, id) }
            #expect(try await self.messages(signer.server.store) == ["none", "none", "1", "none"])
        }
    }

    /// A key is a number, however its digits are written.
    @Test func eachLogstoreOfEachProjectHasKeysOfItsOwn() async throws {
        try await self.withSigner { signer async throws in
            var signer = signer
            for isFirst in [true, false] {
                for project in ["local", "shop"] {
                    signer.host = "\(project).example.com"
                    for logstore in ["app", "web"] {
                        for key in [Self.key, Self.other] {
                            let key = isFirst ? key : key.uppercased()
                            let status = try await self.put(signer, 1, key: key, to: logstore)
                            #expect(status == (isFirst ? 200 : 400))
                        }
                    }
                }
            }
            #expect(try await signer.server.store.count() == 8)
        }
    }

    /// Each has a connection of its own, and some of them come into one transaction.
    @Test func ofSeveralWritersAtOnceOneIsStored() async throws {
        try await self.withSigner { signer async throws in
            for id in 1...50 as ClosedRange<UInt64> {
                let statuses = try await withThrowingTaskGroup(of: Int.self) { writers in
                    for writer in 0..<4 {
                        writers.addTask { try await self.put(signer, id, "\(id) of \(writer)") }
                    }
                    return try await writers.reduce(into: [Int]()) { $0.append($1) }
                }
                #expect(statuses.sorted() == [200, 400, 400, 400])
            }
            let stored = try await self.messages(signer.server.store).map { $0.prefix { $0 != " " } }
            #expect(stored == (1...50).map { "\($0)" })
        }
    }

    /// Its headers, its signature and its order of parameters.
    @Test func takesWhatLoongCollectorSends() async throws {
        try await self.withSigner { signer async throws in
            for (id, status) in [(1, 200), (1, 400), (2, 200)] {
                let raw = logGroup("line \(id)")
                let request = signer.request(
                    .POST,
                    "/logstores/app/shards/route",
                    query: [("key", "D41D8CD98F00B204E9800998ECF8427E"), ("seqid", "\(id)")],
                    body: Wire.lz4(raw),
                    rawSize: raw.count,
                    headers: [
                        ("content-type", "application/x-protobuf"), ("x-log-compresstype", "lz4"),
                        ("user-agent", "ilogtail/3.3.0 (Linux; 5.10.134; x86_64) ip/10.0.0.7 env/K8S-Daemonset"),
                    ]
                )
                let answer = try await signer.server.send(request)
                #expect(answer.status == status && answer.body.contains("InvalidSequenceId") == (status == 400))
            }
            #expect(try await self.messages(signer.server.store) == ["line 1", "line 2"])
        }
    }

    // MARK: - What is heard of it

    @Test func aRefusedDuplicateIsADeliveryThatWasRefused() async throws {
        try await self.withSigner { signer async throws in
            for id in [7, 7, 8] as [UInt64] { _ = try await self.put(signer, id) }
            let answer = try await signer.server.api("deliveries?refused=1")
            let page = try JSONValue(parsing: Array(answer.body.utf8))
            guard case .array(let refused)? = page["deliveries"] else { return #expect(Bool(false), "\(answer.body)") }
            #expect(refused.count == 1 && refused[0]["code"]?.json == #""InvalidSequenceId""#)
            #expect(refused[0]["status"]?.json == "400" && refused[0]["stored"]?.json == "false")
            #expect(
                refused[0]["message"]?.json.contains("7 is not above 7, the last one of the key \(Self.key)") == true
            )
            #expect(page["summary"]?["duplicates"]?.json == "0" && page["summary"]?["logs"]?.json == "2")
        }
    }

    /// Whether it was to be that of a write or of a refusal.
    @Test func afterALostAnswerTheNextOneIsARefusal() async throws {
        let faults: [Fault?] = [.resetAfterStore, .cutReply, .resetAfterStore, .slow(.zero), nil]
        try await self.withSigner {
            $0.faults = .sequence(faults)
        } _: { signer async throws in
            for fault in faults {
                let status = try? await self.put(signer, 1)
                let isLost = fault == .resetAfterStore || fault == .cutReply
                #expect(status == (isLost ? nil : 400), "\(String(describing: fault))")
            }
            #expect(try await self.messages(signer.server.store) == ["1"])
            let deliveries = try await signer.server.store.deliveries().deliveries.reversed()
            #expect(deliveries.map(\.status) == [0, 400, 0, 400, 400])
            #expect(deliveries.map(\.isStored) == [true, false, false, false, false])
            let (reset, refused) = ("ConnectionReset", "InvalidSequenceId")
            #expect(deliveries.map(\.code) == [reset, refused, reset, refused, refused])
        }
    }

    // MARK: - What is remembered

    @Test func whatIsNotStoredHasNotUsedItsID() async throws {
        try await self.withSigner { signer async throws in
            #expect(try await self.put(signer, 1) == 200)
            // There is room for the id alone.
            let pages = try await signer.server.store.database.read { try Int.fetchOne($0, sql: "PRAGMA page_count") }
            func limit(_ pages: Int) async throws {
                try await signer.server.store.database.writeWithoutTransaction {
                    try $0.execute(sql: "PRAGMA max_page_count = \(pages)")
                }
            }
            try await limit(pages ?? 0)
            let message = String(repeating: "long ", count: 20_000)
            let refused = try await signer.put(message, hashKey: Self.key, sequence: 2)
            #expect(refused.status == 507, "\(refused.body)")
            // A refusal needs no room, so it ends no trouble.
            #expect(try await self.put(signer, 1) == 400)
            #expect(!signer.server.events.all.contains(.storeRecovered(refused: 1)))
            try await limit(1_000_000)
            #expect(try await self.put(signer, 2) == 200)
            #expect(signer.server.events.all.contains(.storeRecovered(refused: 1)))
            #expect(try await self.messages(signer.server.store) == ["1", "2"])
        }
    }

    private func append(
        _ store: LogStore,
        _ sequence: UInt64?,
        key: String = Self.key,
        logs: Int = 1,
        to logstore: String = "app",
        at seconds: Double = 0,
        memory: Duration? = nil
    ) async throws -> Bool {
        let message = sequence.map(String.init) ?? "none"
        let group = LogGroup(
            topic: "",
            source: "",
            tags: [],
            logs: (0..<logs).map { _ in LogFields([Field("message", message)]) }
        )
        do {
            try await store.append(
                group,
                project: "local",
                logstore: logstore,
                receivedAt: Date(timeIntervalSince1970: 1_700_000_000 + seconds),
                write: sequence.map { IdempotentWrite(key: key, sequence: $0, memory: memory) }
            )
            return true
        } catch let refusal as ServiceError {
            #expect(refusal.code == "InvalidSequenceId")
            return false
        }
    }

    @Test func isKnownAfterAStartAnew() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            var store = try LogStore(path: path)
            #expect(try await self.append(store, 5))
            try store.close()
            store = try LogStore(path: path)
            #expect(try await !self.append(store, 5))
            #expect(try await self.append(store, 6))
            try store.close()
        }
    }

    @Test func aFileFromBeforeThereWereKeysGetsThem() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            var store = try LogStore(path: path)
            #expect(try await self.append(store, nil))
            try await store.database.write { try $0.execute(sql: "DROP TABLE sequences") }
            try store.close()
            let reader = try LogStore(readingFrom: path)
            #expect(try await reader.count() == 1)
            try reader.close()
            store = try LogStore(path: path)
            #expect(try await self.append(store, 1))
            #expect(try await !self.append(store, 1))
            try store.close()
        }
    }

    @Test func aClearForgetsTheKeysOfWhatItRemoves() async throws {
        try await withStore { store async throws in
            for logstore in ["app", "web"] { #expect(try await self.append(store, 5, to: logstore)) }
            try await store.clear(logstore: "app")
            #expect(try await self.append(store, 5))
            #expect(try await !self.append(store, 5, to: "web"))
            try await store.clear()
            #expect(try await self.append(store, 5))
            // One that was broken off has left the rest to the next.
            try await store.database.write { try $0.execute(sql: "DELETE FROM logs") }
            try await store.clear()
            #expect(try await store.requests().isEmpty)
            #expect(try await self.append(store, 5))
        }
    }

    /// Their logs stay, so a second write would be there beside the first.
    @Test func aClearForgetsNoKeyThatIsWrittenMeanwhile() async throws {
        let store = try LogStore()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { while !Task.isCancelled { try await store.clear() } }
            for id in 1...300 as ClosedRange<UInt64> {
                _ = try await self.append(store, id)
                _ = try await self.append(store, id)
                let stored = try await self.messages(store)
                #expect(stored.count == Set(stored).count, "\(stored)")
            }
            tasks.cancelAll()
        }
    }

    /// As long as a log of its last write is there.
    @Test func retentionForgetsKeysWithTheirLogs() async throws {
        try await withStore { store async throws in
            let keys = ["a", "b", "c"].map { String(repeating: $0, count: 32) }
            #expect(try await self.append(store, 1, key: keys[0], logs: 10))
            #expect(try await self.append(store, 1, key: keys[1], logs: 10))
            #expect(try await self.append(store, 1, key: keys[2], logs: 10))
            #expect(try await self.append(store, 2, key: keys[0], logs: 10))
            // The newest 256 stay, of these one of the third.
            #expect(try await self.append(store, nil, logs: 245))
            #expect(try await store.prune(Retention(maximumBytes: 1)) == 29)
            #expect(try await !self.append(store, 2, key: keys[0]))
            #expect(try await self.append(store, 1, key: keys[1]))
            #expect(try await !self.append(store, 1, key: keys[2]))
        }
    }

    @Test func canForgetAKeyAWhileAfterItsLastWrite() async throws {
        let store = try LogStore()
        let memory = Duration.seconds(60)
        let first: [(Double, Bool)] = [(0, true), (59, false), (60, false), (60.5, true), (61, false)]
        for (seconds, isStored) in first {
            #expect(try await self.append(store, 1, at: seconds, memory: memory) == isStored, "\(seconds)")
        }
        // Another write begins anew.
        let second: [(Double, UInt64, Bool)] = [(110, 2, true), (160, 1, false), (171, 1, true)]
        for (seconds, id, isStored) in second {
            #expect(try await self.append(store, id, at: seconds, memory: memory) == isStored, "\(seconds)")
        }
    }

    @Test func forgetsKeysInARehearsal() async throws {
        try await self.withSigner { signer async throws in
            #expect(try await self.put(signer, 1) == 200)
            #expect(try await self.put(signer, 1) == 400)
            let change = try await signer.server.api("rehearsal", method: .PUT, json: #"{"forgetKeys":0}"#)
            #expect(change.status == 200 && change.body.contains(#""forgetKeys":0.0"#), "\(change.body)")
            #expect(try await self.put(signer, 1) == 200)
            #expect(try await signer.server.api("rehearsal", method: .PUT, json: "{}").status == 200)
            #expect(try await self.put(signer, 1) == 400)
            #expect(try await self.messages(signer.server.store) == ["1", "1"])
        }
    }
}

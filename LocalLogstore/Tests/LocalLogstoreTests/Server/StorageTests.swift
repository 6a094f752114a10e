// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import NIOHTTP1
import Testing

@testable import LocalLogstore

/// What becomes of requests that the database does not take. The errors are SQLite's own.
@Suite("Trouble with the database", .timeLimit(.minutes(5)))
struct StorageTests {
    private func trouble(_ server: TestServer) async throws -> JSONValue? {
        try JSONValue(parsing: Array(try await server.api("status").body.utf8))["trouble"]
    }

    private func tell(_ pragma: String, _ server: TestServer) async throws {
        try await server.store.database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA \(pragma)") }
    }

    /// Some logs that need room of their own.
    private static let body =
        #"{"__source__":"s","__logs__":["#
        + (0..<20).map { #"{"n":"\#($0)","k":"\#(String(repeating: "word ", count: 2_000))"}"# }.joined(separator: ",")
        + "]}"

    @Test func whereThereIsNoRoomSendersAreToldAndKeepTheirLogs() async throws {
        try await withServer { server async throws in
            // It cannot become smaller than it is.
            try await self.tell("max_page_count = 1", server)
            let answer = try await server.post(Self.body)
            #expect(answer.status == 507 && answer.body.contains("InsufficientStorage"), "\(answer)")
            #expect(answer.headers.first(name: "x-log-requestid") != nil)
            _ = try await server.post(Self.body)
            let trouble = try await self.trouble(server)
            #expect(
                trouble?["reason"]?.json == #""full""# && trouble?["refused"]?.json == "2",
                "\(String(describing: trouble))"
            )
            #expect(trouble?["message"]?.json.contains("logs.sqlite") == true)
            #expect(try await server.store.count() == 0)
            func told() -> [ServerEvent] {
                server.events.all.filter {
                    if case .storeFailed = $0 { true } else { $0 == .storeRecovered(refused: 2) }
                }
            }
            #expect(told().count == 1)

            try await self.tell("max_page_count = 1000000", server)
            #expect(try await server.post(Self.body).status == 200)
            #expect(try await self.trouble(server)?.json == "null")
            #expect(told().count == 2 && told().last == .storeRecovered(refused: 2))
            #expect(try await server.store.count() == 20)
            // What could not be written of the deliveries was only late.
            #expect(try await server.store.deliveries().summary.statuses == [507: 2, 200: 1])
        }
    }

    @Test func aDatabaseThatRefusesWritesIsToldAsThat() async throws {
        try await withServer { server async throws in
            try await self.tell("query_only = 1", server)
            for path in ["/logstores/app/track?APIVersion=0.6.0&k=v", "/logstores/app/track.gif?APIVersion=0.6.0&k=v"] {
                let answer = try await server.get(path)
                #expect(answer.status == 503 && answer.body.contains("StorageFailed"), "\(answer)")
                // Everybody may send; where the file is, is for its owner.
                #expect(!answer.body.contains("sqlite"))
            }
            let trouble = try await self.trouble(server)
            #expect(trouble?["reason"]?.json == #""failing""#)
            #expect(trouble?["message"]?.json.contains("readonly") == true, "\(String(describing: trouble))")
            try await self.tell("query_only = 0", server)
            #expect(try await server.post(Body.small).status == 200)
        }
    }

    /// One that comes while another is being refused is not tried then, and nobody may wait for it.
    @Test func deliveriesThatCannotBeWrittenHoldUpNobodyWhoAsksForThem() async throws {
        try await withServer { server async throws in
            try await self.tell("query_only = 1", server)
            for _ in 0..<20 {
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<16 {
                        tasks.addTask {
                            let answer = try await server.get("/logstores/app/track.gif?APIVersion=0.6.0&k=v")
                            #expect(answer.status == 503)
                        }
                    }
                    try await tasks.waitForAll()
                }
                _ = try await server.store.deliveries()
            }
        }
    }

    /// Also what nobody waits for: a failure to delete is one.
    @Test func aFailureToDeleteOldLogsIsKnown() async throws {
        try await withServer { server async throws in
            try await self.tell("query_only = 1", server)
            await #expect(throws: StoreFailure.self) {
                try await server.store.prune(Retention(maximumAge: .seconds(1)))
            }
            #expect(try await self.trouble(server)?["reason"]?.json == #""failing""#)
        }
    }

    @Test func whoClearsIsToldWhyThatFails() async throws {
        try await withServer { server async throws in
            #expect(try await server.post(Body.small).status == 200)
            try await self.tell("query_only = 1", server)
            let failed = try await server.api("logs", method: .DELETE, json: "{}")
            #expect(failed.status == 503 && failed.body.contains("cannot be written"), "\(failed)")
            try await self.tell("query_only = 0", server)
            #expect(try await server.api("logs", method: .DELETE, json: "{}").status == 200)
        }
    }

    @Test func whatFailsInTheSystemSaysWhatThatSaid() {
        let error = DatabaseError(resultCode: .SQLITE_IOERR_SHMSIZE, message: "disk I/O error")
        let full = StoreFailure(error, systemError: ENOSPC, path: "f")
        #expect(full.reason == .full && full.message == "disk I/O error: No space left on device")
        #expect(StoreFailure(error, systemError: EIO, path: "f").reason == .failing)
        // Of an older error, perhaps.
        let other = DatabaseError(resultCode: .SQLITE_READONLY, message: "attempt to write a readonly database")
        #expect(StoreFailure(other, systemError: ENOSPC, path: "f").reason == .failing)
    }

    @Test(arguments: [false, true])
    func aClientThatBreaksOffIsNoFailureOfTheEndpoint(isReset: Bool) async throws {
        try await withServer { server async throws in
            let client = try RawClient(port: server.port)
            client.send(
                "POST /logstores/app/track HTTP/1.1\r\nHost: localhost\r\nx-log-apiversion: 0.6.0\r\n"
                    + "x-log-bodyrawsize: 1000\r\nContent-Length: 1000\r\n\r\n{"
            )
            // The request is under way once its logstore is there.
            while !server.server.registry.names.contains("app") { await Task.yield() }
            if isReset { client.reset() } else { client.close() }
            var deliveries: [Delivery] = []
            while deliveries.isEmpty { deliveries = try await server.store.deliveries().deliveries }
            #expect(deliveries.map(\.status) == [0] && deliveries.map(\.code) == ["ClientDisconnected"])
            #expect(server.server.statistics.answers.isEmpty)
            #expect(!server.events.all.contains { if case .refused = $0 { true } else { false } })
        }
    }

    /// The logs would go to a file without a name, and with it at the stop.
    @Test(arguments: ["", "-wal", "-shm"])
    func whatIsRemovedUnderARunningEndpointIsNoticed(ending: String) async throws {
        try await withServer { server async throws in
            #expect(try await server.post(Body.small).status == 200)
            let path = try #require(server.store.path) + ending
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            if ending.isEmpty {
                // Another file of that name is not it.
                try Data().write(to: URL(fileURLWithPath: path))
                // Also where nobody sends.
                #expect(try await self.trouble(server)?["reason"]?.json == #""removed""#)
            }
            let answer = try await server.post(Body.small)
            #expect(answer.status == 503 && answer.body.contains("DatabaseRemoved"), "\(answer)")
            // What came meanwhile is not in it.
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
            #expect(try await server.post(Body.small).status == 503)
            #expect(try await self.trouble(server)?["message"]?.json.contains(path) == true)
            let told = server.events.all.filter { if case .storeFailed = $0 { true } else { false } }
            #expect(told == [.storeFailed(StoreFailure(reason: .removed, path: server.store.path, message: path))])
        }
    }
}

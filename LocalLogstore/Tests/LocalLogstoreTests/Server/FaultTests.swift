// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import LocalLogstore
import LocalLogstoreTestSupport
import NIOCore
import NIOHTTP1
import Testing

@Suite("Faults on purpose")
struct FaultTests {
    /// Runs an endpoint whose first request meets `fault`; the second does not.
    private func withFault(_ name: String, _ body: (TestServer) async throws -> Void) async throws {
        let fault = try #require(Fault.named(name))
        try await withServer {
            $0.faults = .sequence([fault])
        } _: { server async throws in
            // A request that is refused for its own sake is not counted.
            #expect(try await server.post("x").status == 400)
            try await body(server)
            #expect(server.server.statistics.faults == 1)
            let before = try await server.store.count()
            #expect(try await server.post(Body.small).status == 200)
            #expect(try await server.store.count() == before + 1)
        }
    }

    @Test(
        arguments: [
            ("500", 500, "InternalServerError", nil), ("503", 503, "ServerBusy", "1"),
            ("429", 429, "TooManyRequests", "1"),
            ("quota", 403, "WriteQuotaExceed", nil), ("shard-quota", 403, "ShardWriteQuotaExceed", nil),
            ("401", 401, "Unauthorized", nil), ("404", 404, "LogStoreNotExist", nil),
            ("413", 413, "PostBodyTooLarge", nil),
        ] as [(String, Int, String, String?)]
    )
    func answersWithAnError(name: String, status: Int, code: String, retryAfter: String?) async throws {
        try await self.withFault(name) { server async throws in
            let answer = try await server.post(Body.small)
            #expect(answer.status == status)
            #expect(answer.body.hasPrefix(#"{"errorCode":"\#(code)","errorMessage":""#))
            #expect(answer.headers.first(name: "retry-after") == retryAfter)
            #expect(answer.headers.contains(name: "x-log-requestid"))
            #expect(try await server.store.count() == 0)
        }
    }

    @Test(arguments: [("reset", 0), ("reset-stored", 1)])
    func resetsTheConnection(name: String, stored: Int) async throws {
        try await self.withFault(name) { server async throws in
            let error = await #expect(throws: (any Error).self) { try await server.post(Body.small) }
            #expect((error as? IOError)?.errnoCode == 104 || (error as? IOError)?.errnoCode == 54)
            #expect(try await server.store.count() == stored)
        }
    }

    @Test func closesInTheMiddleOfTheAnswer() async throws {
        try await self.withFault("cut") { server async throws in
            await #expect(throws: (any Error).self) { try await server.post(Body.small) }
            #expect(try await server.store.count() == 1)
        }
    }

    @Test func answersLate() async throws {
        let delay = Duration.milliseconds(300)
        try await withServer {
            $0.faults = .sequence([.slow(delay)])
        } _: { server async throws in
            let started = ContinuousClock.now
            let answer = try await server.post(Body.small)
            #expect(ContinuousClock.now - started >= delay)
            #expect(answer.status == 200)
            #expect(try await server.store.count() == 1)
        }
    }

    @Test func answersAsAProxyWould() async throws {
        try await self.withFault("no-id") { server async throws in
            let answer = try await server.post(Body.small)
            #expect(answer.status == 200)
            #expect(!answer.headers.contains { $0.name.lowercased().hasPrefix("x-") })
            #expect(try await server.store.count() == 0)
        }
    }

    @Test func choosesByContent() async throws {
        try await withServer {
            $0.faults = FaultPlan { $0.topic == "bad" ? Fault.named("503") : nil }
        } _: { server async throws in
            let bad = Body.small.replacing("{\"__source__\"", with: "{\"__topic__\":\"bad\",\"__source__\"")
            #expect(try await server.post(bad).status == 503)
            #expect(try await server.post(Body.small).status == 200)
            #expect(try await server.post(bad).status == 503)
        }
    }
}

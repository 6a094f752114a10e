// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Testing
import WebTracking
import WebTrackingTestKit

@Suite(.timeLimit(.minutes(10))) struct AsyncHTTPClientTransportTests {
    @Test(arguments: TransportConformance.Check.allCases)
    func conforms(to check: TransportConformance.Check) async throws {
        try await TransportConformance { AsyncHTTPClientTransport() }.run([check])
    }

    @Test func keepsNoMoreOfABodyThanIsNeeded() async throws {
        let server = try LoopbackServer(otherwise: .answer(body: [UInt8](repeating: 32, count: 1 << 20)))
        let transport = AsyncHTTPClientTransport()
        let response = try await transport.send(server.request())
        await transport.shutdown()
        #expect(response.body.count == TransportResponse.maximumBodyBytes)
    }

    @Test func namesAServerThatClosesWithoutAnAnswer() async throws {
        let server = try LoopbackServer(otherwise: .close)
        let transport = AsyncHTTPClientTransport()
        let error = await #expect(throws: (any Error).self) { try await transport.send(server.request()) }
        await transport.shutdown()
        #expect(error.map { "\($0)" } == "127.0.0.1:\(server.port) closed the connection without an answer")
    }

    @Test func leavesAClientThatItDoesNotOwnAlone() async throws {
        let server = try LoopbackServer()
        let client = HTTPClient()
        for _ in 1...2 {
            let transport = AsyncHTTPClientTransport(client: client)
            let response = try await transport.send(server.request())
            await transport.shutdown()
            #expect(response.status == 200)
        }
        try await client.shutdown()
    }

    @Test func namesAHostThatRefusesAndDoesNotWaitForIt() async throws {
        let transport = AsyncHTTPClientTransport()
        let server = try LoopbackServer()
        var request = server.request(timeout: .seconds(600))
        // Nothing listens there, and only the superuser could.
        request.port = 1
        let start = ContinuousClock.now
        let error = await #expect(throws: (any Error).self) { try await transport.send(request) }
        #expect(String(describing: error ?? CancellationError()) == "127.0.0.1:1: Connection refused")
        // The request's own timeout is 600 s; the bound is wide, as a busy machine may take seconds for anything.
        #expect(start.duration(to: .now) < .seconds(60))
        await transport.shutdown()
    }
}

#endif

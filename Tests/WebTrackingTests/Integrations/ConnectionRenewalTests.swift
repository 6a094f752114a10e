// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import AsyncHTTPClient
import Testing
import WebTrackingTestKit

@testable import WebTracking

/// Which connections requests go over.
@Suite("AsyncHTTPClient: connections", .timeLimit(.minutes(10))) struct ConnectionRenewalTests {
    private let clock = ManualClock()
    private static let refusal = LoopbackServer.Reply.answer(status: 503)

    private func transport() -> AsyncHTTPClientTransport {
        AsyncHTTPClientTransport(proxy: nil, clock: self.clock)
    }

    @Test func aHealthyConnectionServesHundredsOfRequests() async throws {
        let server = try LoopbackServer()
        let transport = self.transport()
        for _ in 1...300 {
            #expect(try await transport.send(server.request()).status == 200)
            self.clock.advance(by: .seconds(1))
        }
        #expect(server.connectionCount == 1)
        #expect(transport.clientCount == 1)
        await transport.shutdown()
        #expect(transport.clientCount == 0)
    }

    @Test func afterATimeoutNoConnectionOfBeforeIsUsed() async throws {
        let server = try LoopbackServer()
        let transport = self.transport()
        // Two connections are kept: the requests are on their way at the same time.
        let gate = LoopbackServer.Gate()
        server.reply([.gated(gate, .success), .gated(gate, .success)], otherwise: .success)
        async let one = transport.send(server.request())
        async let two = transport.send(server.request())
        await server.waitForRequests(2)
        gate.open()
        _ = try await (one, two)
        self.clock.advance(by: .seconds(1))
        server.reply([.never], otherwise: .success)
        await #expect(throws: (any Error).self) {
            try await transport.send(server.request(timeout: .milliseconds(300)))
        }
        for _ in 1...3 { _ = try await transport.send(server.request()) }
        let connections = server.requests.map(\.connection)
        #expect(Set(connections.prefix(2)) == [1, 2])
        #expect(connections.suffix(3) == [3, 3, 3])
        await transport.shutdown()
    }

    @Test(arguments: [
        LoopbackServer.Reply.answer(status: 503), .answer(status: 200), .reset, .close,
        .answer(status: 500, headers: [(name: "x-log-requestid", value: "ID")]),
    ])
    func afterAnAnswerOfAServerThatIsNotWellTheNextRequestConnectsAnew(reply: LoopbackServer.Reply) async throws {
        let server = try LoopbackServer()
        let transport = self.transport()
        _ = try await transport.send(server.request())
        self.clock.advance(by: .seconds(1))
        server.reply([reply], otherwise: .success)
        _ = try? await transport.send(server.request())
        _ = try await transport.send(server.request())
        #expect(server.requests.map(\.connection).last == 2)
        await transport.shutdown()
    }

    @Test func aStormOfRefusalsConnectsOnceASecondAtMost() async throws {
        let server = try LoopbackServer(otherwise: Self.refusal)
        let transport = self.transport()
        for second in 1...5 {
            for _ in 1...20 { _ = try await transport.send(server.request()) }
            #expect(server.connectionCount == second)
            self.clock.advance(by: .seconds(1))
        }
        #expect(transport.clientCount <= 2)
        await transport.shutdown()
    }

    @Test func requestsUnderWayEndUndisturbedWhereTheyBegan() async throws {
        let server = try LoopbackServer()
        let transport = self.transport()
        let gate = LoopbackServer.Gate()
        server.reply([.gated(gate, .success)], otherwise: .success)
        async let slow = transport.send(server.request())
        await server.waitForRequests(1)
        self.clock.advance(by: .seconds(1))
        server.reply([Self.refusal], otherwise: .success)
        _ = try await transport.send(server.request())
        _ = try await transport.send(server.request())
        #expect(transport.clientCount == 2)
        gate.open()
        #expect(try await slow.status == 200)
        #expect(transport.clientCount == 1)
        await transport.shutdown()
    }

    @Test func clientsOfYourOwnAreMadeAnewAndShutDown() async {
        // A client that nobody shuts down ends the process.
        await #expect(processExitsWith: .success) {
            let server = try LoopbackServer(otherwise: Self.refusal)
            let made = Recorder<Int>()
            let transport = AsyncHTTPClientTransport {
                made.add(1)
                return HTTPClient(eventLoopGroupProvider: .singleton)
            }
            _ = try await transport.send(server.request())
            await transport.shutdown()
            #expect(made.elements.count == 1)
            await #expect(throws: TransportError.self) { try await transport.send(server.request()) }
            #expect(made.elements.count == 1)
        }
    }

    @Test func aTransportThatIsDroppedWithSeveralClientsDoesNotEndTheProcess() async {
        await #expect(processExitsWith: .success) { try await Self.useAndDrop() }
    }

    private static func useAndDrop() async throws {
        let server = try LoopbackServer(otherwise: self.refusal)
        let clock = ManualClock()
        for _ in 1...3 {
            let transport = AsyncHTTPClientTransport(proxy: nil, clock: clock)
            for _ in 1...5 {
                _ = try await transport.send(server.request())
                clock.advance(by: .seconds(1))
            }
        }
    }

    @Test func itSpeaksHTTP1() {
        #expect(HTTPClient.Configuration.forLogs(proxy: nil).httpVersion == .http1Only)
    }

    @Test func aCompressedAnswerIsRead() async throws {
        let headers = [(name: "x-log-requestid", value: "ID"), (name: "Content-Encoding", value: "gzip")]
        let server = try LoopbackServer(
            otherwise: .answer(status: 403, headers: headers, body: ServiceErrorTests.gzip)
        )
        let transport = self.transport()
        let response = try await transport.send(server.request())
        #expect(ResponseClassifier.classify(response, wallTime: 0).0 == .retry(.throttled, after: nil))
        await transport.shutdown()
    }
}

#endif

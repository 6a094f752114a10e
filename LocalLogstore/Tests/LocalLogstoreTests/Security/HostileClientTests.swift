// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import NIOCore
import Testing

/// Clients that send too slowly, too much, for ever, or something else than they say: the endpoint stays of use to others,
/// and bounded.
@Suite(.timeLimit(.minutes(5))) struct HostileClientTests {
    private static let head = "POST /logstores/app/track HTTP/1.1\r\nHost: 127.0.0.1\r\nx-log-apiversion: 0.6.0\r\n"

    @Test func manyClientsThatTrickleTheirHeadersKeepNobodyElseOut() async throws {
        try await withServer { server async throws in
            var clients: [RawClient] = []
            for index in 0..<200 {
                let client = try RawClient(port: server.port)
                // Some stop inside the first line, some inside a header, some before the body.
                client.send(String(Self.head.prefix(10 + index % 90)))
                clients.append(client)
            }
            #expect(try await server.post(Body.small).status == 200)
            for client in clients { client.send("x") }
            #expect(try await server.post(Body.small).status == 200)
            #expect(try await server.store.count() == 2)
            for client in clients { client.close() }
        }
    }

    @Test func aConnectionWithoutAWholeHeadIsClosedHoweverItTrickles() async throws {
        try await withServer {
            $0.idleTimeout = .milliseconds(300)
        } _: { server async throws in
            let client = try RawClient(port: server.port)
            client.send("POST /logstores/app/track HTTP/1.1\r\nX: ")
            // A byte at a time until the endpoint has had enough; the read times out every 20 ms.
            while !client.isClosedByPeer(waitingMilliseconds: 20) { client.send("x") }
            client.close()
            #expect(try await server.post(Body.small).status == 200)
        }
    }

    @Test func aBodyThatStandsStillIsGivenUp() async throws {
        try await withServer {
            $0.idleTimeout = .milliseconds(300)
        } _: { server async throws in
            let client = try RawClient(port: server.port)
            client.send(Self.head + "x-log-bodyrawsize: 1000\r\nContent-Length: 1000\r\n\r\n{")
            while !client.isClosedByPeer(waitingMilliseconds: 100) {}
            client.close()
            #expect(try await server.store.count() == 0)
        }
    }

    @Test func aBodyThatNeverEndsIsRefusedAtItsHead() async throws {
        try await withServer { server async throws in
            let client = try RawClient(port: server.port)
            client.send(Self.head + "x-log-bodyrawsize: 10\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n")
            #expect(client.answer().contains("411"))
            client.close()
            let endless = try RawClient(port: server.port)
            endless.send(Self.head + "x-log-bodyrawsize: 10\r\nContent-Length: 9000000000000000000\r\n\r\n")
            #expect(endless.answer().contains("413"))
            endless.close()
            #expect(try await server.post(Body.small).status == 200)
            #expect(try await server.store.count() == 1)
        }
    }

    @Test(arguments: ["lz4", "deflate"]) func aDecompressionBombIsRefusedWhateverSizeItStates(type: String) async throws
    {
        try await withServer { server async throws in
            let bomb = [UInt8](repeating: 0x20, count: 200_000_000)
            let body = type == "lz4" ? Wire.lz4(bomb) : Wire.zlib(bomb)
            // Little, or all, or more than a number holds. Only as much is expanded as is stated, and no more is taken
            // than a request may have.
            for size in ["1000", "200000000", "99999999999999999999", "-1"] {
                let headers = [("x-log-compresstype", type), ("x-log-bodyrawsize", size)]
                let answer = try await server.post(body, headers: headers)
                #expect((400..<500).contains(answer.status), "\(size): \(answer.status)")
            }
            #expect(try await server.store.count() == 0)
        }
    }
}

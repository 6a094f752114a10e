// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Subprocess
import Testing
import WebTrackingTestKit

@testable import StockService

/// The real program, on a real socket, with a client of gRPC's own.
@Suite(.timeLimit(.minutes(10))) struct StockServiceTests {
    typealias Client = GRPCClient<HTTP2ClientTransport.Posix>

    @Test func theLinesOfACallBelongToIt() async throws {
        let logstore = try Logstore()
        let status = try await self.serve(logstore) { client in
            let left = try await self.take(StockItem(name: "tea", count: 3), "order-1", client)
            #expect(left == StockItem(name: "tea", count: 7))
        }
        #expect(status == .exited(0))
        let lines = try logstore.lines.filter { $0["request.id"] == "order-1" }
        #expect(lines.map { $0["message"] } == ["item taken", "call handled"])
        #expect(lines.map { $0["label"] } == ["stock.room", "rpc.calls"])
        #expect(lines.allSatisfy { $0["rpc.service"] == "shop.Stock" && $0["rpc.method"] == "Take" })
        #expect(lines.last?["rpc.status"] == "ok")
        #expect(lines.last?["duration_ms"].flatMap(Double.init) != nil)
        #expect(lines.last?["peer"]?.hasPrefix("ipv4:127.0.0.1:") == true)
    }

    @Test func aCallThatFailsIsLoggedWithWhatWentWrong() async throws {
        let logstore = try Logstore()
        let status = try await self.serve(logstore) { client in
            let error = await #expect(throws: RPCError.self) {
                _ = try await self.take(StockItem(name: "tea", count: 30), "order-2", client)
            }
            #expect(error?.code == .failedPrecondition)
        }
        #expect(status == .exited(0))
        let lines = try logstore.lines.filter { $0["request.id"] == "order-2" }
        #expect(lines.map { $0["level"] } == ["error"])
        #expect(lines.first?["rpc.status"] == "\(RPCError.Code.failedPrecondition)")
        #expect(lines.first?["error.type"] == "StockService.StockError")
        #expect(lines.first?["error.message"] == "30 tea asked for, 10 left")
    }

    @Test func aStreamIsLoggedWhenItsLastMessageIsWritten() async throws {
        let logstore = try Logstore()
        let status = try await self.serve(logstore) { client in
            let (items, id) = try await client.serverStreaming(
                request: ClientRequest(message: Everything()),
                descriptor: StockRPC.list,
                serializer: JSONCoder<Everything>(),
                deserializer: JSONCoder<StockItem>(),
                options: .defaults
            ) { response in
                let items = try await response.messages.reduce(into: [StockItem]()) { $0.append($1) }
                return (items, response.metadata[stringValues: Call.idKey].first { _ in true })
            }
            #expect(items == [StockItem(name: "coffee", count: 5), StockItem(name: "tea", count: 10)])
            // The client gave no id, and knows the one it was given.
            #expect(id?.isEmpty == false)
        }
        #expect(status == .exited(0))
        let lines = try logstore.lines.filter { $0["rpc.method"] == "List" }
        #expect(lines.map { $0["message"] } == ["call handled"])
        #expect(lines.first?["request.id"]?.isEmpty == false)
    }

    @Test func theLastLineIsDelivered() async throws {
        let logstore = try Logstore()
        let status = try await self.serve(logstore) { client in
            _ = try await self.take(StockItem(name: "coffee", count: 5), "order-3", client)
        }
        #expect(status == .exited(0))
        let last = try #require(try logstore.lines.last { $0["label"] == "stock.taking" })
        #expect(last["message"] == "stock taken")
        #expect(last["left"] == "10")
    }

    /// Starts the service, lets `body` call it, and ends it with SIGTERM while the client is still connected.
    private func serve(
        _ logstore: Logstore,
        _ body: @escaping @Sendable (Client) async throws -> Void
    ) async throws -> TerminationStatus {
        try await run(
            Program(name: "stock-service").executable,
            environment: logstore.environment.updating(["HOST": "127.0.0.1", "PORT": "0"]),
            input: .none,
            output: .sequence,
            error: .discarded
        ) { service in
            var output = service.standardOutput.strings().makeAsyncIterator()
            let words = try #require(await output.next()).split(separator: ":")
            let port = try #require(words.last.flatMap { Int($0) })
            try await withGRPCClient(
                transport: .http2NIOPosix(
                    target: .ipv4(address: "127.0.0.1", port: port),
                    transportSecurity: .plaintext
                )
            ) { client in
                try await body(client)
                try service.send(signal: .terminate)
                // The end of its output is the end of the service.
                #expect(try await output.next() == nil)
            }
        }.terminationStatus
    }

    private func take(_ item: StockItem, _ id: String, _ client: Client) async throws -> StockItem {
        try await client.unary(
            request: ClientRequest(message: item, metadata: [Call.idKey: "\(id)"]),
            descriptor: StockRPC.take,
            serializer: JSONCoder<StockItem>(),
            deserializer: JSONCoder<StockItem>(),
            options: .defaults
        ) { try $0.message }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Subprocess
import Testing
import WebTracking
import WebTrackingTestKit

@testable import OrderService

/// The real program, with a settings file that changes while it runs.
@Suite(.timeLimit(.minutes(10))) struct LiveSettingsTests {
    @Test func aLevelInTheFileChangesWithinASecondAndWithoutARestart() async throws {
        let endpoint = try LoopbackServer()
        let file = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try self.write(#"{"batching":{"lingerSeconds":0.02}}"#, to: file)
        let environment: [Environment.Key: String?] = [
            "WEBTRACKING_ENDPOINT": "http://127.0.0.1:\(endpoint.port)", "WEBTRACKING_PROJECT": "demo",
            "WEBTRACKING_LOGSTORE": "orders", "HOST": "127.0.0.1", "PORT": "0", "CONFIG_FILE": file.path(),
        ]
        let result = try await run(
            Program(name: "order-service").executable,
            environment: .inherit.updating(environment),
            input: .none,
            output: .sequence,
            error: .sequence
        ) { service in
            var output = service.standardOutput.strings().makeAsyncIterator()
            let port = try #require(try await output.next()?.split(separator: ":").last.flatMap { Int($0) })
            let before = try await TestClient.withClient(host: "127.0.0.1", port: port) { client in
                try await self.send(.post, "/orders", #"{"item":"tea","quantity":2}"#, client)
                let before = try await self.showOrder(endpoint, client)

                let change = ContinuousClock.now
                try self.write(#"{"logLevels":["orders.store=debug"]}"#, to: file)
                // Each round ends when the endpoint has its line.
                while try self.details(endpoint) == 0 { _ = try await self.showOrder(endpoint, client) }
                let delay = ContinuousClock.now - change
                print("a level in the settings file took effect after \(delay / .milliseconds(1)) ms")
                #expect(delay < .seconds(1))
                return before
            }
            // A file that is broken changes nothing, and stops nothing.
            try self.write("{", to: file)
            var errors = service.standardError.strings().makeAsyncIterator()
            while let line = try await errors.next(), !line.contains("settings refused") {}
            try service.send(signal: .terminate)
            #expect(try await output.next() == nil)
            return before
        }
        #expect(result.terminationStatus == .exited(0))
        let lines = try self.lines(endpoint)
        let quiet = lines.filter { $0["request.id"] == result.closureResult }
        #expect(quiet.map { $0["message"] } == ["request handled"])
        #expect(lines.last { $0["label"] == "orders.closing" }?["orders"] == "1")
    }

    private func write(_ text: String, to file: URL) throws {
        try Data(text.utf8).write(to: file, options: .atomic)
    }

    /// Asks for an order, and waits until a line about that has arrived; gives the request's id.
    private func showOrder(_ endpoint: LoopbackServer, _ client: TestClient) async throws -> String? {
        let count = endpoint.requests.count
        let id = try await self.send(.get, "/orders/1", nil, client)
        await endpoint.waitForRequests(count + 1)
        return id
    }

    @discardableResult
    private func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String?,
        _ client: TestClient
    ) async throws -> String? {
        let request = TestClient.Request(
            path,
            method: method,
            authority: "127.0.0.1",
            body: body.map { .init(string: $0) }
        )
        let response = try await client.execute(request)
        #expect((200..<300).contains(response.status.code))
        return response.headers[.xRequestID]
    }

    /// How many of the store's lines at level debug have arrived.
    private func details(_ endpoint: LoopbackServer) throws -> Int {
        try self.lines(endpoint).count { $0["message"] == "order found" }
    }

    private func lines(_ endpoint: LoopbackServer) throws -> [[String: String]] {
        try endpoint.requests.flatMap { request in
            try RecordedRequest(endpoint.request(path: request.target, headers: request.headers, body: request.body))
                .logs
        }
    }
}

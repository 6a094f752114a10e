// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

package import AsyncHTTPClient
import Foundation
package import LocalLogstore
import Logging
import NIOCore
package import NIOHTTP1
package import ServiceLifecycle
import Synchronization

/// A running endpoint on a free port, and ways to talk to it.
package struct TestServer: Sendable {
    package let server: LocalLogstoreServer
    package let port: Int
    package let group: ServiceGroup
    package let events: EventLog

    package var store: LogStore { self.server.store }

    /// What the endpoint answered.
    package struct Answer: Sendable {
        package var status: Int
        package var headers: HTTPHeaders
        package var body: String
    }

    package func send(_ request: HTTPClientRequest) async throws -> Answer { try await Self.answer(to: request) }

    package static func answer(to request: HTTPClientRequest) async throws -> Answer {
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 1 << 24)
        return Answer(status: Int(response.status.code), headers: response.headers, body: String(buffer: body))
    }

    /// Posts a body with headers that fit it.
    package func post(
        _ body: some Sequence<UInt8> & Sendable,
        to logstore: String = "app",
        headers: [(String, String)] = [],
        without: String? = nil
    ) async throws -> Answer {
        let bytes = Array(body)
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)/logstores/\(logstore)/track")
        request.method = .POST
        request.headers.add(name: "x-log-apiversion", value: "0.6.0")
        request.headers.add(name: "x-log-bodyrawsize", value: String(bytes.count))
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        if let without { request.headers.remove(name: without) }
        request.body = .bytes(bytes)
        return try await self.send(request)
    }

    package func post(
        _ json: String,
        to logstore: String = "app",
        headers: [(String, String)] = []
    ) async throws -> Answer {
        try await self.post(Array(json.utf8), to: logstore, headers: headers)
    }

    /// Asks the page's interface, or tells it something.
    package func api(
        _ path: String,
        method: HTTPMethod = .GET,
        json: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)/api/\(path)")
        request.method = method
        if let json {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(Array(json.utf8))
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        return try await self.send(request)
    }

    package func get(_ path: String, headers: [(String, String)] = []) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)\(path)")
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        return try await self.send(request)
    }
}

/// What an endpoint has told.
package final class EventLog: Sendable {
    private let events = Mutex<[ServerEvent]>([])

    func append(_ event: ServerEvent) { self.events.withLock { $0.append(event) } }

    package var all: [ServerEvent] { self.events.withLock { $0 } }
}

/// Runs an endpoint while `body` runs, and stops it in order.
package func withServer<Result: Sendable>(
    _ change: (inout ServerSettings) -> Void = { _ in },
    _ body: (TestServer) async throws -> Result
) async throws -> Result {
    var settings = ServerSettings()
    settings.port = 0
    change(&settings)
    return try await withStore { store async throws in
        try await withServer(of: store, settings, body)
    }
}

/// The same with a store that is there already.
package func withServer<Result: Sendable>(
    of store: LogStore,
    _ settings: ServerSettings,
    _ body: (TestServer) async throws -> Result
) async throws -> Result {
    let events = EventLog()
    let server = try LocalLogstoreServer(settings: settings, store: store, onEvent: events.append)
    let group = ServiceGroup(
        services: [server],
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let port = try await server.port
        let result = try await body(TestServer(server: server, port: port, group: group, events: events))
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

/// The body of what is answered at an address.
package func text(of url: String) async throws -> String {
    let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
    return String(buffer: try await response.body.collect(upTo: 1 << 24))
}

/// What is answered at an address.
package func status(of url: String) async throws -> Int {
    let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
    _ = try await response.body.collect(upTo: 1 << 24)
    return Int(response.status.code)
}

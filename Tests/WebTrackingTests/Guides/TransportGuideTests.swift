// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// The example of Docs/Transports.md; Scripts/docs compares the two.

#if AsyncHTTPClient

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization
import Testing
import WebTracking
import WebTrackingTestKit

final class MyTransport: WebTrackingTransport {
    /// A client and its connections. It is shut down when no request uses it any more; one that never is traps.
    private final class Generation: Sendable {
        let client: HTTPClient

        init() {
            var configuration = HTTPClient.Configuration()
            configuration.redirectConfiguration = .disallow
            // A silent connection of HTTP/2 would hold up all requests.
            configuration.httpVersion = .http1Only
            // When to try again, and how much there is at once, the producer decides.
            configuration.connectionPool.retryConnectionEstablishment = false
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
            // A tracer that logs would log each request.
            configuration.tracing.tracer = nil
            self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        }

        deinit {
            let client = self.client
            Task.detached { try? await client.shutdown() }
        }
    }

    private let present = Mutex(Generation())

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        let generation = self.present.withLock { $0 }
        do {
            let answer = try await self.send(request, by: generation.client)
            // Not of the service, or of a server that is not well: another one may be.
            if answer.status >= 500 || answer.header("x-log-requestid") == nil { self.renew(generation) }
            return answer
        } catch {
            self.renew(generation)
            throw error
        }
    }

    /// Lets later requests connect anew, and so look the name up anew.
    private func renew(_ old: Generation) {
        self.present.withLock { if $0 === old { $0 = Generation() } }
    }

    private func send(_ request: TransportRequest, by client: HTTPClient) async throws -> TransportResponse {
        // The client's own timeout ends with the answer's headers; the second task bounds the body, too.
        try await withThrowingTaskGroup(of: TransportResponse.self) { group in
            group.addTask { try await self.exchange(request, by: client) }
            group.addTask {
                try await Task.sleep(for: request.timeout)
                throw TransportError.timedOut
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw TransportError.timedOut }
            return first
        }
    }

    private func exchange(_ request: TransportRequest, by client: HTTPClient) async throws -> TransportResponse {
        var message = HTTPClientRequest(url: request.url)
        message.method = .POST
        for header in request.headers { message.headers.add(name: header.name, value: header.value) }
        message.body = .bytes(ByteBuffer(bytes: request.body))  // of known length, so it is not sent in chunks
        let answer = try await client.execute(message, timeout: TimeAmount(request.timeout), logger: nil)
        var body: [UInt8] = []
        for try await part in answer.body {
            body.append(contentsOf: part.readableBytesView.prefix(TransportResponse.maximumBodyBytes - body.count))
            if body.count == TransportResponse.maximumBodyBytes { break }
        }
        try Task.checkCancellation()  // a body that was cancelled just ends
        let headers = answer.headers.map { (name: $0.name, value: $0.value) }
        return TransportResponse(status: Int(answer.status.code), headers: headers, body: body)
    }

    func shutdown() async {
        try? await self.present.withLock { $0 }.client.shutdown()
    }
}

@Suite(.timeLimit(.minutes(5)))
struct MyTransportTests {
    @Test(arguments: TransportConformance.Check.allCases)
    func conforms(to check: TransportConformance.Check) async throws {
        try await TransportConformance { MyTransport() }.run([check])
    }
}

#endif

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if AsyncHTTPClient

public import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Sends through AsyncHTTPClient.
///
/// It never hands the client a logger, and its own client has no tracer: records about sending records would never end.
public struct AsyncHTTPClientTransport: WebTrackingTransport {
    private let client: HTTPClient
    private let own: OwnClient?

    /// Creates a transport with a client of its own, which follows no redirects and is shut down with the transport.
    public init() {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        // When to try again, and how many requests there are at once, the producer decides.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        configuration.tracing.tracer = nil
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.client = client
        self.own = OwnClient(client: client)
    }

    /// Creates a transport with a client that you made, and that you shut down after the producer.
    ///
    /// Its settings apply: it should follow no redirects, and have no tracer that logs.
    public init(client: HTTPClient) {
        self.client = client
        self.own = nil
    }

    /// Sends `request`; throws `HTTPClientError`, ``TransportError/timedOut`` or what the network says, if no complete
    /// answer came in time.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        // The client's own deadline ends with the headers of the answer; the sleeping task bounds the body as well.
        try await withThrowingTaskGroup(of: TransportResponse.self) { group in
            group.addTask { try await self.exchange(request) }
            group.addTask {
                try await Task.sleep(for: request.timeout)
                throw TransportError.timedOut
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw TransportError.timedOut }
            return first
        }
    }

    private func exchange(_ request: TransportRequest) async throws -> TransportResponse {
        var message = HTTPClientRequest(url: request.url)
        message.method = .POST
        for header in request.headers { message.headers.add(name: header.name, value: header.value) }
        message.body = .bytes(ByteBuffer(bytes: request.body))
        let deadline = NIODeadline.now() + .nanoseconds(request.timeout.wholeNanoseconds)
        let response = try await self.client.execute(message, deadline: deadline, logger: nil)
        // A body that is longer than anybody needs costs its connection, not its time.
        var body: [UInt8] = []
        for try await part in response.body {
            body.append(contentsOf: part.readableBytesView.prefix(TransportResponse.maximumBodyBytes - body.count))
            if body.count == TransportResponse.maximumBodyBytes { break }
        }
        // The end of a body that was cancelled looks like any other.
        try Task.checkCancellation()
        return TransportResponse(
            status: Int(response.status.code),
            headers: response.headers.map { ($0.name, $0.value) },
            body: body
        )
    }

    /// Shuts the transport's own client down, which ends requests still on their way.
    public func shutdown() async {
        if self.own != nil { try? await self.client.shutdown() }
    }

    /// Shuts the client down when the last copy of its transport goes: a client that nobody has shut down traps.
    private final class OwnClient: Sendable {
        private let client: HTTPClient

        init(client: HTTPClient) {
            self.client = client
        }

        deinit {
            let client = self.client
            // A second shutdown only throws.
            Task.detached { try? await client.shutdown() }
        }
    }
}

extension WebTrackingProducer {
    /// Creates a producer that sends through AsyncHTTPClient.
    ///
    /// Throws ``ConfigurationError`` for the first setting that cannot work.
    public convenience init(
        configuration: WebTrackingConfiguration,
        diagnostics: DiagnosticHandler = .standardError
    ) throws {
        // Before the transport is made: a client that is never used has to be shut down all the same.
        try configuration.validate()
        try self.init(
            configuration: configuration,
            transport: AsyncHTTPClientTransport(),
            diagnostics: diagnostics
        )
    }
}

#if SwiftLog
extension WebTrackingProducer {
    /// Makes a producer that sends through AsyncHTTPClient, and bootstraps swift-log with it.
    ///
    /// Throws ``ConfigurationError`` for the first setting that cannot work. To be called once in a process; keep the
    /// producer, whose ``shutdown(timeout:)`` sends the last lines.
    ///
    /// - Parameters:
    ///   - configuration: Where logs go and how.
    ///   - keepingConsole: Whether lines also go to standard error, through swift-log's `StreamLogHandler`: the same lines,
    ///     at the same levels, without redaction and sampling.
    ///   - metadataProvider: Supplies metadata from the context of each event.
    ///   - diagnostics: Where the producer's own troubles are told; rate-limited lines on standard error by default.
    public static func bootstrap(
        _ configuration: WebTrackingConfiguration,
        keepingConsole: Bool = false,
        metadataProvider: LogMetadataProvider? = nil,
        diagnostics: DiagnosticHandler = .standardError
    ) throws -> WebTrackingProducer {
        let producer = try WebTrackingProducer(configuration: configuration, diagnostics: diagnostics)
        self.bootstrap(producer, keepingConsole: keepingConsole, metadataProvider: metadataProvider)
        return producer
    }
}
#endif

#endif

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
    private let ownsClient: Bool

    /// Creates a transport with a client of its own, which follows no redirects and is shut down with the transport.
    public init() {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        configuration.tracing.tracer = nil
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.ownsClient = true
    }

    /// Creates a transport with a client that you made, and that you shut down after the producer.
    ///
    /// Its settings apply: it should follow no redirects, and have no tracer that logs.
    public init(client: HTTPClient) {
        self.client = client
        self.ownsClient = false
    }

    /// Sends `request`; throws `HTTPClientError`, or what the network says, if no complete answer came in time.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        var message = HTTPClientRequest(url: request.url)
        message.method = .POST
        for header in request.headers { message.headers.add(name: header.name, value: header.value) }
        message.body = .bytes(ByteBuffer(bytes: request.body))
        let deadline = NIODeadline.now() + .nanoseconds(request.timeout.wholeNanoseconds)
        let response = try await self.client.execute(message, deadline: deadline, logger: nil)
        // All of the body is read, so that the connection can be used again, but only its beginning is kept.
        var body: [UInt8] = []
        for try await part in response.body {
            let room = TransportResponse.maximumBodyBytes - body.count
            body.append(contentsOf: part.readableBytesView.prefix(room))
            if room <= 0 { break }
        }
        return TransportResponse(
            status: Int(response.status.code),
            headers: response.headers.map { ($0.name, $0.value) },
            body: body
        )
    }

    /// Shuts the transport's own client down, which ends requests still on their way.
    public func shutdown() async {
        if self.ownsClient { try? await self.client.shutdown() }
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
    ///   - keepingConsole: Whether lines also go to standard error, through swift-log's `StreamLogHandler`.
    ///   - metadataProvider: Supplies metadata from the context of each event.
    public static func bootstrap(
        _ configuration: WebTrackingConfiguration,
        keepingConsole: Bool = false,
        metadataProvider: LogMetadataProvider? = nil
    ) throws -> WebTrackingProducer {
        let producer = try WebTrackingProducer(configuration: configuration)
        self.bootstrap(producer, keepingConsole: keepingConsole, metadataProvider: metadataProvider)
        return producer
    }
}
#endif

#endif

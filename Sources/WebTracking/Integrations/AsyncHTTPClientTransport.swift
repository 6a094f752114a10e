// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

public import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Sends through AsyncHTTPClient.
///
/// With clients of its own it speaks HTTP/1.1, over TLS 1.2 or newer, and follows no redirects. After an exchange without
/// an answer, and after one that another server might answer otherwise (5xx, or nothing of the service), no connection of
/// before is used again, and the name is looked up anew. That happens once a second at most.
///
/// It never hands the client a logger, and its own clients have no tracer: records about sending records would never end.
public struct AsyncHTTPClientTransport: WebTrackingTransport {
    private enum Source {
        case own(ClientGenerations<HTTPClient>)
        case given(HTTPClient)
    }

    private let source: Source
    private let trouble: ConnectionFailure

    /// Creates a transport with clients of its own, which are shut down with the transport.
    ///
    /// Servers are vouched for by the certificate authorities of the machine, or by those in the file that the environment
    /// variable `SSL_CERT_FILE` names, read anew with each client.
    public init() {
        self.init(proxy: nil)
    }

    /// Creates a transport with clients that `makeClient` makes, and that the transport shuts down.
    ///
    /// For clients with settings of your own, such as certificate authorities; the rules about connections stay. A client
    /// should follow no redirects, speak HTTP/1.1 (`httpVersion = .http1Only`) and have no tracer that logs. `makeClient`
    /// is called before the first request and after exchanges that have failed; it makes a new one each time, and does not
    /// wait.
    public init(makeClient: @escaping @Sendable () -> HTTPClient) {
        self.init(proxy: nil, makeClient: makeClient)
    }

    /// Creates a transport with a client that you made, and that you shut down after the producer.
    ///
    /// Its settings apply, and its connections are used as long as it keeps them, also after exchanges that have failed: it
    /// should speak HTTP/1.1 (`httpVersion = .http1Only`), bound the uses of a connection (`maximumUsesPerConnection`),
    /// follow no redirects, and have no tracer that logs. Prefer ``init(makeClient:)``.
    public init(client: HTTPClient) {
        self.source = .given(client)
        self.trouble = ConnectionFailure(clock: SystemProducerClock(), proxy: nil)
    }

    init(proxy: ProxyServer?, clock: any ProducerClock = SystemProducerClock()) {
        self.init(proxy: proxy, clock: clock) {
            HTTPClient(eventLoopGroupProvider: .shared(try EventLoops.group()), configuration: .forLogs(proxy: proxy))
        }
    }

    private init(
        proxy: ProxyServer?,
        clock: any ProducerClock = SystemProducerClock(),
        makeClient: @escaping @Sendable () throws -> HTTPClient
    ) {
        // A client that nobody has shut down traps.
        let clients = ClientGenerations(clock: clock, end: { try? await $0.shutdown() }, makeClient: makeClient)
        self.source = .own(clients)
        self.trouble = ConnectionFailure(clock: clock, proxy: proxy)
    }

    /// How many clients of its own there are.
    var clientCount: Int {
        guard case .own(let clients) = self.source else { return 0 }
        return clients.count
    }

    /// Sends `request`; throws ``TransportError``, `HTTPClientError` or what the network says, if no complete answer came
    /// in time.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        switch self.source {
        case .given(let client): return try await self.send(request, by: client)
        case .own(let clients):
            return try await clients.exchange { try await self.send(request, by: $0) }
        }
    }

    private func send(_ request: TransportRequest, by client: HTTPClient) async throws -> TransportResponse {
        // The client's own deadline ends with the headers of the answer; the sleeping task bounds the body as well.
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
        message.body = .bytes(ByteBuffer(bytes: request.body))
        let deadline = NIODeadline.now() + .nanoseconds(request.timeout.wholeNanoseconds)
        let response: HTTPClientResponse
        do {
            response = try await client.execute(message, deadline: deadline, logger: nil)
        } catch {
            throw await self.trouble.explained(error, of: request)
        }
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

    /// Shuts the transport's own clients down, which ends requests still on their way.
    public func shutdown() async {
        if case .own(let clients) = self.source { await clients.shutdown() }
    }
}

extension HTTPClient.Configuration {
    /// What logs are sent with.
    static func forLogs(proxy: ProxyServer?) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        // Requests are large and few. One silent HTTP/2 connection would hold up all of them.
        configuration.httpVersion = .http1Only
        // When to try again, and how many requests there are at once, the producer decides.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        configuration.tracing.tracer = nil
        configuration.tlsConfiguration = .forLogs()
        configuration.proxy = proxy.map { proxy in
            .server(
                host: proxy.host,
                port: proxy.port,
                authorization: proxy.username.map { .basic(username: $0, password: proxy.password ?? "") }
            )
        }
        return configuration
    }
}

extension WebTrackingProducer {
    /// Creates a producer that sends through AsyncHTTPClient.
    ///
    /// Throws ``ConfigurationError`` for the first setting that cannot work, and where this process may not open as many
    /// files as it takes (`ulimit -n`).
    public convenience init(
        configuration: WebTrackingConfiguration,
        diagnostics: DiagnosticHandler = .standardError
    ) throws {
        try configuration.validate()
        try Descriptors.check(needed: configuration.neededDescriptors + EventLoops.leastDescriptors)
        try self.init(
            configuration: configuration,
            transport: AsyncHTTPClientTransport(proxy: configuration.proxyServer()),
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

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

public import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL

/// Sends through AsyncHTTPClient.
///
/// With its own clients, it speaks HTTP/1.1 over TLS 1.2 or newer, and follows no redirects. If an exchange has no
/// answer, or one that another server may not give (5xx, 421, or not from the service), it uses only new connections
/// from then on, and looks the name up again. It does so at most once a second.
///
/// It gives no client a logger, and its own clients have no tracer: sending a record must not log new records.
public struct AsyncHTTPClientTransport: WebTrackingTransport {
    private enum Source {
        case own(ClientGenerations<HTTPClient>)
        case given(HTTPClient)
    }

    private let source: Source
    private let connectionFailure: ConnectionFailure
    /// Whether its clients look for certificate authorities where this library's do.
    private let hasOwnTrust: Bool

    /// Creates a transport with clients of its own, which are shut down with the transport.
    ///
    /// It trusts the certificate authorities of the machine, or those in the file that the environment variable
    /// `SSL_CERT_FILE` names. Each new client reads them again.
    public init() {
        self.init(proxy: nil)
    }

    /// Creates a transport with clients that `makeClient` makes. The transport shuts them down.
    ///
    /// For clients with your own settings, such as certificate authorities. The rules for connections stay the same. A
    /// client should follow no redirects, speak HTTP/1.1 (`httpVersion = .http1Only`) and have no tracer that logs. The
    /// transport calls `makeClient` before the first request and after failed exchanges. It must make a new client each
    /// time, and must not wait.
    public init(makeClient: @escaping @Sendable () -> HTTPClient) {
        self.init(proxy: nil, hasOwnTrust: false, makeClient: makeClient)
    }

    /// Creates a transport with your own client. Shut the client down after the producer.
    ///
    /// The client's settings apply. It goes on using its connections, even after a failed exchange. So it should speak
    /// HTTP/1.1 (`httpVersion = .http1Only`), limit the uses of a connection (`maximumUsesPerConnection`), follow no
    /// redirects, and have no tracer that logs. Prefer ``init(makeClient:)``.
    public init(client: HTTPClient) {
        self.source = .given(client)
        self.hasOwnTrust = false
        self.connectionFailure = ConnectionFailure(clock: SystemProducerClock(), proxy: nil)
    }

    init(proxy: ProxyServer?, clock: any ProducerClock = SystemProducerClock()) {
        self.init(proxy: proxy, clock: clock) {
            HTTPClient(eventLoopGroupProvider: .shared(try EventLoops.group()), configuration: .forLogs(proxy: proxy))
        }
    }

    private init(
        proxy: ProxyServer?,
        clock: any ProducerClock = SystemProducerClock(),
        hasOwnTrust: Bool = true,
        makeClient: @escaping @Sendable () throws -> HTTPClient
    ) {
        // The end closure shuts each client down: AsyncHTTPClient traps on a client that is released without.
        let clients = ClientGenerations(clock: clock, end: { try? await $0.shutdown() }, makeClient: makeClient)
        self.source = .own(clients)
        self.hasOwnTrust = hasOwnTrust
        self.connectionFailure = ConnectionFailure(clock: clock, proxy: proxy)
    }

    /// The number of its own clients.
    var clientCount: Int {
        guard case .own(let clients) = self.source else { return 0 }
        return clients.count
    }

    /// Sends `request`. Throws ``TransportError``, `HTTPClientError` or an error of the network if no complete answer
    /// comes in time.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        switch self.source {
        case .given(let client): return try await self.send(request, by: client)
        case .own(let clients):
            return try await clients.exchange { try await self.send(request, by: $0) }
        }
    }

    private func send(_ request: TransportRequest, by client: HTTPClient) async throws -> TransportResponse {
        // The client's own deadline ends with the answer's headers; the sleeping task bounds the body too.
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
        let deadline = NIODeadline.now() + .nanoseconds(request.timeout.saturatedNanoseconds)
        let response: HTTPClientResponse
        do {
            response = try await client.execute(message, deadline: deadline, logger: nil)
        } catch {
            throw await self.connectionFailure.explained(error, of: request)
        }
        // Stop reading a body that is too long: this costs the connection, but no time.
        var body: [UInt8] = []
        for try await part in response.body {
            body.append(contentsOf: part.readableBytesView.prefix(TransportResponse.maximumBodyBytes - body.count))
            if body.count == TransportResponse.maximumBodyBytes { break }
        }
        // A cancelled body ends like a complete one, so check here.
        try Task.checkCancellation()
        return TransportResponse(
            status: Int(response.status.code),
            headers: response.headers.map { ($0.name, $0.value) },
            body: body
        )
    }

    /// Shuts down the transport's own clients. This ends requests in flight.
    public func shutdown() async {
        if case .own(let clients) = self.source { await clients.shutdown() }
    }
}

extension AsyncHTTPClientTransport: AuthoritiesUser {
    package var missingAuthorities: [String]? { self.hasOwnTrust ? TLSFailure.Machine.present.missing : nil }
    package var authoritiesVariable: String { "SSL_CERT_FILE" }
}

extension HTTPClient.Configuration {
    /// The configuration of the transport's own clients.
    static func forLogs(proxy: ProxyServer?) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        // Requests are large and few. One silent HTTP/2 connection would block all of them.
        configuration.httpVersion = .http1Only
        // The producer decides when to retry, and how many requests run at once.
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
    /// Throws ``ConfigurationError`` for the first setting that cannot work, and if this process may not open enough
    /// files (`ulimit -n`).
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

    /// Looks at a set-up as ``check()`` does, with requests through AsyncHTTPClient and without a producer.
    public static func check(_ configuration: WebTrackingConfiguration) async -> [SetupCheck] {
        let transport: AsyncHTTPClientTransport
        do {
            transport = AsyncHTTPClientTransport(proxy: try configuration.proxyServer())
        } catch {
            return SetupChecks.refused(error)
        }
        let checks = await Self.check(configuration, transport: transport)
        await transport.shutdown()
        return checks
    }

    /// The certificate that the service shows, as DER; `nil` without https, through a proxy, or if there is none. For
    /// webtracking doctor, which has a library to read it with.
    @_spi(Doctor) public static func shownCertificate(_ configuration: WebTrackingConfiguration) async -> [UInt8]? {
        do {
            let endpoint = try Endpoint.parse(configuration.endpoint)
            // Through a proxy it cannot be had without one more request.
            guard endpoint.isSecure, try configuration.proxyServer() == nil else { return nil }
            let host = endpoint.host(project: configuration.project)
            return try await ConnectionFailure.leaf(of: host, port: endpoint.port ?? 443)?.toDERBytes()
        } catch {
            // Settings that cannot work have a check of their own.
            return nil
        }
    }
}

#if SwiftLog
extension WebTrackingProducer {
    /// Makes a producer that sends through AsyncHTTPClient, and bootstraps swift-log with it.
    ///
    /// Throws ``ConfigurationError`` for the first setting that cannot work. Call this once in a process. Keep the
    /// producer: its ``shutdown(timeout:)`` sends the last records.
    ///
    /// - Parameters:
    ///   - configuration: Where logs go and how.
    ///   - keepingConsole: Whether lines also go to standard error, through swift-log's `StreamLogHandler`: the same
    ///     lines at the same levels, without redaction and sampling.
    ///   - metadataProvider: Supplies metadata from the context of each event.
    ///   - diagnostics: Receives the producer's diagnostics; by default, writes rate-limited lines to standard error.
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

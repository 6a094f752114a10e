// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

#if canImport(FoundationNetworking)
import Foundation
public import FoundationNetworking
#else
public import Foundation
#endif

/// Sends through Foundation's URLSession: for builds without the `AsyncHTTPClient` trait.
///
/// With sessions of its own, after an exchange without an answer, and after one that another server might answer otherwise
/// (5xx, or nothing of the service), no connection of before is used again, and the name is looked up anew. That happens
/// once a second at most. On Apple platforms TLS 1.2 is the least; on Linux the machine's libcurl and its TLS library decide.
///
/// In a module of its own, so that a program that sends otherwise links no Foundation.
///
/// On Linux prefer AsyncHTTPClient where you can: Foundation there ends the process when a connection breaks off among
/// the headers of an answer, at least until Swift 6.3.1 (swift-corelibs-foundation issue 5285).
public final class URLSessionTransport: WebTrackingTransport, AuthoritiesUser {
    private enum Source {
        case own(ClientGenerations<OwnSession>)
        case given(URLSession)
    }

    /// A session, and what is on its way in it.
    private struct OwnSession: Sendable {
        let session: URLSession
        let exchanges: SessionExchanges
    }

    private let source: Source

    /// Creates a transport with ephemeral sessions of its own: no cookies, no credentials, no cache, no redirects.
    public init() {
        self.source = Self.own(clock: SystemProducerClock())
    }

    package init(clock: any ProducerClock) {
        self.source = Self.own(clock: clock)
    }

    private static func own(clock: any ProducerClock) -> Source {
        let sessions = ClientGenerations<OwnSession>(clock: clock) { own in
            own.exchanges.end(own.session)
        } makeClient: {
            let exchanges = SessionExchanges()
            return OwnSession(
                session: URLSession(configuration: .forLogs(), delegate: exchanges, delegateQueue: nil),
                exchanges: exchanges
            )
        }
        return .own(sessions)
    }

    /// Creates a transport with a session that you made, and that you invalidate after the producer's shutdown.
    ///
    /// Its settings apply, and its delegate is asked: it should keep no cookies and follow no redirects. Its connections are
    /// used as long as it keeps them, also after exchanges that have failed. Bodies of answers are received whole.
    public init(session: URLSession) {
        self.source = .given(session)
    }

    /// Foundation on Linux looks for certificate authorities in these files, or leaves that to libcurl, whose own place is one
    /// of them on Debian, Fedora and Alpine.
    package var missingAuthorities: [String]? {
        #if os(Linux)
        guard case .own = self.source, getenv(self.authoritiesVariable) == nil, !HashedAuthorities.isThere
        else { return nil }
        let files = [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
            "/usr/share/ssl/certs/ca-bundle.crt",
            "/usr/local/share/certs/ca-root-nss.crt", "/etc/ssl/cert.pem",
        ]
        return files.contains { access($0, R_OK) == 0 } ? nil : files
        #else
        // Elsewhere the system verifies certificates, without files.
        return nil
        #endif
    }

    /// Foundation on Linux reads this one.
    package var authoritiesVariable: String { "URLSessionCertificateAuthorityInfoFile" }

    /// How many sessions of its own there are.
    package var sessionCount: Int {
        guard case .own(let sessions) = self.source else { return 0 }
        return sessions.count
    }

    /// Sends `request`; throws `URLError`, one of ``/WebTracking/TransportError`` that says why TLS failed, or ``/WebTracking/TransportError/timedOut``, if no complete answer came in
    /// time, and ``/WebTracking/TransportError/connectionFailed(_:)`` after ``shutdown()``.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        guard let url = URL(string: request.url) else { throw TransportError.invalidRequest(request.url) }
        var message = URLRequest(url: url)
        message.httpMethod = "POST"
        for header in request.headers { message.setValue(header.value, forHTTPHeaderField: header.name) }
        message.httpBody = Data(request.body)
        // URLSession's own timeout starts again with each byte, and knows whole seconds only on Linux; the sleeping task
        // bounds the whole.
        message.timeoutInterval = (request.timeout / .seconds(1)).rounded(.up)
        switch self.source {
        case .given(let session):
            return try await Self.exchange(message, of: request) { message in
                let (data, response) = try await session.data(for: message)
                return try TransportResponse(response, body: Array(data.prefix(TransportResponse.maximumBodyBytes)))
            }
        case .own(let sessions):
            return try await sessions.exchange { own in
                try await Self.exchange(message, of: request) { try await own.exchanges.perform($0, in: own.session) }
            }
        }
    }

    /// Invalidates the transport's own sessions, which ends requests still on their way.
    public func shutdown() async {
        if case .own(let sessions) = self.source { await sessions.shutdown() }
    }

    /// Waits for an answer as long as the request may take.
    private static func exchange(
        _ message: URLRequest,
        of request: TransportRequest,
        _ perform: @escaping @Sendable (URLRequest) async throws -> TransportResponse
    ) async throws -> TransportResponse {
        try await withThrowingTaskGroup(of: TransportResponse.self) { group in
            group.addTask {
                do {
                    return try await perform(message)
                } catch let error as URLError {
                    throw SessionTLSFailure.explained(error, host: request.host)
                }
            }
            group.addTask {
                try await Task.sleep(for: request.timeout)
                throw TransportError.timedOut
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw TransportError.timedOut }
            return first
        }
    }
}

extension URLSessionConfiguration {
    /// What logs are sent with.
    fileprivate static func forLogs() -> URLSessionConfiguration {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        configuration.httpCookieStorage = nil
        configuration.urlCredentialStorage = nil
        configuration.urlCache = nil
        // How many requests there are at once, the producer decides.
        configuration.httpMaximumConnectionsPerHost = 1024
        #if !canImport(FoundationNetworking)
        configuration.tlsMinimumSupportedProtocolVersion = .TLSv12
        #endif
        return configuration
    }
}

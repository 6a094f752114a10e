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
/// In a module of its own, so that a program that sends otherwise links no Foundation.
///
/// On Linux prefer AsyncHTTPClient where you can: Foundation there ends the process when a connection breaks off among
/// the headers of an answer, at least until Swift 6.3.1 (swift-corelibs-foundation issue 5285).
public final class URLSessionTransport: WebTrackingTransport {
    private let session: URLSession
    /// The delegate of the transport's own session; `nil` with a session of somebody else.
    private let exchanges: SessionExchanges?

    /// Creates a transport with an ephemeral session of its own: no cookies, no credentials, no cache, no redirects.
    public init() {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        configuration.httpCookieStorage = nil
        configuration.urlCredentialStorage = nil
        configuration.urlCache = nil
        // How many requests there are at once, the producer decides.
        configuration.httpMaximumConnectionsPerHost = 1024
        let exchanges = SessionExchanges()
        self.session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
        self.exchanges = exchanges
    }

    /// Creates a transport with a session that you made, and that you invalidate after the producer's shutdown.
    ///
    /// Its settings apply, and its delegate is asked: it should keep no cookies and follow no redirects. Bodies of answers
    /// are received whole.
    public init(session: URLSession) {
        self.session = session
        self.exchanges = nil
    }

    /// Sends `request`; throws `URLError`, or ``/WebTracking/TransportError/timedOut``, if no complete answer came in
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
        return try await withThrowingTaskGroup(of: TransportResponse.self) { group in
            group.addTask { [message] in try await self.exchange(message) }
            group.addTask {
                try await Task.sleep(for: request.timeout)
                throw TransportError.timedOut
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw TransportError.timedOut }
            return first
        }
    }

    /// Invalidates the transport's own session, which ends requests still on their way.
    public func shutdown() async {
        self.exchanges?.end(self.session)
    }

    private func exchange(_ message: URLRequest) async throws -> TransportResponse {
        if let exchanges = self.exchanges { return try await exchanges.perform(message, in: self.session) }
        let (data, response) = try await self.session.data(for: message)
        return try TransportResponse(response, body: Array(data.prefix(TransportResponse.maximumBodyBytes)))
    }
}

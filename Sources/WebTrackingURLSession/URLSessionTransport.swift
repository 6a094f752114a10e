//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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
public final class URLSessionTransport: WebTrackingTransport {
    private let session: URLSession
    private let ownsSession: Bool

    /// Creates a transport with an ephemeral session of its own: no cookies, no cache, no redirects.
    public init() {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        configuration.urlCache = nil
        self.session = URLSession(configuration: configuration, delegate: NoRedirects(), delegateQueue: nil)
        self.ownsSession = true
    }

    /// Creates a transport with a session that you made, and that you invalidate after the producer's shutdown.
    public init(session: URLSession) {
        self.session = session
        self.ownsSession = false
    }

    /// Sends `request`; throws `URLError` if no complete answer came in time.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        guard let url = URL(string: request.url) else { throw TransportError.invalidRequest(request.url) }
        var message = URLRequest(url: url)
        message.httpMethod = "POST"
        for header in request.headers { message.setValue(header.value, forHTTPHeaderField: header.name) }
        message.httpBody = Data(request.body)
        // URLSession's own timeout starts again with each byte; the sleeping task bounds the whole.
        message.timeoutInterval = request.timeout / .seconds(1)
        let (data, response) = try await self.exchange(message, timeout: request.timeout)
        guard let response = response as? HTTPURLResponse else {
            throw TransportError.connectionFailed("the answer is not HTTP")
        }
        return TransportResponse(
            status: response.statusCode,
            headers: response.allHeaderFields.map { ("\($0.key)", "\($0.value)") },
            body: Array(data.prefix(TransportResponse.maximumBodyBytes))
        )
    }

    /// Invalidates the transport's own session, which ends requests still on their way.
    public func shutdown() async {
        if self.ownsSession { self.session.invalidateAndCancel() }
    }

    private func exchange(_ message: URLRequest, timeout: Duration) async throws -> (Data, URLResponse) {
        let session = self.session
        return try await withThrowingTaskGroup(of: (Data, URLResponse).self) { group in
            group.addTask { try await session.data(for: message) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw TransportError.timedOut
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw TransportError.timedOut }
            return first
        }
    }
}

/// Answers every redirect with the redirect itself: the service does not send any, so it is somebody else's.
private final class NoRedirects: NSObject, URLSessionTaskDelegate, Sendable {
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Sends one request to the service, and returns the answer.
///
/// Write your own to send through another HTTP client; `WebTrackingTestKit` has a suite that checks it. A transport
/// makes no decisions: it does not retry, follow redirects, or look at the status. It must never log through a handler
/// of this library: each request would then log new records.
public protocol WebTrackingTransport: Sendable {
    /// Sends `request` as an HTTP POST, and returns the answer with any status.
    ///
    /// Throws if no complete answer came. Any error counts as a failed attempt, and is retried later. Returns or throws
    /// within ``TransportRequest/timeout``, and soon after the task is cancelled.
    func send(_ request: TransportRequest) async throws -> TransportResponse

    /// Frees the resources of the transport. Called once, after the last request.
    func shutdown() async
}

extension WebTrackingTransport {
    /// Does nothing.
    public func shutdown() async {}
}

/// One request: `POST {scheme}://{host}[:{port}]{path}`.
public struct TransportRequest: Sendable {
    /// Whether the request goes over TLS.
    public var isSecure: Bool
    /// The host. The project is its first label, unless the endpoint is a custom domain.
    public var host: String
    /// The port; `nil` for the default port of the scheme.
    public var port: Int?
    /// The path. It needs no percent-encoding.
    public var path: String
    /// The headers to send, in addition to those of HTTP itself (`Host`, `Content-Length`).
    public var headers: [(name: String, value: String)]
    /// The body as it is sent.
    public var body: [UInt8]
    /// How long the whole exchange may take.
    public var timeout: Duration

    /// Creates a request.
    public init(
        isSecure: Bool,
        host: String,
        port: Int?,
        path: String,
        headers: [(name: String, value: String)],
        body: [UInt8],
        timeout: Duration
    ) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.path = path
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }

    /// The request's URL.
    public var url: String {
        "\(self.isSecure ? "https" : "http")://\(self.host)\(self.port.map { ":\($0)" } ?? "")\(self.path)"
    }

    /// The value of the first header of that name, in upper or lower case; `nil` if there is none.
    public func header(_ name: String) -> String? {
        self.headers.firstValue(of: name)
    }
}

extension TransportRequest: CustomStringConvertible, CustomReflectable {
    /// The request in one line, with the names of its headers but not their values: one may be a security token.
    public var description: String {
        "POST \(self.url) [\(self.headers.map(\.name).joined(separator: ", "))] \(self.body.count) bytes"
    }

    /// The description, so that printing a request shows no token.
    public var customMirror: Mirror { Mirror(self, children: ["": self.description], displayStyle: .struct) }
}

/// The answer to a request.
public struct TransportResponse: Sendable {
    /// The number of body bytes that a transport has to keep at most.
    public static let maximumBodyBytes = 64 << 10

    /// The HTTP status.
    public var status: Int
    /// The headers.
    public var headers: [(name: String, value: String)]
    /// The body, or at least its first ``maximumBodyBytes`` bytes.
    public var body: [UInt8]

    /// Creates an answer.
    public init(status: Int, headers: [(name: String, value: String)], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, in upper or lower case; `nil` if there is none.
    public func header(_ name: String) -> String? {
        self.headers.firstValue(of: name)
    }
}

extension [(name: String, value: String)] {
    fileprivate func firstValue(of name: String) -> String? {
        let name = name.lowercased()
        return self.first { $0.name.lowercased() == name }?.value
    }
}

/// The usual reasons why no answer came. Transports may throw errors of their own instead.
public enum TransportError: Error, Sendable, Equatable {
    /// The exchange took longer than ``TransportRequest/timeout``.
    case timedOut
    /// The client does not accept the request, for example its URL.
    case invalidRequest(String)
    /// The connection failed or was closed before the answer was complete.
    case connectionFailed(String)
}

extension TransportError: CustomStringConvertible {
    /// The error in one line.
    public var description: String {
        switch self {
        case .timedOut: "timed out"
        case .invalidRequest(let reason): "the request cannot be sent: \(reason)"
        case .connectionFailed(let reason): reason
        }
    }
}

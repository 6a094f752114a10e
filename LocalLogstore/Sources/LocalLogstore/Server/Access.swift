// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Synchronization

/// Decides which clients may read logs and change how the endpoint behaves.
final class Access: Sendable {
    /// The name of the cookie of a session. Browsers send a host's cookies to all its ports, and there may be an endpoint
    /// on each.
    static func cookie(_ request: Request) -> String {
        let port = request.head.authority.flatMap { authority -> Substring? in
            guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else { return nil }
            return authority[colon...].dropFirst()
        }
        guard let port, let number = UInt16(port) else { return "webtracking_session" }
        return "webtracking_session_\(number)"
    }

    private static let fetchSite = HTTPField.Name("sec-fetch-site")!

    private let policy: AccessPolicy
    private let host: String
    private let sessions = Mutex<Set<String>>([])

    /// - Parameter host: The address the endpoint listens on.
    init(policy: AccessPolicy, host: String) {
        self.policy = policy
        self.host = host
    }

    var needsToken: Bool { self.policy != .open }

    /// Throws if the request names the endpoint as only another site would. With a token, names do not matter.
    func checkName(_ request: Request) throws(WebError) {
        guard self.policy == .open else { return }
        guard let authority = request.head.authority, self.isOwnName(authority) else {
            throw WebError(
                status: .forbidden,
                message: "Use localhost or an IP address to reach this endpoint; other names are not trusted."
            )
        }
    }

    /// Throws if the request may not read.
    func checkRead(_ request: Request) throws(WebError) {
        // A browser says where a request comes from. Pages of other sites may not read here.
        if let site = request.headers[Self.fetchSite], site != "same-origin", site != "none" {
            throw WebError(status: .forbidden, message: "Other sites may not read from this endpoint.")
        }
        switch self.policy {
        case .open:
            try self.checkName(request)
        case .token(let token):
            if let bearer = Self.bearer(request), Self.areEqual(bearer, token) { return }
            if let session = Self.session(request), self.sessions.withLock({ $0.contains(session) }) { return }
            throw WebError(status: .unauthorized, message: "A token is needed to read from this endpoint.")
        }
    }

    /// Throws if the request may not change anything. A form of another site cannot send JSON.
    func checkWrite(_ request: Request) throws(WebError) {
        try self.checkRead(request)
        guard request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
            throw WebError(status: .unsupportedMediaType, message: "The content type has to be application/json.")
        }
    }

    /// A new session for a client with the token; `nil` if the token is wrong.
    func open(token: String) -> String? {
        guard case .token(let known) = self.policy, Self.areEqual(token, known) else { return nil }
        let session = Self.random()
        self.sessions.withLock {
            // People do not have that many browsers.
            if $0.count >= 1000 { $0.removeAll() }
            $0.insert(session)
        }
        return session
    }

    func close(_ request: Request) {
        guard let session = Self.session(request) else { return }
        self.sessions.withLock { _ = $0.remove(session) }
    }

    /// 256 random bits as hexadecimal digits.
    static func random() -> String {
        (0..<4).map { _ in
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        .joined()
    }

    /// Whether a name can only mean this endpoint: a page of the web can give its own name this address, but not these.
    private func isOwnName(_ authority: String) -> Bool {
        if authority.hasPrefix("[") { return true }
        let name = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)[0].lowercased()
        if name == "localhost" || name.hasSuffix(".localhost") || name == self.host.lowercased() { return true }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count == 4 && labels.allSatisfy { UInt8($0) != nil }
    }

    private static func bearer(_ request: Request) -> String? {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") else { return nil }
        return String(header.dropFirst("bearer ".count))
    }

    private static func session(_ request: Request) -> String? {
        let prefix = Self.cookie(request) + "="
        return request.headers[.cookie]?.split(separator: ";").lazy
            .map { $0.drop { $0 == " " } }
            .first { $0.hasPrefix(prefix) }
            .map { String($0.dropFirst(prefix.count)) }
    }

    /// Takes the same time wherever the difference is.
    private static func areEqual(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// An HTTP proxy between this machine and the service. Its descriptions show no credentials.
struct ProxyServer: Sendable, Equatable {
    var host: String
    var port: Int
    var username: String?
    var password: String?

    /// The first invalid part and its rule; `nil` if there is none.
    var problem: (part: String, rule: String)? {
        let isName = (1...253).contains(self.host.utf8.count) && self.host.utf8.allSatisfy(Self.isHostByte)
        if !isName { return ("host", "a proxy's host is a name or an address, without a scheme or a port") }
        if !(1...65_535).contains(self.port) { return ("port", "a port is a number from 1 to 65535") }
        if self.username == nil, self.password != nil { return ("username", "a password needs a user name") }
        let isShort = (self.username ?? "").utf8.count + (self.password ?? "").utf8.count <= 4096
        let texts = [self.username, self.password].compactMap { $0 }
        if !isShort || !texts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }) {
            return ("password", "a user name and a password have no ends of line or other control characters")
        }
        // In Basic authentication, the first colon ends the user name (RFC 7617).
        if self.username?.contains(":") == true { return ("username", "a user name has no colon") }
        return nil
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        // The colons are for IPv6 addresses.
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x3A).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
    }

    /// Parses a proxy of the environment: `http://proxy.example.com:3128`, with or without `user:password@`. Throws the
    /// rule that it breaks.
    init(url text: String) throws(InvalidURL) {
        var rest = Substring(text)
        if let scheme = rest.firstRange(of: "://") {
            guard rest[..<scheme.lowerBound].lowercased() == "http" else {
                throw InvalidURL(rule: "the proxy has to be an HTTP proxy: http://HOST:PORT")
            }
            rest = rest[scheme.upperBound...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        self.username = nil
        self.password = nil
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            self.username = Self.decoded(parts[0])
            self.password = parts.count > 1 ? Self.decoded(parts[1]) : nil
            rest = rest[rest.index(after: at)...]
        }
        self.port = 80
        if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
            self.port = Int(rest[rest.index(after: colon)...]) ?? 0
            rest = rest[..<colon]
        }
        if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
        self.host = String(rest)
        if let problem = self.problem { throw InvalidURL(rule: problem.rule) }
    }

    init(host: String, port: Int, username: String? = nil, password: String? = nil) {
        self.host = host
        self.port = port
        self.username = username
        // Remove line ends, which files with secrets often have.
        self.password = password?.withoutLineEnds
    }

    struct InvalidURL: Error, Equatable {
        var rule: String
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ProxyServer: CustomStringConvertible, CustomReflectable {
    var description: String {
        "\(self.host.withoutCredentials):\(self.port)\(self.username == nil ? "" : ", with credentials")"
    }
    var customMirror: Mirror { Mirror(self, children: ["": self.description], displayStyle: .struct) }
}

extension ProxyServer {
    /// The proxy that the environment names for requests to `host`; `nil` if there is none.
    ///
    /// As in curl, lower-case names come first, and `http_proxy` exists in lower case only: a CGI program gets
    /// `HTTP_PROXY` from its client's `Proxy` header (httpoxy, CVE-2016-5385). `NO_PROXY` lists names with commas
    /// between them, or is `*`. A name also covers its subdomains. Loopback addresses use none.
    static func ofEnvironment(
        for endpoint: Endpoint,
        host: String,
        variable: (String) -> String?
    ) throws(InvalidURL) -> ProxyServer? {
        func value(_ names: [String]) -> String? {
            names.compactMap { variable($0) }.first { !$0.isEmpty }
        }
        let names = endpoint.isSecure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]
        guard !endpoint.isLoopback, let url = value(names + ["all_proxy", "ALL_PROXY"]) else { return nil }
        let exceptions = (value(["no_proxy", "NO_PROXY"]) ?? "").split { $0 == "," || $0.isWhitespace }
        let target = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        for exception in exceptions {
            var name = exception.lowercased()
            if name == "*" { return nil }
            let port = name.lastIndex(of: ":").flatMap { Int(name[name.index(after: $0)...]) }
            if let port, name.count(where: { $0 == ":" }) == 1 {
                guard port == endpoint.port ?? (endpoint.isSecure ? 443 : 80) else { continue }
                name = String(name[..<(name.lastIndex(of: ":") ?? name.endIndex)])
            }
            if name.hasPrefix("*.") { name.removeFirst() }
            if name.hasPrefix(".") { name.removeFirst() }
            if !name.isEmpty, target == name || target.hasSuffix(".\(name)") { return nil }
        }
        return try ProxyServer(url: url)
    }
}

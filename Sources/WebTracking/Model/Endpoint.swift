// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The address for requests: scheme, host and port, and whether the project is the first label of the host.
struct Endpoint: Sendable, Equatable {
    var isSecure: Bool
    var host: String
    var port: Int?
    /// Whether the project is put in front of the host.
    var takesProject: Bool

    /// Parses an endpoint of a configuration.
    ///
    /// - `cn-hangzhou.log.aliyuncs.com`, with an optional scheme and port. The scheme is https unless `http://` is
    ///   written.
    /// - `cn-hangzhou`: short for the public endpoint of a region.
    /// - A custom domain or a loopback address. It belongs to one project, so the project is not added.
    static func parse(_ text: String) throws -> Endpoint {
        var rest = Substring(text)
        var isSecure = true
        var hasScheme = false
        if let range = rest.firstRange(of: "://") {
            switch rest[..<range.lowerBound].lowercased() {
            case "https": isSecure = true
            case "http": isSecure = false
            default: throw self.error(text, "the scheme has to be https or http")
            }
            rest = rest[range.upperBound...]
            hasScheme = true
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.isEmpty else { throw self.error(text, "an endpoint needs a host") }
        guard !rest.contains(where: { "/?#@\\".contains($0) || $0.isWhitespace }) else {
            throw self.error(text, "an endpoint has no path, query or user name")
        }
        let (host, port) = try self.hostAndPort(rest, of: text)
        // With a scheme or a port, a single name is a machine, not a region.
        if !hasScheme, port == nil, self.isRegion(host) {
            try self.checkLabels(host, of: text)
            return Endpoint(isSecure: isSecure, host: "\(host).log.aliyuncs.com", port: port, takesProject: true)
        }
        if host.hasPrefix("[") {
            return Endpoint(isSecure: isSecure, host: host, port: port, takesProject: false)
        }
        try self.checkLabels(host, of: text)
        return Endpoint(isSecure: isSecure, host: host, port: port, takesProject: self.isServiceHost(host))
    }

    /// The host to connect to for a project.
    func host(project: String) -> String {
        self.takesProject ? "\(project).\(self.host)" : self.host
    }

    /// Whether requests stay on this machine: `localhost` and the loopback addresses.
    var isLoopback: Bool {
        if self.host == "localhost" { return true }
        if let address = NumericAddress.version4(self.host) { return address[0] == 127 }
        let address = NumericAddress.version6(self.host.dropFirst().dropLast())
        return self.host.hasPrefix("[") && address == Array(repeating: 0, count: 15) + [1]
    }

    /// Whether this looks like the name of a region, such as `cn-hangzhou` or `ap-southeast-1`.
    private static func isRegion(_ host: String) -> Bool {
        guard !host.contains("."), let hyphen = host.firstIndex(of: "-") else { return false }
        return ["cn", "ap", "us", "eu", "me", "na", "sa", "af", "rus"].contains(host[..<hyphen])
    }

    private static func isServiceHost(_ host: String) -> Bool {
        host.hasSuffix(".log.aliyuncs.com") || host.hasSuffix(".sls.aliyuncs.com") || host == "log-global.aliyuncs.com"
    }

    private static func hostAndPort(_ rest: Substring, of text: String) throws -> (String, Int?) {
        var host = rest
        var port: Int?
        let colon =
            rest.hasPrefix("[")
            ? rest.firstIndex(of: "]").map { rest.index(after: $0) } : rest.firstIndex(of: ":")
        if let colon, colon < rest.endIndex {
            let digits = rest[rest.index(after: colon)...]
            // `Int` would accept a sign.
            guard rest[colon] == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(digits), (1...65_535).contains(number)
            else { throw self.error(text, "a port is a number from 1 to 65535") }
            host = rest[..<colon]
            port = number
        } else if colon == nil, rest.hasPrefix("[") {
            throw self.error(text, "an IPv6 address ends with a bracket")
        }
        if host.hasPrefix("[") {
            guard NumericAddress.version6(host.dropFirst().dropLast()) != nil else {
                throw self.error(text, "in brackets there is an IPv6 address")
            }
        } else if NumericAddress.looksNumeric(host), NumericAddress.version4(String(host)) == nil {
            throw self.error(text, "an IPv4 address has four numbers from 0 to 255, without zeros in front")
        }
        return (host.lowercased(), port)
    }

    private static func checkLabels(_ host: String, of text: String) throws {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let isValid =
            host.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { byte in
                        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
                    }
            }
        guard isValid else { throw self.error(text, "a host has labels of letters, digits and hyphens between dots") }
    }

    private static func error(_ text: String, _ rule: String) -> ConfigurationError {
        ConfigurationError(
            setting: "endpoint",
            value: text.withoutCredentials,
            rule: rule,
            suggestion: "Write it like cn-hangzhou.log.aliyuncs.com, https://logs.example.com or http://127.0.0.1:8080."
        )
    }
}

extension String {
    /// An address without its secrets: masks everything before an at sign, and everything after a question mark or a
    /// number sign. The text may also be no address, or stand under another setting. A password may have any of these
    /// signs, so they are masked wherever they stand.
    var withoutCredentials: String {
        var scalars = Array(self.unicodeScalars)
        let mask = Array(Redaction.masked.unicodeScalars)
        if let at = scalars.lastIndex(of: "@") {
            let scheme = scalars.indices.first { scalars[$0...].starts(with: ["/", "/"]) }.map { $0 + 2 } ?? 0
            // Two slashes that come after an at sign do not end a scheme. They belong to a user name or password.
            let start = scheme <= at && !scalars[..<scheme].contains("@") ? scheme : 0
            scalars.replaceSubrange(start..<at, with: mask)
        }
        if let query = scalars.firstIndex(where: { $0 == "?" || $0 == "#" }) {
            scalars.replaceSubrange((query + 1)..., with: mask)
        }
        return String(String.UnicodeScalarView(scalars))
    }
}

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Where requests go: scheme, host and port, and whether the project is the host's first label.
struct Endpoint: Sendable, Equatable {
    var isSecure: Bool
    var host: String
    var port: Int?
    /// Whether the project is put in front of the host.
    var takesProject: Bool

    /// Reads an endpoint as it stands in a configuration.
    ///
    /// - `cn-hangzhou.log.aliyuncs.com`, with an optional scheme and port; https unless http is written out.
    /// - `cn-hangzhou`: short for the public endpoint of a region.
    /// - A custom domain or a loopback address, which stands for the project by itself.
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
        // With a scheme or a port written out, a single name means a machine.
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

    /// Whether requests stay on this machine: `localhost`, and the addresses that are the loopback's by definition.
    var isLoopback: Bool {
        if ["localhost", "[::1]", "[0:0:0:0:0:0:0:1]"].contains(self.host) { return true }
        // A name may begin with 127, too.
        let parts = self.host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil
            }
    }

    /// Whether this is the name of a region, such as `cn-hangzhou` or `ap-southeast-1`, and not that of a machine.
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
            guard rest[colon] == ":", let number = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(number)
            else { throw self.error(text, "a port is a number from 1 to 65535") }
            host = rest[..<colon]
            port = number
        } else if colon == nil, rest.hasPrefix("[") {
            throw self.error(text, "an IPv6 address ends with a bracket")
        }
        if host.hasPrefix("[") {
            let address = host.dropFirst().dropLast()
            guard !address.isEmpty, address.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                throw self.error(text, "an IPv6 address has hexadecimal digits and colons")
            }
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
            value: text,
            rule: rule,
            mend: "Write it like cn-hangzhou.log.aliyuncs.com, https://logs.example.com or http://127.0.0.1:8080."
        )
    }
}

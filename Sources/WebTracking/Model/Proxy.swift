// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension WebTrackingConfiguration {
    /// The HTTP proxy that requests go through, by `CONNECT`: of https it sees the host and no records.
    public struct Proxy: Sendable, Equatable {
        /// That of the environment: `https_proxy` or `HTTPS_PROXY` (for plain http `http_proxy`, and `all_proxy` or
        /// `ALL_PROXY` for both), unless `no_proxy` or `NO_PROXY` names the host; none where there is none.
        ///
        /// Read once, when the producer is made.
        public static let environment = Proxy(choice: .environment)

        /// A proxy for all requests.
        ///
        /// - Parameters:
        ///   - host: Its name or address.
        ///   - port: Its port, from 1 to 65535.
        ///   - username: For a proxy that asks for credentials.
        ///   - password: The secret of these credentials, which no description shows.
        public static func server(
            host: String,
            port: Int,
            username: String? = nil,
            password: String? = nil
        ) -> Proxy {
            Proxy(choice: .server(ProxyServer(host: host, port: port, username: username, password: password)))
        }

        private enum Choice: Sendable, Equatable {
            case environment
            case server(ProxyServer)
        }

        private let choice: Choice

        /// The proxy for all requests, if it is one.
        var server: ProxyServer? {
            if case .server(let server) = self.choice { server } else { nil }
        }
    }

    /// The proxy for requests of this configuration; throws ``ConfigurationError`` for any setting that cannot work.
    func proxyServer() throws -> ProxyServer? {
        try self.validate()
        return try self.proxy?.server(for: self)
    }
}

extension WebTrackingConfiguration.Proxy {
    /// The proxy for requests of a configuration; throws ``ConfigurationError`` for one that cannot be used. The value
    /// in it shows no credentials.
    func server(for configuration: WebTrackingConfiguration) throws -> ProxyServer? {
        switch self.choice {
        case .server(let server):
            guard let problem = server.problem else { return server }
            throw ConfigurationError(
                setting: "proxy.\(problem.part)",
                value: problem.part == "port"
                    ? "\(server.port)" : problem.part == "host" ? server.host.withoutCredentials : Redaction.masked,
                rule: problem.rule,
                suggestion: "Write it like .server(host: \"proxy.example.com\", port: 3128)."
            )
        case .environment:
            let endpoint = try Endpoint.parse(configuration.endpoint)
            let host = endpoint.host(project: configuration.project)
            do {
                return try ProxyServer.ofEnvironment(for: endpoint, host: host) { name in
                    getenv(name).map { String(cString: $0) }
                }
            } catch {
                throw ConfigurationError(
                    setting: "proxy",
                    value: "the environment",
                    rule: error.rule,
                    suggestion: "Write HTTPS_PROXY like http://proxy.example.com:3128."
                )
            }
        }
    }
}

extension WebTrackingConfiguration.Proxy: CustomStringConvertible, CustomReflectable {
    /// The proxy without its credentials.
    public var description: String {
        switch self.choice {
        case .environment: "that of the environment"
        case .server(let server): server.description
        }
    }

    /// The same.
    public var customMirror: Mirror { Mirror(self, children: ["": self.description], displayStyle: .struct) }
}

#endif

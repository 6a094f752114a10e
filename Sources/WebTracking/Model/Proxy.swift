// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import WebTrackingPlatform

extension WebTrackingConfiguration {
    /// The HTTP proxy for requests. They go through it by `CONNECT`, so with https it sees the host, but no records.
    public struct Proxy: Sendable, Equatable {
        /// The proxy of the environment: `https_proxy` or `HTTPS_PROXY` (for plain http `http_proxy`), or `all_proxy`
        /// or `ALL_PROXY`. No proxy is used if none of them is set, or if `no_proxy` or `NO_PROXY` names the host.
        ///
        /// The environment is read once, when the producer is made.
        public static let environment = Proxy(choice: .environment)

        /// A proxy for all requests.
        ///
        /// - Parameters:
        ///   - host: The name or address of the proxy.
        ///   - port: The port of the proxy, from 1 to 65535.
        ///   - username: For a proxy that asks for credentials.
        ///   - password: The password for these credentials. No description shows it.
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

        /// The server that the program has named; `nil` for that of the environment.
        var server: ProxyServer? {
            if case .server(let server) = self.choice { server } else { nil }
        }
    }

    /// The proxy for requests of this configuration. Throws ``ConfigurationError`` for any setting that cannot work.
    func proxyServer() throws -> ProxyServer? {
        try self.validate()
        return try self.proxy?.server(for: self)
    }
}

extension WebTrackingConfiguration.Proxy {
    /// The proxy for requests of a configuration. Throws ``ConfigurationError`` if it cannot be used. The error shows
    /// no credentials.
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

    /// The description, so that printing it shows no credentials.
    public var customMirror: Mirror { Mirror(self, children: ["": self.description], displayStyle: .struct) }
}

#endif

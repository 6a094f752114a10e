// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

extension WebTrackingConfiguration {
    /// Reads the proxy. Keys that would have no effect are refused.
    mutating func readProxy(_ config: SettingsReader) throws {
        let host = try config.text("host", emptyIsNone: true)
        let port = try config.number("port")
        let username = try config.text("username", emptyIsNone: true)
        let password = try config.text("password", isSecret: true, emptyIsNone: true)
        let isOfEnvironment = try config.flag("fromEnvironment") ?? false
        guard host != nil || isOfEnvironment else {
            guard port == nil, username == nil, password == nil else {
                throw config.error("host", "", "a proxy has a host and a port")
            }
            return
        }
        #if AsyncHTTPClient
        guard let host else {
            guard port == nil, username == nil, password == nil else {
                throw config.error(
                    "fromEnvironment",
                    "true",
                    "the environment's proxy has its own port and credentials"
                )
            }
            self.proxy = .environment
            return
        }
        guard !isOfEnvironment else {
            throw config.error("fromEnvironment", "true", "there is one proxy, this or the environment's")
        }
        guard let port else { throw config.error("port", "", "a proxy has a host and a port") }
        self.proxy = .server(host: host, port: port, username: username, password: password)
        #else
        throw ConfigurationError(
            setting: "proxy",
            value: host?.withoutCredentials ?? "the environment",
            rule: "a proxy is used only by a package that has the trait AsyncHTTPClient",
            suggestion: "Add the trait to the dependency, or remove the keys under proxy."
        )
        #endif
    }
}

#endif

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration
import Testing

@testable import WebTracking

/// The keys that say which proxy.
@Suite struct ProxySettingsTests {
    private static func read(_ proxy: [String: String]) throws -> WebTrackingConfiguration {
        var values = [
            "WEBTRACKING_ENDPOINT": "cn-test", "WEBTRACKING_PROJECT": "project", "WEBTRACKING_LOGSTORE": "logstore",
        ]
        for (key, value) in proxy { values["WEBTRACKING_PROXY_" + key] = value }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))
        return try WebTrackingConfiguration(config: reader.scoped(to: "webtracking"))
    }

    private static func setting(_ proxy: [String: String]) -> String? {
        #expect(throws: ConfigurationError.self) { try self.read(proxy) }?.setting
    }

    #if AsyncHTTPClient

    @Test func aProxyIsReadWithItsCredentials() throws {
        let values = ["HOST": "proxy", "PORT": "3128", "USERNAME": "anna", "PASSWORD": "hidden\n"]
        let expected = ProxyServer(host: "proxy", port: 3128, username: "anna", password: "hidden")
        #expect(try Self.read(values).proxyServer() == expected)
        #expect(
            try Self.read(["HOST": "proxy", "PORT": "3128"]).proxyServer() == ProxyServer(host: "proxy", port: 3128)
        )
        #expect(try Self.read([:]).proxy == nil)
    }

    @Test func theEnvironmentIsHeededIfThatIsAskedFor() throws {
        #expect(try Self.read(["FROM_ENVIRONMENT": "true"]).proxy == .environment)
        #expect(try Self.read(["FROM_ENVIRONMENT": "false"]).proxy == nil)
    }

    @Test func keysThatContradictOrLackOthersAreRefused() {
        #expect(Self.setting(["PORT": "3128"]) == "proxy.host")
        #expect(Self.setting(["HOST": "proxy"]) == "proxy.port")
        #expect(Self.setting(["HOST": "proxy", "PORT": "0"]) == "proxy.port")
        #expect(Self.setting(["HOST": "http://proxy", "PORT": "1"]) == "proxy.host")
        #expect(Self.setting(["HOST": "proxy", "PORT": "1", "FROM_ENVIRONMENT": "true"]) == "proxy.fromEnvironment")
        #expect(Self.setting(["PORT": "1", "FROM_ENVIRONMENT": "true"]) == "proxy.fromEnvironment")
        #expect(Self.setting(["HOST": "proxy", "PORT": "1", "PASSWORD": "x"]) == "proxy.username")
    }

    #else

    @Test func aProxyIsRefusedByAPackageThatCannotUseIt() {
        #expect(Self.setting(["HOST": "proxy", "PORT": "3128"]) == "proxy")
        #expect(Self.setting(["FROM_ENVIRONMENT": "true"]) == "proxy")
    }

    #endif
}

#endif

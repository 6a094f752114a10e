// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// Which proxy is meant, and what cannot be one.
@Suite struct ProxyServerTests {
    private static func ofEnvironment(
        _ variables: [String: String],
        endpoint: String = "cn-hangzhou.log.aliyuncs.com"
    ) throws -> ProxyServer? {
        let endpoint = try Endpoint.parse(endpoint)
        return try ProxyServer.ofEnvironment(for: endpoint, host: endpoint.host(project: "project")) { variables[$0] }
    }

    @Test(
        arguments: [
            ("http://proxy.example.com:3128", "proxy.example.com", 3128, nil, nil),
            ("http://proxy.example.com:3128/", "proxy.example.com", 3128, nil, nil),
            ("proxy:8080", "proxy", 8080, nil, nil), ("HTTP://10.0.0.1", "10.0.0.1", 80, nil, nil),
            ("http://user:p%40ss:word@proxy:1", "proxy", 1, "user", "p@ss:word"),
            ("http://user@proxy:1", "proxy", 1, "user", nil), ("http://[fd00::1]:3128", "fd00::1", 3128, nil, nil),
        ] as [(String, String, Int, String?, String?)]
    )
    func aProxyIsReadAsEnvironmentsNameIt(url: String, host: String, port: Int, user: String?, password: String?) throws
    {
        let expected = ProxyServer(host: host, port: port, username: user, password: password)
        #expect(try ProxyServer(url: url) == expected)
    }

    @Test(arguments: [
        "https://proxy:3128", "socks5://proxy:1080", "http://", "http://proxy:0", "http://proxy:65536",
        "http://pro xy:1",
        "http://proxy:port", "http://user:a%0Ab@proxy:1", "http://pro/xy:1",
    ])
    func whatCannotBeAProxyIsRefused(url: String) {
        #expect(throws: ProxyServer.InvalidURL.self) { try ProxyServer(url: url) }
    }

    @Test func theEnvironmentsProxyIsForItsScheme() throws {
        let variables = ["HTTPS_PROXY": "http://one:1", "http_proxy": "http://two:2", "HTTP_PROXY": "http://three:3"]
        #expect(try Self.ofEnvironment(variables)?.host == "one")
        #expect(try Self.ofEnvironment(variables, endpoint: "http://logs.example.com")?.host == "two")
        #expect(try Self.ofEnvironment(["HTTP_PROXY": "http://x:1"], endpoint: "http://logs.example.com") == nil)
        #expect(try Self.ofEnvironment(["https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"])?.host == "low")
        #expect(try Self.ofEnvironment(["ALL_PROXY": "http://all:1"])?.host == "all")
        #expect(try Self.ofEnvironment(["HTTPS_PROXY": ""]) == nil)
        #expect(try Self.ofEnvironment([:]) == nil)
    }

    @Test(arguments: [
        ("project.cn-hangzhou.log.aliyuncs.com", false), (".aliyuncs.com", false), ("aliyuncs.com", false),
        ("*.aliyuncs.com", false), ("example.com, aliyuncs.com", false), ("*", false), ("ALIYUNCS.COM", false),
        ("aliyuncs.com:443", false), ("aliyuncs.com:80", true), ("yuncs.com", true), ("example.com", true), ("", true),
    ])
    func namesThatNeedNoProxyAreExcepted(exceptions: String, isUsed: Bool) throws {
        let variables = ["HTTPS_PROXY": "http://proxy:1", "NO_PROXY": exceptions]
        #expect((try Self.ofEnvironment(variables) != nil) == isUsed)
    }

    @Test(arguments: ["http://127.0.0.1:8080", "http://localhost:8080", "https://[::1]"])
    func thisMachineNeedsNoProxy(endpoint: String) throws {
        let variables = ["ALL_PROXY": "http://proxy:1"]
        #expect(try Self.ofEnvironment(variables, endpoint: endpoint) == nil)
    }

    @Test func noDescriptionShowsCredentials() {
        let proxy = ProxyServer(host: "proxy", port: 1, username: "anna", password: "hidden")
        for text in ["\(proxy)", String(reflecting: proxy), dumped(proxy)] {
            #expect(!text.contains("hidden") && !text.contains("anna"))
        }
        #if AsyncHTTPClient
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.proxy = .server(host: "proxy", port: 3128, username: "anna", password: "hidden")
        for text in ["\(configuration)", dumped(configuration)] {
            #expect(!text.contains("hidden") && !text.contains("anna"))
        }
        #endif
    }

    private func dumped(_ value: Any) -> String {
        var text = ""
        dump(value, to: &text)
        return text
    }

    #if AsyncHTTPClient

    @Test(
        arguments: [
            ("", 3128, nil, nil, "host"), ("http://proxy", 3128, nil, nil, "host"), ("proxy", 0, nil, nil, "port"),
            ("proxy", 70_000, nil, nil, "port"), ("proxy", 1, nil, "hidden", "username"),
            ("proxy", 1, "an:na", "hidden", "username"), ("proxy", 1, "anna", "hid\nden", "password"),
        ] as [(String, Int, String?, String?, String)]
    )
    func aProxyThatCannotBeOneIsRefusedAtSetUp(
        host: String,
        port: Int,
        username: String?,
        password: String?,
        part: String
    ) {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.proxy = .server(host: host, port: port, username: username, password: password)
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.setting == "proxy.\(part)")
        #expect(error.map { "\($0)".contains("hid") } == false)
    }

    @Test(arguments: [
        "http://ada:hunter2@p", "ada:hunter2@p:3128", "p?hunter2", "p#hunter2", "ada:hunter2@\u{301}p",
    ])
    func neitherAnErrorNorADescriptionRepeatsTheCredentialsInAProxysHost(host: String) throws {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.proxy = .server(host: host, port: 3128)
        let error = try #require(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error.setting == "proxy.host" && error.value.contains("[redacted]"))
        for text in ["\(error)", "\(configuration)", configuration.proxy.map { "\($0)" } ?? ""] {
            #expect(text.contains("[redacted]") && !text.contains("hunter2"))
        }
    }

    @Test func anEndOfLineBehindAPasswordIsNotUsed() throws {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.proxy = .server(host: "proxy", port: 1, username: "anna", password: "hidden\r\n")
        #expect(try configuration.proxyServer()?.password == "hidden")
    }

    @Test func withoutASettingNoProxyIsUsed() throws {
        let configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        #expect(try configuration.proxyServer() == nil)
    }

    #endif
}

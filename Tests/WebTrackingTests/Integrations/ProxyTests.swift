// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient && os(Linux)

import Foundation
import Testing
import WebTrackingTestKit

@testable import WebTracking

/// Requests through tinyproxy, which nobody here wrote.
@Suite("AsyncHTTPClient: proxy", .timeLimit(.minutes(10))) struct ProxyTests {
    @Test(.enabled(if: Tinyproxy.canRun, "needs tinyproxy"))
    func plainRequestsGoThroughTheProxy() async throws {
        let server = try LoopbackServer()
        let proxy = try await Tinyproxy()
        defer { proxy.stop() }
        let transport = AsyncHTTPClientTransport(proxy: proxy.server(password: nil))
        #expect(try await transport.send(server.request(body: Array("a".utf8))).status == 200)
        #expect(server.requests.map(\.body) == [Array("a".utf8)])
        await transport.shutdown()
        // AsyncHTTPClient asks for a tunnel here, too.
        #expect(proxy.log.contains("CONNECT 127.0.0.1:\(server.port)"))
    }

    @Test(.enabled(if: Tinyproxy.canRun && SelfSignedServer.canRun, "needs tinyproxy and openssl"))
    func securedRequestsAreTunnelledAndTheProxySeesNoRecord() async {
        await #expect(processExitsWith: .success) {
            let server = try SelfSignedServer()
            setenv("SSL_CERT_FILE", server.certificate, 1)
            let proxy = try await Tinyproxy(password: "hidden")
            defer { proxy.stop() }
            let transport = AsyncHTTPClientTransport(proxy: proxy.server(password: "hidden"))
            let request = TransportRequest(
                isSecure: true,
                host: "localhost",
                port: server.port,
                path: "/logstores/app/track",
                headers: [],
                body: Array("the record".utf8),
                timeout: .seconds(3)
            )
            // The server never answers; what matters is what it has read.
            await #expect(throws: (any Error).self) { try await transport.send(request) }
            await transport.shutdown()
            #expect(server.stop().contains("the record"))
            let log = proxy.log
            #expect(log.contains("CONNECT localhost:"))
            #expect(!log.contains("the record"))
        }
    }

    @Test(.enabled(if: Tinyproxy.canRun, "needs tinyproxy"))
    func aProxyThatRefusesIsNamedWithoutItsCredentials() async throws {
        let proxy = try await Tinyproxy(password: "hidden")
        defer { proxy.stop() }
        for password in ["mystery", nil] {
            let transport = AsyncHTTPClientTransport(proxy: proxy.server(password: password))
            let request = TransportRequest(
                isSecure: true,
                host: "localhost",
                port: 9,
                path: "/",
                headers: [],
                body: [],
                timeout: .seconds(20)
            )
            let error = await #expect(throws: (any Error).self) { try await transport.send(request) }
            let words = String(describing: error)
            #expect(words.contains("the proxy 127.0.0.1:\(proxy.port)"), "\(words)")
            #expect(!words.contains("mystery") && !words.contains("anna"))
            await transport.shutdown()
        }
    }

    @Test func aProxyThatIsNotThereIsNamed() async throws {
        let proxy = ProxyServer(host: "127.0.0.1", port: try Program.freePort(), username: "anna", password: "hidden")
        let transport = AsyncHTTPClientTransport(proxy: proxy)
        let request = try LoopbackServer().request()
        let error = await #expect(throws: (any Error).self) { try await transport.send(request) }
        await transport.shutdown()
        #expect(error.map { "\($0)" } == "the proxy \(proxy): Connection refused")
    }
}

private final class Tinyproxy {
    let port: Int
    private let process: Process
    private let folder: URL

    static var canRun: Bool { Program("tinyproxy") != nil }

    private struct Failure: Error { let reason: String }

    init(password: String? = nil) async throws {
        guard let program = Program("tinyproxy") else { throw Failure(reason: "no tinyproxy") }
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("webtracking-proxy-\(UUID())")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        self.port = try Program.freePort()
        var settings = ["Port \(self.port)", "Listen 127.0.0.1", "Timeout 20", "LogLevel Info", "Allow 127.0.0.1"]
        settings.append("LogFile \"\(self.folder.path)/log\"")
        if let password { settings.append("BasicAuth anna \(password)") }
        let file = self.folder.appendingPathComponent("settings")
        try Data((settings.joined(separator: "\n") + "\n").utf8).write(to: file)
        self.process = try program.start(["-d", "-c", file.path])
        // It says nothing when it listens.
        for _ in 1...600 {
            let probe = AsyncHTTPClientTransport()
            let answer = try? await probe.send(
                TransportRequest(
                    isSecure: false,
                    host: "127.0.0.1",
                    port: self.port,
                    path: "/",
                    headers: [],
                    body: [],
                    timeout: .seconds(5)
                )
            )
            await probe.shutdown()
            if answer != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        self.stop()
        throw Failure(reason: "tinyproxy does not listen")
    }

    func server(password: String?) -> ProxyServer {
        ProxyServer(host: "127.0.0.1", port: self.port, username: password == nil ? nil : "anna", password: password)
    }

    var log: String {
        (try? String(contentsOf: self.folder.appendingPathComponent("log"), encoding: .utf8)) ?? ""
    }

    func stop() {
        Program.kill(self.process)
        try? FileManager.default.removeItem(at: self.folder)
    }
}

#endif

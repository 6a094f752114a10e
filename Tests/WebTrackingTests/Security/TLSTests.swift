// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WebTrackingTestKit
import WebTrackingURLSession

@testable import WebTracking

/// A server has to prove who it is, and nothing that is configured can change that.
@Suite(.timeLimit(.minutes(10))) struct TLSTests {
    @Test func noSettingIsAboutTheCheckOfCertificates() {
        // Whoever wants another client's rules has to make that client, and pass it in.
        func names(_ value: Any) -> [String] {
            Mirror(reflecting: value).children.flatMap { child in [child.label ?? ""] + names(child.value) }
        }
        let configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        let words = ["tls", "ssl", "certificate", "verif", "trust", "insecure", "hostname"]
        for name in names(configuration) {
            #expect(!words.contains { name.lowercased().contains($0) }, "\(name)")
        }
    }

    @Test(.enabled(if: SelfSignedServer.canRun, "needs openssl"))
    func urlSessionRefusesAServerThatNobodyVouchesFor() async throws {
        try await self.isRefused(URLSessionTransport())
    }

    #if AsyncHTTPClient
    @Test(.enabled(if: SelfSignedServer.canRun, "needs openssl"))
    func asyncHTTPClientRefusesAServerThatNobodyVouchesFor() async throws {
        try await self.isRefused(AsyncHTTPClientTransport())
    }
    #endif

    private func isRefused(_ transport: any WebTrackingTransport) async throws {
        let server = try SelfSignedServer()
        let request = TransportRequest(
            isSecure: true,
            host: "localhost",
            port: server.port,
            path: "/logstores/app/track",
            headers: [],
            body: Array("secret".utf8),
            timeout: .seconds(60)
        )
        await #expect(throws: (any Error).self) { try await transport.send(request) }
        await transport.shutdown()
        // It got as far as the handshake, and no word of the request came through.
        let seen = server.stop()
        #expect(seen.contains("ACCEPT"))
        #expect(!seen.contains("POST") && !seen.contains("secret"))
    }
}

/// openssl's own TLS server, with a certificate that it has made for itself.

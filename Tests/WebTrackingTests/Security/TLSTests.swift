//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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
private final class SelfSignedServer {
    let port: Int
    private let process = Process()
    private let output = Pipe()
    private let folder: URL
    private var said = ""

    static var canRun: Bool { Self.openssl != nil }

    /// The program, wherever the machine has it.
    private static let openssl = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/openssl" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private struct Failure: Error { let reason: String }

    init() throws {
        guard let openssl = Self.openssl else { throw Failure(reason: "no openssl") }
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("webtracking-tls-\(UUID())")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let (key, certificate) = (self.folder.appendingPathComponent("key"), self.folder.appendingPathComponent("cert"))
        let maker = Process()
        maker.executableURL = URL(fileURLWithPath: openssl)
        maker.arguments = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", key.path, "-out", certificate.path,
        ]
        maker.standardError = FileHandle.nullDevice
        maker.standardOutput = FileHandle.nullDevice
        try maker.run()
        maker.waitUntilExit()
        self.process.executableURL = URL(fileURLWithPath: openssl)
        self.process.arguments = [
            "s_server", "-accept", "0", "-naccept", "1", "-key", key.path, "-cert", certificate.path,
        ]
        self.process.standardOutput = self.output
        self.process.standardError = FileHandle.nullDevice
        // It ends with its input.
        self.process.standardInput = Pipe()
        try self.process.run()
        // "ACCEPT [::]:PORT", with or without a line feed behind it, in one piece.
        var said = ""
        while !said.contains("ACCEPT") {
            let part = self.output.fileHandleForReading.availableData
            guard !part.isEmpty else { throw Failure(reason: "openssl ended: \(said)") }
            said += String(decoding: part, as: UTF8.self)
        }
        self.said = said
        let digits = said.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ":").last
        guard let port = digits.flatMap({ Int($0) }) else {
            kill(self.process.processIdentifier, SIGKILL)
            throw Failure(reason: "no port in \(said)")
        }
        self.port = port
    }

    /// Stops the server; returns all that it has said, which is what it has read, too.
    func stop() -> String {
        // A signal that a child of this process may not have blocked.
        kill(self.process.processIdentifier, SIGKILL)
        let rest = self.output.fileHandleForReading.readDataToEndOfFile()
        self.process.waitUntilExit()
        try? FileManager.default.removeItem(at: self.folder)
        return self.said + String(decoding: rest, as: UTF8.self)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)

import Foundation
import Testing
import WebTrackingTestKit
import WebTrackingURLSession

@testable import WebTracking

/// Connections to nginx, which nobody here wrote, that go wrong on the way.
@Suite("Foreign servers", .timeLimit(.minutes(10))) struct ForeignServerTests {
    private static let hostsName = "WEBTRACKING_TEST_HOSTS"
    private static let portName = "WEBTRACKING_TEST_PORT"
    private static let carrierName = "WEBTRACKING_TEST_CARRIER"

    /// What sends.
    enum Carrier: String, CaseIterable {
        case urlSession
        #if AsyncHTTPClient
        case asyncHTTPClient
        #endif

        func transport(_ clock: any ProducerClock) -> any WebTrackingTransport {
            switch self {
            case .urlSession: URLSessionTransport(clock: clock)
            #if AsyncHTTPClient
            case .asyncHTTPClient: AsyncHTTPClientTransport(proxy: nil, clock: clock)
            #endif
            }
        }
    }

    /// Behind socat, which is stopped: the connection stays open, and nothing comes any more.
    @Test(
        .enabled(if: Nginx.canRun && Program("socat") != nil && Program.canSeeChildren, "needs nginx, socat"),
        arguments: Carrier.allCases
    )
    func afterAConnectionWentSilentTheNextRequestArrives(by carrier: Carrier) async throws {
        let nginx = try Nginx(
            server: "listen 127.0.0.1:PORT; location / { add_header x-log-requestid ID always; return 200; }"
        )
        defer { nginx.stop() }
        let relayPort = try Program.freePort()
        let relay = try #require(
            try Program("socat")?.start([
                "TCP-LISTEN:\(relayPort),fork,bind=127.0.0.1", "TCP:127.0.0.1:\(nginx.port)",
            ])
        )
        defer { Program.kill(relay) }
        let clock = ManualClock()
        let transport = carrier.transport(clock)
        func send(_ timeout: Duration) async throws -> TransportResponse {
            try await transport.send(Self.request(isSecure: false, host: "localhost", relayPort, timeout: timeout))
        }
        var first: TransportResponse?
        for _ in 1...200 where first == nil {
            first = try? await send(.seconds(20))
            if first == nil { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(first?.status == 200)
        let children = Program.children(of: relay.processIdentifier)
        #expect(!children.isEmpty)
        for child in children { kill(child, SIGSTOP) }
        defer { for child in children { kill(child, SIGKILL) } }
        // A generation of connections lives for a second.
        clock.advance(by: .seconds(1))
        await #expect(throws: (any Error).self) { try await send(.milliseconds(1500)) }
        #expect(try await send(.seconds(20)).status == 200)
        await transport.shutdown()
    }

    #if AsyncHTTPClient

    /// Behind socat, which is stopped: the connection stays open, and nothing comes any more.
    @Test(
        .enabled(
            if: Nginx.canRun && SelfSignedServer.canRun && Program("socat") != nil && Program.canSeeChildren,
            "needs nginx, openssl, socat"
        )
    )
    func afterAConnectionOfHTTP2WentSilentTheNextRequestArrives() async {
        await #expect(processExitsWith: .success) {
            // Only for its certificate.
            let maker = try SelfSignedServer()
            defer { _ = maker.stop() }
            setenv("SSL_CERT_FILE", maker.certificate, 1)
            let nginx = try Nginx(
                server: "listen 127.0.0.1:PORT ssl http2; ssl_certificate \(maker.certificate); "
                    + "ssl_certificate_key \(maker.key); location / { add_header x-log-requestid ID always; return 200; }"
            )
            defer { nginx.stop() }
            let relayPort = try Program.freePort()
            let relay = try #require(
                try Program("socat")?.start([
                    "TCP-LISTEN:\(relayPort),fork,bind=127.0.0.1", "TCP:127.0.0.1:\(nginx.port)",
                ])
            )
            defer { Program.kill(relay) }
            let transport = AsyncHTTPClientTransport()
            func send(_ timeout: Duration) async throws -> TransportResponse {
                try await transport.send(Self.request(isSecure: true, host: "localhost", relayPort, timeout: timeout))
            }
            var first: TransportResponse?
            for _ in 1...200 where first == nil {
                first = try? await send(.seconds(20))
                if first == nil { try await Task.sleep(for: .milliseconds(50)) }
            }
            #expect(first?.status == 200)
            let children = Program.children(of: relay.processIdentifier)
            #expect(!children.isEmpty)
            for child in children { kill(child, SIGSTOP) }
            defer { for child in children { kill(child, SIGKILL) } }
            // The generation is a second old then.
            await #expect(throws: (any Error).self) { try await send(.milliseconds(1500)) }
            #expect(try await send(.seconds(20)).status == 200)
            await transport.shutdown()
        }
    }

    #endif

    /// The name leads to another address now, and the server at the old one refuses, and keeps its connections.
    @Test(
        .enabled(if: Nginx.canRun && Self.canHaveOwnHosts, "needs nginx and the right to mount"),
        arguments: Carrier.allCases
    )
    func aNameThatHasMovedLeadsToTheNewServer(by carrier: Carrier) throws {
        let port = try Program.freePort()
        func server(_ address: String, _ rest: String) throws -> Nginx {
            try Nginx(server: "listen \(address):PORT; location / { \(rest) }", port: port)
        }
        let old = try server("127.0.0.2", "return 503;")
        defer { old.stop() }
        let new = try server("127.0.0.3", "add_header x-log-requestid ID always; return 200;")
        defer { new.stop() }
        let hosts = FileManager.default.temporaryDirectory.appendingPathComponent("webtracking-hosts-\(UUID())").path
        #expect(FileManager.default.createFile(atPath: hosts, contents: Data("127.0.0.2 \(Self.name)\n".utf8)))
        defer { unlink(hosts) }
        let test = [
            CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter", "ForeignServerTests/moving",
        ]
        let client = try #require(
            try Program("unshare")?.start(
                Self.withHosts(hosts) + test,
                environment: [
                    Self.hostsName: hosts, Self.portName: "\(port)", Self.carrierName: carrier.rawValue,
                ]
            )
        )
        client.waitUntilExit()
        #expect(client.terminationStatus == 0)
        #expect(old.log.contains(" 503 "))
        #expect(new.log.contains(" 200 "))
    }

    /// The client of the test above, in a process that has hosts of its own.
    @Test(.enabled(if: getenv(Self.hostsName) != nil, "is part of another test")) func moving() async throws {
        let hosts = try #require(getenv(Self.hostsName).map { String(cString: $0) })
        let port = try #require(getenv(Self.portName).flatMap { Int(String(cString: $0)) })
        let carrier = try #require(getenv(Self.carrierName).flatMap { Carrier(rawValue: String(cString: $0)) })
        let clock = ManualClock()
        let transport = carrier.transport(clock)
        let request = Self.request(isSecure: false, host: Self.name, port, timeout: .seconds(20))
        #expect(try await transport.send(request).status == 503)
        // In place, as the file is mounted.
        let file = try #require(FileHandle(forWritingAtPath: hosts))
        try file.write(contentsOf: Data("127.0.0.3 \(Self.name)\n".utf8))
        try file.close()
        // A generation of connections lives for a second.
        clock.advance(by: .seconds(1))
        #expect(try await transport.send(request).status == 200)
        await transport.shutdown()
    }

    private static let name = "moved.test"

    /// The arguments of unshare for a command that sees this file as the machine's hosts.
    private static func withHosts(_ file: String) -> [String] {
        ["--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", file]
    }

    /// Root may not mount in every container.
    private static let canHaveOwnHosts: Bool = {
        guard let trial = try? Program("unshare")?.start(Self.withHosts("/etc/hosts") + ["true"]) else { return false }
        trial.waitUntilExit()
        return trial.terminationStatus == 0
    }()

    private static func request(isSecure: Bool, host: String, _ port: Int, timeout: Duration) -> TransportRequest {
        TransportRequest(
            isSecure: isSecure,
            host: host,
            port: port,
            path: "/logstores/app/track",
            headers: [],
            body: Array("a".utf8),
            timeout: timeout
        )
    }
}

private final class Nginx {
    let port: Int
    private let process: Process
    private let folder: URL

    static var canRun: Bool { Program("nginx") != nil }

    private struct Failure: Error { let reason: String }

    init(server: String, port: Int? = nil) throws {
        guard let program = Program("nginx") else { throw Failure(reason: "no nginx") }
        self.port = try port ?? Program.freePort()
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("webtracking-nginx-\(UUID())")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let text = """
            daemon off; master_process off; pid \(self.folder.path)/pid; error_log \(self.folder.path)/errors;
            events { worker_connections 64; }
            http {
                access_log \(self.folder.path)/log;
                client_body_temp_path \(self.folder.path)/body;
                proxy_temp_path \(self.folder.path)/proxy;
                fastcgi_temp_path \(self.folder.path)/fastcgi;
                uwsgi_temp_path \(self.folder.path)/uwsgi;
                scgi_temp_path \(self.folder.path)/scgi;
                server { \(server.replacing("PORT", with: "\(self.port)")) }
            }
            """
        let file = self.folder.appendingPathComponent("settings")
        try Data(text.utf8).write(to: file)
        self.process = try program.start(["-c", file.path, "-p", self.folder.path])
        // It listens before it writes its number.
        for _ in 1...1000 where !FileManager.default.fileExists(atPath: self.folder.path + "/pid") { usleep(10_000) }
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

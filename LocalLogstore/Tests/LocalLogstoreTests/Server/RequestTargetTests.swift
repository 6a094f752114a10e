// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

@Suite("Targets in absolute form")
struct RequestTargetTests {
    @Test(
        arguments: [
            ("http://local.cn-hangzhou.log.aliyuncs.com:80/logstores?a=b", "local.cn-hangzhou.log.aliyuncs.com"),
            ("HTTP://local.example.com/logstores?a=b", "local.example.com"),
            ("http://localhost:8080/logstores?a=b", "localhost:8080"), ("http://[::1]:80/logstores?a=b", "[::1]"),
            ("https://x.y:443/logstores?a=b", "x.y"),
            ("http://localhost@x.y/logstores?a=b", "x.y"), ("http://[::1]@x.y:80/logstores?a=b", "x.y"),
            ("https://x.y:80/logstores?a=b", "x.y:80"),
        ]
    )
    func isTakenApart(target: String, authority: String) {
        #expect(RequestTarget(target)?.authority == authority)
        #expect(RequestTarget(target)?.path == "/logstores?a=b")
    }

    @Test func aPathThatIsLeftOutIsTheRoot() {
        #expect(RequestTarget("http://x.y")?.path == "/")
        #expect(RequestTarget("http://x.y?a=http://z/")?.path == "/?a=http://z/")
    }

    @Test(arguments: ["", "/", "*", "/http://x/", "x.y:443", "http:///x", "http://", "ftp://x/", "http://u@/"])
    func othersAreLeftAlone(target: String) {
        #expect(RequestTarget(target) == nil)
    }

    private func status(
        _ server: TestServer,
        _ line: String,
        host: String
    ) async throws -> (status: String, text: String) {
        try await onOwnThread {
            let client = try RawClient(port: server.port)
            defer { client.close() }
            client.send("\(line) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
            let text = try client.read()
            return (String(text.dropFirst(9).prefix(3)), text)
        }
    }

    /// What it names is the project's host; there is no way through.
    @Test(arguments: DecodingMode.allCases)
    func theEndpointAnswersInThePlaceOfTheHost(mode: DecodingMode) async throws {
        try await withServer {
            $0.mode = mode
        } _: { server async throws in
            let log = "/logstores/app/track?APIVersion=0.6.0&k=v"
            for host in ["local.example.com", "127.0.0.1:1"] {
                let answer = try await self.status(server, "GET http://local.example.com:80\(log)", host: host)
                #expect(answer.status == "200", "\(answer.text)")
            }
            #expect(try await server.store.count() == 2)
            let foreign = try await self.status(server, "GET http://other.example.com\(log)", host: "local.example.com")
            #expect(foreign.status == "404" && foreign.text.contains("ProjectNotExist"))
            let tunnel = try await self.status(server, "CONNECT local.example.com:443", host: "local.example.com:443")
            #expect(tunnel.status.hasPrefix("4"), "\(tunnel.text)")
            #expect(try await server.store.count() == 2)
        }
    }

    /// A name in the target is one like that in the header.
    @Test(arguments: DecodingMode.allCases)
    func thePageTrustsNoOtherNameThanBefore(mode: DecodingMode) async throws {
        try await withServer {
            $0.mode = mode
        } _: { server async throws in
            for path in ["/", "/api/status", "/api/logs"] {
                for host in ["localhost", "evil.example"] {
                    #expect(try await self.status(server, "GET http://evil.example\(path)", host: host).status == "403")
                    let hidden = try await self.status(server, "GET http://localhost@evil.example\(path)", host: host)
                    #expect(hidden.status == "403")
                }
                let own = try await self.status(server, "GET http://localhost\(path)", host: "localhost")
                #expect(own.status == "200" && !own.text.lowercased().contains("access-control"))
            }
        }
    }
}

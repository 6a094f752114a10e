// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import LocalLogstoreTestSupport
import NIOCore
import NIOHTTP1
import Testing

@testable import LocalLogstore

/// What official clients send, each as it was read in its source.
@Suite("Compatible mode")
struct CompatibilityTests {
    private func post(
        _ body: String,
        query: String = "",
        headers: [(String, String)],
        to server: TestServer
    ) async throws -> TestServer.Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/logstores/app/track\(query)")
        request.method = .POST
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(Array(body.utf8))
        return try await server.send(request)
    }

    private func withCompatible(_ body: (TestServer) async throws -> Void) async throws {
        try await withServer {
            $0.mode = .compatible
            $0.limits = .lenient
        } _: { server async throws in
            try await body(server)
        }
    }

    struct Sender: Sendable, CustomTestStringConvertible {
        var name: String
        var query = ""
        var headers: [(String, String)]
        var body: String

        var testDescription: String { self.name }
    }

    static let senders = [
        Sender(
            name: "browser SDK by sendBeacon",
            query: "?APIVersion=0.6.0",
            headers: [("content-type", "text/plain;charset=UTF-8")],
            body: #"{"__logs__":[{"a":"1"}],"__topic__":"t","__source__":"s"}"#
        ),
        Sender(
            name: "older browser SDK by XMLHttpRequest",
            headers: [
                ("content-type", "application/x-protobuf"), ("x-log-apiversion", "0.6.0"),
                ("x-log-bodyrawsize", "9999"),
            ],
            body: #"{"__logs__":[{"a":"1"}]}"#
        ),
        Sender(
            name: "console: the size in UTF-16 units",
            headers: [
                ("content-type", "application/json"), ("x-log-apiversion", "0.6.0"), ("x-log-bodyrawsize", "27"),
            ],
            body: #"{"__logs__":[{"a":"杭州日志"}]}"#
        ),
        Sender(
            name: "Java tests: numeric time, Content-Encoding",
            headers: [
                ("content-type", "application/json;charset=UTF-8"), ("content-encoding", "UTF-8"),
                ("x-log-apiversion", "0.6.0"), ("x-log-bodyrawsize", "50"),
            ],
            body: #"{"__logs__":[{"__time__":1700000000,"a":"1"}]}"#
        ),
        Sender(
            name: "C core of iOS: form type, uint time, pack id in the tags",
            headers: [
                ("content-type", "application/x-www-form-urlencoded"), ("x-log-apiversion", "0.6.0"),
                ("x-log-bodyrawsize", "120"),
            ],
            body:
                #"{"__topic__":"","__source__":"10.0.0.1","__logs__":[{"__time__":1700000000,"a":"1"}],"__tags__":{"__pack_id__":"0A-1"}}"#
        ),
        Sender(
            name: "ANOLISA: no version at all, time as text",
            headers: [("content-type", "application/json")],
            body: #"{"__topic__":"t","__source__":"s","__logs__":[{"__time__":"1700000000","a":"1"}]}"#
        ),
        Sender(
            name: "members of a later version",
            headers: [],
            body: #"{"__version__":{"a":[1,null,{"b":true}]},"__logs__":[{"a":"1"}]}"#
        ),
    ]

    @Test(arguments: senders)
    func takesWhatOfficialClientsSend(sender: Sender) async throws {
        try await self.withCompatible { server async throws in
            let answer = try await self.post(sender.body, query: sender.query, headers: sender.headers, to: server)
            #expect(answer.status == 200, "\(answer.body)")
            let log = try #require(try await server.store.logs().first)
            #expect(log.log.fields.map(\.name) == ["a"])
            #expect(answer.headers.first(name: "x-log-time") != nil)
        }
    }

    @Test(arguments: senders)
    func refusesTheSameInStrictMode(sender: Sender) async throws {
        try await withServer { server async throws in
            #expect(
                try await self.post(sender.body, query: sender.query, headers: sender.headers, to: server).status == 400
            )
        }
    }

    /// In a real Chromium, written down by `Scripts/clients --record`.
    @Test(arguments: [("browser-0.3.9", 0), ("browser-0.0.3", 2)])
    func takesWhatTheBrowserSDKSent(client: String, preflights: Int) async throws {
        let requests = OfficialClientTests.recorded(client)
        #expect(requests.count { $0.method == "OPTIONS" } == preflights)
        try await self.withCompatible { server async throws in
            for recorded in requests {
                var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)\(recorded.target)")
                request.method = HTTPMethod(rawValue: recorded.method)
                for (name, value) in recorded.headers where name != "host" && name != "content-length" {
                    request.headers.add(name: name, value: value)
                }
                if !recorded.body.isEmpty { request.body = .bytes(recorded.body) }
                let answer = try await server.send(request)
                // When a page is left, the older one sends what has no logs.
                let isEmpty = String(decoding: recorded.body, as: UTF8.self).hasPrefix(#"{"__logs__":[]"#)
                #expect(answer.status == (isEmpty ? 400 : 200), "\(answer.body)")
                #expect(answer.headers["access-control-allow-origin"] == ["*"])
            }
            #expect(try await server.store.count() == 20)
        }
    }

    @Test func isStillParticular() async throws {
        try await self.withCompatible { server async throws in
            func status(_ body: String, _ headers: [(String, String)] = []) async throws -> Int {
                try await self.post(body, headers: headers, to: server).status
            }
            #expect(try await status(Body.small, [("x-log-apiversion", "0.7.0")]) == 400)
            #expect(try await status(#"{"__logs__":[]}"#) == 400)
            #expect(try await status(#"{"__logs__":[{"a":1}]}"#) == 400)
            #expect(try await status(#"{"__logs__":[{"a":null}]}"#) == 400)
            #expect(try await status(#"{"__logs__":[{"a":"1","a":"2"}]}"#) == 400)
            #expect(try await status(#"{"__source__":"s"}"#) == 400)
            // What is compressed needs its size.
            #expect(try await status(Body.small, [("x-log-compresstype", "lz4")]) == 400)
            #expect(try await status(Body.small, [("x-log-compresstype", "zstd")]) == 400)
            #expect(try await status(Body.logs(5000)) == 200)
        }
    }

    /// As the Go SDK puts. Reading about the logstore has the same path, and is still not for other sites.
    @Test(arguments: [(DecodingMode.compatible, 200), (.strict, 405)])
    func takesSignedLogsAtTheLogstoreItself(mode: DecodingMode, status: Int) async throws {
        try await withServer {
            $0.mode = mode
            $0.accessKeys = [Signer.key]
        } _: { server async throws in
            let raw = logGroup("line")
            let signer = Signer(server: server)
            let headers = [("content-type", "application/x-protobuf"), ("x-log-compresstype", "lz4")]
            func put(_ path: String) -> HTTPClientRequest {
                signer.request(.POST, path, body: Wire.lz4(raw), rawSize: raw.count, headers: headers)
            }
            var request = put("/logstores/app")
            let answer = try await server.send(request)
            #expect(answer.status == status, "\(answer.body)")
            #expect(try await server.store.logs().compactMap { $0.log["message"] } == (status == 200 ? ["line"] : []))
            guard mode == .compatible else { return }
            #expect(answer.headers["access-control-allow-origin"] == ["*"])
            request.headers.replaceOrAdd(name: "x-log-bodyrawsize", value: "1")
            #expect(try await server.send(request).status == 401)
            let read = try await signer.get("/logstores/app")
            #expect(read.status == 200 && read.headers["access-control-allow-origin"].isEmpty)
        }
    }

    @Test func tellsTheTimeAndLetsBrowsersSendHeaders() async throws {
        try await self.withCompatible { server async throws in
            let time = try await server.get("/servertime")
            #expect(time.status == 200 && Int(time.headers.first(name: "x-log-time") ?? "") ?? 0 > 1_700_000_000)
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/logstores/app/track")
            request.method = .OPTIONS
            let preflight = try await server.send(request)
            #expect(preflight.status == 200)
            #expect(preflight.headers.first(name: "access-control-allow-origin") == "*")
            #expect(
                preflight.headers.first(name: "access-control-allow-headers")?.contains("*") == true
            )
        }
    }

    @Test func keepsProjectsApart() async throws {
        try await withServer {
            $0.projects = .only(["other"])
        } _: { server async throws in
            for (host, status) in [("other.example.com", 200), ("local.example.com", 200), ("third.example.com", 404)] {
                #expect(try await server.post(Array(Body.small.utf8), headers: [("Host", host)]).status == status)
            }
            #expect(try await server.post(Body.small).status == 200)
            var query = LogQuery()
            query.project = "other"
            #expect(try await server.store.count(matching: query) == 1)
            query.project = "local"
            #expect(try await server.store.count(matching: query) == 2)
        }
        try await withServer {
            $0.projects = .any
        } _: { server async throws in
            #expect(try await server.post(Array(Body.small.utf8), headers: [("Host", "new.example.com")]).status == 200)
            #expect(try await server.post(Array(Body.small.utf8), headers: [("Host", "N_.example.com")]).status == 404)
        }
    }
}

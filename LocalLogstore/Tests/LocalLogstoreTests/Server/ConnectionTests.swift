// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import NIOHTTP1
import Testing

/// How connections end, and what else of HTTP/1 is none of the service's.
@Suite("Connections", .timeLimit(.minutes(5)))
struct ConnectionTests {
    /// Sends the texts, each after the answer to the one before has the end that is given; returns all that comes until
    /// the endpoint closes.
    private func exchange(_ texts: [(text: String, end: String?)], with server: TestServer) async throws -> String {
        try await onOwnThread {
            let client = try RawClient(port: server.port)
            defer { client.close() }
            return try texts.map { text, end in
                client.send(text)
                return try client.read(until: end)
            }
            .joined()
        }
    }

    private func exchange(_ text: String, with server: TestServer) async throws -> String {
        try await self.exchange([(text, nil)], with: server)
    }

    private static func get(
        _ path: String,
        _ rest: String = "",
        method: String = "GET",
        version: String = "1.1"
    ) -> String {
        "\(method) \(path) HTTP/\(version)\r\nHost: localhost\r\n\(rest)\r\n"
    }

    private static func post(_ rest: String, body: String = Body.small, length: Int? = nil) -> String {
        "POST /logstores/app/track HTTP/1.1\r\nHost: localhost\r\nx-log-apiversion: 0.6.0\r\n"
            + "x-log-bodyrawsize: \(body.utf8.count)\r\nContent-Length: \(length ?? body.utf8.count)\r\n\(rest)\r\n\(body)"
    }

    /// The heads of the answers, each from its first line on.
    private func heads(_ text: String) -> [String] {
        text.split(separator: "HTTP/1.").map {
            "HTTP/1." + ($0.components(separatedBy: "\r\n\r\n").first ?? "").lowercased()
        }
    }

    @Test(arguments: ["close", "Close", "TE, close"])
    func anAnswerAfterWhichTheConnectionIsClosedSaysSo(value: String) async throws {
        try await withServer { server async throws in
            for request in [
                Self.get("/api/status", "Connection: \(value)\r\n"), Self.post("Connection: \(value)\r\n"),
                Self.get("/nothing", "Connection: \(value)\r\n"),
            ] {
                let answer = try await self.exchange(request, with: server)
                #expect(answer.lowercased().contains("\r\nconnection: close\r\n"), "\(answer)")
            }
        }
    }

    @Test func aConnectionOfHTTP10IsClosedUnlessItWasAskedFor() async throws {
        try await withServer { server async throws in
            let keep = Self.get("/api/status", "Connection: keep-alive\r\n", version: "1.0")
            let text = try await self.exchange(keep + keep + Self.get("/api/status", version: "1.0"), with: server)
            let heads = self.heads(text)
            try #require(heads.count == 3, "\(text)")
            #expect(heads[0].contains("\r\nconnection: keep-alive") && heads[1].contains("\r\nconnection: keep-alive"))
            #expect(heads[2].contains("\r\nconnection: close"))
        }
    }

    /// HTTP/1.0 has no chunks: the end of the connection is that of an answer without a length.
    @Test func aFollowerOfHTTP10GetsNoChunks() async throws {
        try await withServer { server async throws in
            let request = Self.get("/api/tail", "Connection: keep-alive\r\n", version: "1.0")
            let text = try await self.exchange([(request, "data: {\"position\":0}\n\n")], with: server)
            #expect(!text.lowercased().contains("chunked") && text.contains("\r\n\r\nretry: 1000\n"), "\(text)")
            #expect(text.lowercased().contains("\r\nconnection: close"))
        }
    }

    @Test(
        arguments: [
            ("/", 200), ("/assets/main.js", 200), ("/api/openapi.json", 200), ("/api/logs?limit=1", 200),
            ("/api/tail", 200),
            ("/api/logs/7", 404), ("/api/session", 405), ("/logstores/app/track?APIVersion=0.6.0&k=v", 405),
            ("/nothing", 400),
        ] as [(String, Int)]
    )
    func headIsGetWithoutABody(path: String, status: Int) async throws {
        try await withServer { server async throws in
            let last = Self.get("/api/status", "Connection: close\r\n")
            let text = try await self.exchange(Self.get(path, method: "HEAD") + last, with: server)
            let answers = text.components(separatedBy: "\r\n\r\n")
            // Behind the head there is the next answer.
            try #require(answers.count == 3 && answers[1].hasPrefix("HTTP/1.1 200"), "\(text)")
            #expect(answers[0].hasPrefix("HTTP/1.1 \(status)"), "\(answers[0])")
            if status == 200, path != "/api/tail" {
                let body = try await server.get(path).body.utf8.count
                #expect(answers[0].lowercased().contains("\r\ncontent-length: \(body)"), "\(answers[0])")
            }
            #expect(try await server.store.count() == 0)
        }
    }

    @Test func saysWhichPathsTakeHead() async throws {
        try await withServer { server async throws in
            let answer = try await server.api("logs", method: .POST, json: "{}")
            #expect(answer.headers["allow"] == ["DELETE, GET, HEAD"])
            let track = try await self.exchange(
                Self.get("/logstores/app/track", "Connection: close\r\n", method: "PUT"),
                with: server
            )
            #expect(track.lowercased().contains("\r\nallow: get, post\r\n"), "\(track)")
        }
    }

    // MARK: - Bodies that are held back

    @Test func aClientThatHoldsItsBodyBackIsToldToGoOn() async throws {
        try await withServer { server async throws in
            let whole = Self.post("Expect: 100-continue\r\nConnection: close\r\n")
            let body = try #require(whole.components(separatedBy: "\r\n\r\n").last)
            let text = try await self.exchange(
                [(String(whole.dropLast(body.count)), "\r\n\r\n"), (body, nil)],
                with: server
            )
            #expect(text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "\(text)")
            #expect(try await server.store.count() == 1)
        }
    }

    /// The client does not wait: its body is there already.
    @Test func aBodyThatIsThereNeedsNoLeave() async throws {
        try await withServer { server async throws in
            let text = try await self.exchange(
                Self.post("Expect: 100-continue\r\n") + Self.post("Connection: close\r\n"),
                with: server
            )
            let statuses = self.heads(text).map { $0.prefix(12).suffix(3) }.filter { $0 != "100" }
            #expect(statuses == ["200", "200"], "\(text)")
            #expect(try await server.store.count() == 2)
        }
    }

    /// What comes next on the connection could be the body, or another request: neither is taken.
    @Test(arguments: ["413", "401"])
    func aClientThatHeldItsBodyBackAndIsRefusedLosesItsConnection(status: String) async throws {
        try await withServer { server async throws in
            if status == "401" { server.server.registry.setTracking(false, for: "app") }
            let length = status == "401" ? Body.small.utf8.count : 20_000_000
            let refused = Self.post("Expect: 100-continue\r\n", body: "", length: length)
            let next = Self.get("/logstores/other/track?APIVersion=0.6.0&k=v")
            let text = try await self.exchange([(refused, "\"}"), (next + next, nil)], with: server)
            #expect(text.hasPrefix("HTTP/1.1 \(status)") && self.heads(text).count == 1, "\(text)")
            #expect(text.lowercased().contains("\r\nconnection: close\r\n"), "\(text)")
            #expect(try await server.store.count() == 0)
        }
    }

    @Test(.enabled(if: Program("curl") != nil, "needs curl"), arguments: [900_000, 2_500_000, 12_000_000])
    func curlDoesNotWait(bytes: Int) async throws {
        try await withServer { server async throws in
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "body").path
                let body = #"{"__source__":"s","__logs__":[{"k":""# + String(repeating: "x", count: 900_000) + #""}]}"#
                let text = body + String(repeating: " ", count: max(0, bytes - body.utf8.count))
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                // It would wait for a minute.
                let outcome = try await #require(Program("curl")).run([
                    "-s", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", "--expect100-timeout", "60",
                    "-H", "Expect: 100-continue", "-H", "x-log-apiversion: 0.6.0",
                    "-H", "x-log-bodyrawsize: \(text.utf8.count)", "--data-binary", "@\(file)",
                    "http://127.0.0.1:\(server.port)/logstores/app/track",
                ])
                let words = outcome.output.split(separator: " ")
                #expect(outcome.status == 0 && words.first == (bytes > 11_000_000 ? "413" : "200"), "\(outcome)")
                #expect(words.last.flatMap { Double($0) }.map { $0 < 30 } == true, "\(outcome.output)")
            }
        }
    }

    // MARK: - Ends

    /// A client that sends all of its body before it reads gets its answer, although nobody wants the body.
    @Test func aRefusalArrivesBehindABodyThatNobodyReads() async throws {
        try await withServer { server async throws in
            let body = String(repeating: " ", count: 12_000_000)
            let text = try await self.exchange(Self.post("Connection: close\r\n", body: body), with: server)
            #expect(text.hasPrefix("HTTP/1.1 413") && text.contains("PostBodyTooLarge"), "\(text)")
        }
    }

    /// A client that says it sends nothing more still gets all of an answer that takes many writes.
    @Test func anAnswerArrivesWholeAtAClientThatHasClosedItsSide() async throws {
        try await withServer { server async throws in
            let value = String(repeating: "x", count: 500_000)
            let logs = (0..<8).map { _ in LogFields([Field("k", value)]) }
            let group = LogGroup(topic: "", source: "", tags: [], logs: logs)
            try await server.store.append(group, project: "local", logstore: "app")
            let text = try await onOwnThread {
                let client = try RawClient(port: server.port)
                defer { client.close() }
                client.send(Self.get("/api/logs", "Connection: close\r\n"))
                client.finish()
                return try client.read()
            }
            #expect(text.utf8.count > 4_000_000 && text.hasSuffix("}"))
        }
    }

    /// nginx uses a connection again unless it is told not to, and what it sends on one that ends becomes a 502.
    @Test(.enabled(if: Nginx.canRun, "needs nginx"))
    func nginxKeepsNoConnectionThatEnds() async throws {
        try await withServer { server async throws in
            let nginx = try await Nginx(inFrontOf: server.port)
            defer { nginx.stop() }
            let port = nginx.port
            let statuses = try await withThrowingTaskGroup(of: [String].self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask {
                        try await onOwnThread {
                            try (0..<100).map { _ in
                                let client = try RawClient(port: port)
                                defer { client.close() }
                                client.send(Self.post("Connection: close\r\n"))
                                return String(try client.read().dropFirst(9).prefix(3))
                            }
                        }
                    }
                }
                return try await tasks.reduce(into: []) { $0 += $1 }
            }
            #expect(Dictionary(grouping: statuses) { $0 }.mapValues(\.count) == ["200": 800])
            #expect(try await server.store.count() == 800)
        }
    }
}

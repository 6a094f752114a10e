// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import NIOCore
import NIOHTTP1
import Testing

@Suite("POST over a socket")
struct PostTests {
    @Test func storesWhatItAccepts() async throws {
        try await withServer { server async throws in
            let body =
                #"{"__topic__":"t","__source__":"s","__logs__":[{"b":"1","a":"2"},{"c":"3"}],"__tags__":{"x":"y"}}"#
            let started = Date()
            let answer = try await server.post(body)
            #expect(answer.status == 200)
            #expect(answer.body == "{}")
            let logs = try await server.store.logs()
            #expect(logs.map(\.log.json) == [#"{"b":"1","a":"2"}"#, #"{"c":"3"}"#])
            let request = try #require(logs.first?.request)
            #expect(request.project == "local" && request.logstore == "app" && request.topic == "t")
            #expect(request.tags == [Field("x", "y")])
            #expect(request.rawBytes == body.utf8.count && request.wireBytes == body.utf8.count)
            #expect(request.receivedAt >= started.addingTimeInterval(-0.001) && request.receivedAt <= Date())
        }
    }

    @Test func answersInTheShapeOfTheService() async throws {
        try await withServer { server async throws in
            let answers = [
                try await server.post(Body.small), try await server.post("{}"), try await server.get("/nothing"),
            ]
            #expect(answers.map(\.status) == [200, 400, 400])
            for answer in answers {
                let id = try #require(answer.headers.first(name: "x-log-requestid"))
                #expect(id.count == 24 && id.allSatisfy { "0123456789ABCDEF".contains($0) })
                #expect(answer.headers.first(name: "date") != nil)
                #expect(answer.headers.first(name: "server") != nil)
                #expect(answer.headers["content-type"] == ["application/json"])
            }
            #expect(answers.map { $0.headers["access-control-allow-origin"] } == [["*"], ["*"], []])
            #expect(
                answers[1].body
                    == #"{"errorCode":"PostBodyInvalid","errorMessage":"The member __source__ is missing."}"#
            )
            #expect(Set(answers.compactMap { $0.headers.first(name: "x-log-requestid") }).count == 3)
        }
    }

    @Test func decompresses() async throws {
        try await withServer { server async throws in
            let raw = Array(Body.logs(4096).utf8)
            let size = [("x-log-bodyrawsize", String(raw.count))]
            let lz4 = Wire.lz4(raw)
            let zlib = Wire.zlib(raw)
            #expect(try await server.post(lz4, headers: size + [("x-log-compresstype", "lz4")]).status == 200)
            #expect(try await server.post(zlib, headers: size + [("x-log-compresstype", "deflate")]).status == 200)
            let requests = try await server.store.requests()
            #expect(requests.map(\.compression) == [.lz4, .deflate])
            #expect(requests.map(\.wireBytes) == [lz4.count, zlib.count])
            #expect(requests.map(\.rawBytes) == [raw.count, raw.count])
            #expect(try await server.store.count() == 8192)
        }
    }

    @Test(arguments: ["x-log-apiversion", "x-log-bodyrawsize"])
    func wantsItsHeaders(name: String) async throws {
        try await withServer { server async throws in
            let answer = try await server.post(Array(Body.small.utf8), without: name)
            #expect(answer.status == 400)
            #expect(answer.body.contains(name == "x-log-apiversion" ? "MissingAPIVersion" : "MissingBodyRawSize"))
            let twice = try await server.post(Body.small, headers: [(name, "0.6.0, 0.6.0")])
            #expect(twice.body.contains(name == "x-log-apiversion" ? "InvalidAPIVersion" : "InvalidBodyRawSize"))
        }
    }

    @Test func wantsALength() async throws {
        try await withServer { server async throws in
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/logstores/app/track")
            request.method = .POST
            request.body = .stream(
                AsyncStream { continuation in
                    continuation.yield(ByteBuffer(string: Body.small))
                    continuation.finish()
                },
                length: .unknown
            )
            let answer = try await server.send(request)
            #expect(answer.status == 411)
            #expect(answer.body.contains("MissingContentLength"))
        }
    }

    @Test func answersABodyThatIsFarTooLarge() async throws {
        try await withServer { server async throws in
            let answer = try await server.post([UInt8](repeating: 0x20, count: 11_000_000))
            #expect(answer.status == 413)
            #expect(answer.body.contains("PostBodyTooLarge"))
            // The connection is still good.
            #expect(try await server.post(Body.small).status == 200)
        }
    }

    @Test func refusesOtherPathsMethodsAndQueries() async throws {
        try await withServer { server async throws in
            #expect(try await server.get("/logstores/app/shards/lb").status == 405)
            #expect(try await server.get("/other").body.contains("ParameterInvalid"))
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/logstores/app/track")
            request.method = .PUT
            #expect(try await server.send(request).body.contains("MethodNotAllowed"))
            request.url += "?APIVersion=0.6.0"
            request.method = .POST
            #expect(try await server.send(request).status == 400)
            #expect(try await server.store.count() == 0)
        }
    }

    @Test func countsWhatItDid() async throws {
        try await withServer { server async throws in
            _ = try await server.post(Body.small)
            _ = try await server.post(Body.logs(3))
            _ = try await server.post("x")
            let statistics = server.server.statistics
            #expect(statistics.requests == 3)
            #expect(statistics.answers == [200: 2, 400: 1])
            #expect(statistics.logs == 4)
            #expect(statistics.rawBytes == Body.small.utf8.count + Body.logs(3).utf8.count)
            #expect(statistics.faults == 0)
            #expect(server.events.all.contains(.logstoreCreated("app")))
            #expect(
                server.events.all.contains {
                    guard case .refused(let error) = $0 else { return false }
                    return error.code == "PostBodyInvalid"
                }
            )
        }
    }

    @Test func takesConcurrentRequests() async throws {
        try await withServer { server async throws in
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<100 { tasks.addTask { try await server.post(Body.logs(50)).status } }
                for try await status in tasks { #expect(status == 200) }
            }
            #expect(try await server.store.count() == 5000)
            #expect(try await server.store.requests().count == 100)
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import NIOHTTP1
import Testing

@Suite("GET over a socket")
struct GetTests {
    @Test func storesOneLog() async throws {
        try await withServer { server async throws in
            let answer = try await server.get("/logstores/app/track?APIVersion=0.6.0&__topic__=t&b=1&a=x%20y")
            #expect(answer.status == 200)
            #expect(answer.body == "{}")
            let stored = try #require(try await server.store.logs().first)
            #expect(stored.log.fields == [Field("b", "1"), Field("a", "x y")])
            #expect(stored.request.topic == "t")
            #expect(stored.request.source == "127.0.0.1")
        }
    }

    @Test func takesAHundredKeys() async throws {
        try await withServer { server async throws in
            let query = (0..<100).map { "key\($0)=value\($0)" }.joined(separator: "&")
            #expect(try await server.get("/logstores/app/track?APIVersion=0.6.0&" + query).status == 200)
            #expect(try await server.store.logs().first?.log.fields.count == 100)
        }
    }

    @Test func answersWithAnImage() async throws {
        try await withServer { server async throws in
            let answer = try await server.get("/logstores/app/track.gif?APIVersion=0.6.0&k=v")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == ["image/gif"])
            #expect(answer.headers["content-length"] == ["43"])
            #expect(answer.body.hasPrefix("GIF89a"))
            #expect(try await server.store.logs().map(\.log.fields) == [[Field("k", "v")]])
        }
    }

    @Test func storesTheAgentWithItsImage() async throws {
        try await withServer { server async throws in
            let headers = [("User-Agent", "Test/1 (a; b)"), ("Referer", "http://example.com/?q=1")]
            let answer = try await server.get("/logstores/app/track_ua.gif?APIVersion=0.6.0&k=v", headers: headers)
            #expect(answer.headers["content-type"] == ["image/gif"])
            let fields = try await server.store.logs().first?.log.fields
            #expect(
                fields
                    == [
                        Field("k", "v"), Field("user_agent", "Test/1 (a; b)"),
                        Field("referer", "http://example.com/?q=1"),
                    ]
            )
        }
    }

    @Test(arguments: ["track", "track.gif", "track_ua.gif"])
    func refusesAnImproperQuery(path: String) async throws {
        try await withServer { server async throws in
            #expect(try await server.get("/logstores/app/\(path)?k=v").body.contains("MissingAPIVersion"))
            let long = String(repeating: "x", count: 16 * 1024)
            #expect(try await server.get("/logstores/app/\(path)?APIVersion=0.6.0&k=\(long)").status == 400)
            #expect(try await server.store.count() == 0)
        }
    }
}

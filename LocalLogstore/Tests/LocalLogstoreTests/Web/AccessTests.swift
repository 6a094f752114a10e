// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import NIOHTTP1
import Testing

@Suite("Access to the page's interface")
struct AccessTests {
    @Test(arguments: ["localhost", "127.0.0.1:1", "p.localhost:8080", "[::1]:8080", "192.168.1.2"])
    func trustsNamesThatOnlyThisEndpointHas(host: String) async throws {
        try await withServer { server async throws in
            #expect(try await server.api("status", headers: [("Host", host)]).status == 200)
        }
    }

    @Test(arguments: ["example.com", "localhost.example.com", "127.0.0.1.example.com", "1.2.3.4.5", "127.0.0.x"])
    func doesNotTrustNamesThatAnybodyCanGiveIt(host: String) async throws {
        try await withServer { server async throws in
            for path in ["/", "/assets/main.js", "/api", "/api/logs", "/api/openapi.json", "/api/session", "/api/x"] {
                #expect(try await server.get(path, headers: [("Host", host)]).status == 403, "\(path)")
            }
            let answer = try await server.api("session", method: .POST, json: "{}", headers: [("Host", host)])
            #expect(answer.status == 403)
            #expect(try await server.api("logs", method: .DELETE, json: "{}", headers: [("Host", host)]).status == 403)
        }
    }

    /// The token is the better lock, and behind a proxy the endpoint has any name.
    @Test func takesAnyNameWithAToken() async throws {
        try await withServer {
            $0.access = .token(self.token)
        } _: { server async throws in
            let host = ("Host", "logs.example.com")
            #expect(try await server.get("/", headers: [host]).status == 200)
            #expect(try await server.api("logs", headers: [host]).status == 401)
            #expect(
                try await server.api("logs", headers: [host, ("Authorization", "Bearer \(self.token)")]).status == 200
            )
        }
    }

    @Test(arguments: ["cross-site", "same-site"])
    func refusesOtherSites(site: String) async throws {
        try await withServer { server async throws in
            #expect(try await server.api("logs", headers: [("Sec-Fetch-Site", site)]).status == 403)
            #expect(try await server.api("logs", headers: [("Sec-Fetch-Site", "same-origin")]).status == 200)
            let change = [("Sec-Fetch-Site", site)]
            #expect(try await server.api("logs", method: .DELETE, json: "{}", headers: change).status == 403)
            // A browser asks before a page of another site may send this.
            #expect(try await server.api("logs", method: .OPTIONS).headers["access-control-allow-origin"] == [])
        }
    }

    @Test func takesChangesAsJSONOnly() async throws {
        try await withServer { server async throws in
            let form = [("content-type", "application/x-www-form-urlencoded")]
            #expect(try await server.api("rehearsal", method: .PUT, json: "{}", headers: form).status == 415)
            #expect(try await server.api("session", method: .POST, json: "{}", headers: form).status == 415)
            #expect(try await server.api("logs", method: .DELETE, headers: form).status == 415)
            #expect(try await server.api("logs", method: .DELETE).status == 415)
        }
    }

    private let token = "0123456789abcdef"

    @Test(arguments: [
        "status", "logs", "logs/1", "overview", "fields", "statistics", "tail", "deliveries", "rehearsal",
    ])
    func wantsTheTokenForEverythingThatReads(path: String) async throws {
        try await withServer {
            $0.access = .token(self.token)
        } _: { server async throws in
            #expect(try await server.api(path).status == 401)
            #expect(try await server.api(path, headers: [("Authorization", "Bearer other-token-0000")]).status == 401)
            #expect(
                try await server.api(path, headers: [("Cookie", "webtracking_session=\(self.token)")]).status == 401
            )
            #expect(try await server.api("logs", method: .DELETE, json: "{}").status == 401)
            if path != "tail" {
                let answer = try await server.api(path, headers: [("Authorization", "Bearer \(self.token)")])
                #expect(answer.status != 401 && answer.status != 403)
            }
        }
    }

    @Test func opensAndClosesASession() async throws {
        try await withServer {
            $0.access = .token(self.token)
        } _: { server async throws in
            // Sending stays anonymous, as with the service.
            #expect(try await server.post(#"{"__source__":"","__logs__":[{"a":"b"}]}"#).status == 200)
            #expect(try await server.get("/").status == 200)
            #expect(try await server.api("session", method: .POST, json: #"{"token":"wrong"}"#).status == 401)
            let answer = try await server.api("session", method: .POST, json: #"{"token":"\#(self.token)"}"#)
            let cookie = try #require(answer.headers.first(name: "set-cookie"))
            #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(self.token))
            let session = [("Cookie", "a=b; " + String(cookie.prefix { $0 != ";" }))]
            #expect(try await server.api("logs", headers: session).status == 200)
            #expect(try await server.api("session", method: .DELETE, headers: session).status == 200)
            #expect(try await server.api("logs", headers: session).status == 401)
        }
    }
}

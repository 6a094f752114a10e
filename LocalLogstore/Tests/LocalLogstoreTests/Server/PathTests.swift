// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import LocalLogstoreTestSupport
import NIOHTTP1
import Testing

@testable import LocalLogstore

@Suite("Paths")
struct PathTests {
    @Test(
        arguments: [
            ("/", .page, true), ("//", .page, false), ("/api", .page, true), ("/api/logs", .page, true),
            ("//api/logs", .page, false), ("/api//logs", .page, false), ("/assets/x", .page, true),
            ("/apis", .nobody, true),
            ("/logstores/app/track", .service, true), ("/logstores/app/track/", .service, false),
            ("//logstores//app/track", .service, false), ("/logstores/app/track.gif", .service, true),
            ("/logstores/app/track_ua.gif", .service, true), ("/logstores/app/shards/lb", .service, true),
            ("/logstores/app/shards/route", .service, true), ("/logstores", .nobody, true),
            ("/logstores/app/shards/0", .nobody, true), ("/logstores/app/logs", .nobody, true),
            ("/logstores/app/shards", .nobody, true), ("/logstores/app", .nobody, true),
            ("/logstores//track", .nobody, false),
            ("/logstores/app/track/x", .nobody, true), ("/servertime", .nobody, true), ("*", .nobody, false),
        ] as [(String, RequestPath.Owner, Bool)]
    )
    func knowsWhoseAPathIs(text: String, owner: RequestPath.Owner, isExact: Bool) {
        let path = RequestPath(text)
        #expect(path.owner == owner && path.isExact == isExact)
    }

    private static let slashes = ["/logstores/app/track/", "//logstores/app/track", "/logstores//app/track"]

    @Test(arguments: slashes)
    func aSlashTooManyIsRefusedByDefault(path: String) async throws {
        try await withServer { server async throws in
            let answer = try await server.get("\(path)?APIVersion=0.6.0&k=v")
            #expect(answer.status == 400 && answer.body.contains("has a slash too many"), "\(answer.body)")
            #expect(try await server.store.count() == 0)
        }
    }

    @Test(arguments: slashes)
    func aSlashTooManyIsTakenInCompatibleMode(path: String) async throws {
        try await withServer {
            $0.mode = .compatible
        } _: { server async throws in
            #expect(try await server.get("\(path)?APIVersion=0.6.0&k=v").status == 200)
            #expect(try await server.store.count() == 1)
        }
    }

    /// Whatever is written for the path, logs are not for other sites, and nothing but deliveries is.
    @Test(
        arguments: [
            "/", "//", "/api/logs", "//api/logs", "/api//logs", "/api/logs/", "//assets/main.js", "/./api/logs",
            "/%61pi/logs",
            "/API/logs", "/api/../api/logs", "/logstores/../api/logs", "/logstores/app/../../api/logs", "/servertime",
            "/nothing",
        ],
        [DecodingMode.strict, .compatible]
    )
    func otherSitesReadAndFrameNothing(path: String, mode: DecodingMode) async throws {
        try await withServer {
            $0.mode = mode
        } _: { server async throws in
            let text = try await onOwnThread {
                let client = try RawClient(port: server.port)
                defer { client.close() }
                client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return try client.read().lowercased()
            }
            #expect(!text.contains("access-control"), "\(text)")
            #expect(
                text.contains("\r\ncontent-security-policy: ") && text.contains("frame-ancestors 'none'"),
                "\(text)"
            )
        }
    }

    @Test(
        arguments: [
            "/logstores/app/track", "/logstores/app/shards/lb", "/logstores/app/shards/route", "/logstores/app",
        ]
    )
    func anySiteMaySendWithItsOwnHeaders(path: String) async throws {
        try await withServer {
            $0.mode = .compatible
        } _: { server async throws in
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)\(path)")
            request.method = .OPTIONS
            request.headers.add(name: "origin", value: "http://shop.example")
            request.headers.add(name: "access-control-request-method", value: "POST")
            request.headers.add(
                name: "access-control-request-headers",
                value: "authorization,content-type,traceparent,x-log-apiversion,x-log-bodyrawsize"
            )
            let answer = try await server.send(request)
            #expect(answer.status == 200)
            #expect(answer.headers["access-control-allow-origin"] == ["*"])
            #expect(answer.headers.first(name: "access-control-allow-methods")?.contains("POST") == true)
            // The asterisk is for all but this one.
            let allowed = answer.headers[canonicalForm: "access-control-allow-headers"].map { $0.lowercased() }
            #expect(allowed.contains("*") && allowed.contains("authorization"))
        }
    }
}

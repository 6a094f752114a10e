// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import LocalLogstoreTestSupport
import NIOCore
import NIOHTTP1
import Testing

@testable import LocalLogstore

@Suite("Interface of the page")
struct InterfaceTests {
    private func fill(_ server: TestServer) async throws {
        let logs = (0..<5).map {
            #"{"seq":"\#($0)","level":"\#($0 == 3 ? "error" : "info")","message":"log \#($0)","n":"\#($0)"}"#
        }
        let body =
            #"{"__topic__":"t","__source__":"s","__tags__":{"env":"x"},"__logs__":[\#(logs.joined(separator: ","))]}"#
        #expect(try await server.post(body).status == 200)
    }

    private func parse(_ answer: TestServer.Answer) throws -> JSONValue {
        try JSONValue(parsing: Array(answer.body.utf8))
    }

    @Test func listsLogs() async throws {
        try await withServer { server async throws in
            try await self.fill(server)
            let answer = try await server.api("logs?q=level:+error+and+n+%3E+2")
            #expect(answer.status == 200)
            guard case .array(let logs)? = try self.parse(answer)["logs"] else { return #expect(Bool(false)) }
            #expect(logs.count == 1)
            let log = try #require(logs.first)
            #expect(log["fields"]?.json == #"{"seq":"3","level":"error","message":"log 3","n":"3"}"#)
            #expect(log["tags"]?.json == #"{"env":"x"}"#)
            #expect(log["severity"]?.json == #""error""# && log["topic"]?.json == #""t""# && log["id"]?.json == "4")
            let first = try self.parse(try await server.api("logs?limit=2"))
            guard case .string(let next)? = first["next"] else { return #expect(Bool(false)) }
            let second = try self.parse(try await server.api("logs?limit=10&after=\(next)"))
            guard case .array(let rest)? = second["logs"] else { return #expect(Bool(false)) }
            #expect(rest.count == 3 && second["next"]?.json == "null")
            #expect(try self.parse(try await server.api("logs/4"))["id"]?.json == "4")
            #expect(try self.parse(try await server.api("logs/4/context?count=1"))["index"]?.json == "1")
            #expect(try await server.api("logs/99").status == 404)
        }
    }

    @Test func counts() async throws {
        try await withServer { server async throws in
            try await self.fill(server)
            let overview = try self.parse(try await server.api("overview"))
            #expect(overview["total"]?.json == "5")
            #expect(overview["levels"]?.json == #"[{"value":"info","count":4},{"value":"error","count":1}]"#)
            #expect(overview["different"]?.json == #"{"levels":2,"labels":0,"topics":1}"#)
            let fields = try self.parse(try await server.api("fields?field=n"))
            #expect(fields["logs"]?.json == "5" && fields["complete"]?.json == "true")
            let status = try self.parse(try await server.api("status"))
            #expect(status["logstores"]?.json == #"[{"project":"local","logstore":"app","logs":5}]"#)
        }
    }

    @Test("The fields are those of most logs: one log with hundreds hides none, and what is left out is counted")
    func listsTheFieldsOfMostLogs() async throws {
        try await withServer { server async throws in
            try await self.fill(server)
            let members = (0..<300).map { #""field-\#($0)":"x""# }.joined(separator: ",")
            #expect(
                try await server.post(#"{"__topic__":"","__source__":"","__logs__":[{\#(members)}]}"#).status == 200
            )
            let answer = try self.parse(try await server.api("fields"))
            guard case .array(let fields)? = answer["fields"] else { return #expect(Bool(false)) }
            #expect(fields.count == 200)
            // Of the topic, the source, a tag and three fields, 194 of the 300 have room beside.
            #expect(answer["left"]?.json == "106")
            let n = fields.first { $0["name"]?.json == #""n""# }
            #expect(n?["count"]?.json == "5")
            #expect(try self.parse(try await server.api("fields?field=n"))["left"]?.json == "0")
        }
    }

    @Test("The overview has a thousand labels, and says how many there are")
    func countsManyLabels() async throws {
        try await withServer { server async throws in
            let logs = (0..<1_100).map { #"{"label":"l\#($0)"}"# }.joined(separator: ",")
            #expect(try await server.post(#"{"__topic__":"","__source__":"","__logs__":[\#(logs)]}"#).status == 200)
            let overview = try self.parse(try await server.api("overview"))
            guard case .array(let labels)? = overview["labels"] else { return #expect(Bool(false)) }
            #expect(labels.count == 1_000 && overview["different"]?["labels"]?.json == "1100")
        }
    }

    @Test(arguments: [
        ("logs?q=level:", 400, #""column":7,"length":0"#), ("logs?limit=0", 400, "limit"), ("logs?from=x", 400, "from"),
        ("logs?from=2026-02-30T00:00:00Z", 400, "from is no time"),
        ("logs?from=2&until=1", 400, "from"), ("logs?after=1", 400, "after"), ("logs/x", 400, "number"),
        ("overview?buckets=5000", 400, "buckets"), ("nothing", 404, "nothing"), ("deliveries?before=x", 400, "before"),
        ("tail?q=(", 400, #""column":2"#), ("logs?q=%FF&limit=5", 400, "encoded"), ("tail?after=-1", 400, "after"),
        ("arrivals?after=1&before=2", 400, "both"), ("arrivals?limit=5001", 400, "limit"),
        ("logs?query=x", 400, "no parameter query here; there are: q,"), ("logs?q=a&q=b", 400, "q is there twice"),
        ("status?x", 400, "no parameter x"), ("logs/1?q=x", 400, "no parameter q"),
        ("deliveries?q=x", 400, "no parameter q"), ("tail?limit=5", 400, "no parameter limit"),
        ("session?x=1", 405, "DELETE, POST"),
    ])
    func saysWhatIsWrong(path: String, status: Int, text: String) async throws {
        try await withServer { server async throws in
            let answer = try await server.api(path)
            #expect(answer.status == status)
            #expect(answer.body.contains(text), "\(answer.body)")
            #expect(answer.headers.first(name: "x-log-requestid") == nil)
        }
    }

    @Test(arguments: [
        ("/", "POST", "GET, HEAD"), ("/assets/main.js", "DELETE", "GET, HEAD"),
        ("/api/logs", "POST", "DELETE, GET, HEAD"),
        ("/api/logs/1", "DELETE", "GET, HEAD"), ("/api/rehearsal", "POST", "GET, HEAD, PUT"),
        ("/api/session", "GET", "DELETE, POST"),
        ("/api/openapi.json", "OPTIONS", "GET, HEAD"), ("/logstores/app/track", "PUT", "GET, POST"),
        ("/logstores/app/track.gif", "POST", "GET"), ("/logstores/app/shards/lb", "GET", "POST"),
    ])
    func saysWhichMethodsThereAre(path: String, method: String, allowed: String) async throws {
        try await withServer { server async throws in
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)\(path)")
            request.method = HTTPMethod(rawValue: method)
            let answer = try await server.send(request)
            #expect(answer.status == 405)
            #expect(answer.headers.first(name: "allow") == allowed)
            #expect(method == "HEAD" || answer.body.contains("\(method) is not for \(path)"), "\(answer.body)")
        }
    }

    @Test func followsLogsAndGoesOnWhereItWas() async throws {
        try await withServer { server async throws in
            try await self.fill(server)
            let request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/api/tail?after=3&q=level:+info")
            var text = try await self.read(request, until: "log 4")
            #expect(text.contains("event: start") && text.contains("id: 5\n"))
            #expect(!text.contains("log 2") && !text.contains("log 3"))

            var resumed = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/api/tail")
            resumed.headers.add(name: "Last-Event-ID", value: "5")
            async let later = self.read(resumed, until: "log 0")
            try await self.fill(server)
            text = try await later
            #expect(!text.contains(#""id":5,"#) && text.contains(#""id":6,"#))
        }
    }

    private func read(_ request: HTTPClientRequest, until end: String) async throws -> String {
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        #expect(response.headers.first(name: "content-type") == "text/event-stream")
        var text = ""
        for try await buffer in response.body {
            text += String(buffer: buffer)
            if text.contains(end) { break }
        }
        return text
    }

    /// Whatever number a client claims to have seen.
    @Test(arguments: ["-9223372036854775808", "9223372036854775807", "-1", "x", "99999999999999999999"])
    func followsFromAnyPlace(claimed: String) async throws {
        try await withServer { server async throws in
            try await self.fill(server)
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/api/tail")
            request.headers.add(name: "Last-Event-ID", value: claimed)
            // One that is ahead has seen an endpoint that is no more: everything is new to it.
            let isAhead = claimed == "9223372036854775807"
            let text = try await self.read(request, until: isAhead ? "log 4" : "event: start")
            #expect(text.contains(isAhead ? #"{"position":0}"# : #"{"position":5}"#))
            #expect(try await server.api("status").status == 200)
        }
    }

    @Test func listsWhatArrivedInItsOrder() async throws {
        try await withServer { server async throws in
            for _ in 0..<100 { try await self.fill(server) }
            func ids(_ answer: JSONValue) -> [String] {
                guard case .array(let logs)? = answer["logs"] else { return [] }
                return logs.compactMap { $0["id"]?.json }
            }
            var answer = try self.parse(try await server.api("arrivals?limit=3&after=253"))
            #expect(ids(answer) == ["254", "255", "256"] && answer["newest"]?.json == "500")
            #expect(answer["position"]?.json == "256" && answer["complete"]?.json == "false")
            answer = try self.parse(try await server.api("arrivals?q=level:+error&limit=3&after=480"))
            #expect(ids(answer) == ["484", "489", "494"] && answer["complete"]?.json == "false")
            answer = try self.parse(try await server.api("arrivals?q=level:+error&limit=30&after=486"))
            #expect(ids(answer) == ["489", "494", "499"] && answer["complete"]?.json == "true")
            answer = try self.parse(try await server.api("arrivals?limit=3&before=258"))
            #expect(ids(answer) == ["257", "256", "255"] && answer["position"]?.json == "255")
            answer = try self.parse(try await server.api("arrivals?q=level:+error&limit=30&before=20"))
            #expect(ids(answer) == ["19", "14", "9", "4"] && answer["complete"]?.json == "true")
        }
    }

    @Test func leavesOutWhatIsTooMuchToFollow() async throws {
        try await withServer { server async throws in
            let logs = (0..<4000).map { LogFields([Field("n", "\($0)")]) }
            for _ in 0..<6 {
                try await server.store.append(
                    LogGroup(topic: "", source: "", tags: [], logs: logs),
                    project: "local",
                    logstore: "app"
                )
            }
            let request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/api/tail?after=0")
            let text = try await self.read(request, until: "event: logs")
            #expect(text.contains(#"event: skipped"# + "\n" + #"data: {"count":14000}"#))
        }
    }

    @Test func describesEveryPathItHas() async throws {
        try await withServer { server async throws in
            let document = try self.parse(try await server.api("openapi.json"))
            guard case .object(let paths)? = document["paths"] else { return #expect(Bool(false)) }
            for (path, operations) in paths where path.hasPrefix("/api/") {
                guard case .object(let operations) = operations else { continue }
                for (name, _) in operations where path != "/api/tail" {
                    let url = path.dropFirst("/api/".count).replacing("{id}", with: "1")
                    let answer = try await server.api(
                        String(url),
                        method: HTTPMethod(rawValue: name.uppercased()),
                        json: name == "get" ? nil : "{}"
                    )
                    // A path that is not there would say so.
                    #expect(!answer.body.contains("There is nothing at"), "\(name) \(path)")
                }
            }
        }
    }

    @Test func servesThePageAndLetsNoOtherSiteUseIt() async throws {
        try await withServer { server async throws in
            let page = try await server.get("/")
            #expect(page.status == 200 && page.body.contains("/assets/main.js"))
            let policy = try #require(page.headers.first(name: "content-security-policy"))
            #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
            #expect(!policy.contains("unsafe"))
            for match in page.body.matches(of: /\/assets\/[a-z.]+/) {
                #expect(try await server.get(String(match.output)).status == 200)
            }
            #expect(try await server.get("/assets/other").status == 404)
            let nothing = try await server.get("/api")
            #expect(nothing.status == 404 && nothing.body.contains("/api/openapi.json"))
            let answer = try await server.api("logs")
            #expect(answer.headers.first(name: "access-control-allow-origin") == nil)
            #expect(answer.headers.first(name: "x-content-type-options") == "nosniff")
            #expect(answer.headers.first(name: "cross-origin-resource-policy") == "same-origin")
        }
    }

    @Test func clearsWhatIsChosen() async throws {
        try await withServer { server async throws in
            for logstore in ["app", "other"] {
                #expect(try await server.post(#"{"__source__":"","__logs__":[{"a":"b"}]}"#, to: logstore).status == 200)
            }
            let empty = try await server.api("logs?logstore=", method: .DELETE, json: "{}")
            #expect(empty.status == 400 && empty.body.contains("logstore is empty"))
            #expect(try await server.api("logs?q=a", method: .DELETE, json: "{}").status == 400)
            for body in [#"{"logstore":"app"}"#, "[]", "null", "x"] {
                let refused = try await server.api("logs", method: .DELETE, json: body)
                #expect(refused.status == 400 && refused.body.contains("in the query"), "\(refused.body)")
            }
            #expect(try await server.store.logstores() == ["app", "other"])
            let one = try await server.api("logs?project=local&logstore=app", method: .DELETE, json: "{}")
            #expect(one.body == #"{"logs":1,"deliveries":1}"#)
            #expect(try await server.store.logstores() == ["other"])
            let all = try await server.api("logs", method: .DELETE, json: "{}")
            #expect(all.body == #"{"logs":1,"deliveries":1}"#)
            #expect(server.events.all.contains(.cleared(Cleared(logs: 1, deliveries: 1))))
        }
    }
}

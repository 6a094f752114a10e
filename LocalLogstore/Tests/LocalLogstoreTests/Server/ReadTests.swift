// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import LocalLogstoreTestSupport
import NIOHTTP1
import SwiftProtobuf
import Testing

@testable import LocalLogstore

/// What SDKs read with a signature; how real ones do it is in `Scripts/clients`.
@Suite("Reading with a signature")
struct ReadTests {
    private static let start: Int64 = 1_767_225_600

    /// An endpoint with five requests of two logs, a minute apart, in two topics; and with the same where the project, the
    /// logstore or both are others.
    private func withLogs(
        mode: DecodingMode = .strict,
        logstores: LogstorePolicy = .createOnFirstUse,
        _ body: (Signer) async throws -> Void
    ) async throws {
        try await withServer {
            $0.mode = mode
            $0.logstores = logstores
            $0.accessKeys = [Signer.key]
        } _: { server async throws in
            for index in 0..<5 {
                var logs = (0..<2).map { LogFields([Field("index", "\(index * 2 + $0)"), Field("level", "error")]) }
                for place in logs.indices {
                    logs[place].time = (Self.start + Int64(index) * 60) * 1_000_000 + Int64(place)
                }
                let tags = [Field("env", "\"prod\"")]
                let group = LogGroup(topic: index % 2 == 0 ? "even" : "odd", source: "web-1", tags: tags, logs: logs)
                for (project, logstore) in Self.places {
                    try await server.store.append(group, project: project, logstore: logstore)
                }
            }
            try await body(Signer(server: server))
        }
    }

    private static let places = [("local", "app"), ("other", "app"), ("local", "secret"), ("other", "secret")]
    private static let range = [("from", "\(start)"), ("to", "\(start + 300)")]

    private func indexes(_ logs: JSONValue?) -> [Int] {
        guard case .array(let logs)? = logs else { return [] }
        return logs.compactMap { log in
            if case .string(let text)? = log["index"] { Int(text) } else { nil }
        }
    }

    private func indexes(_ answer: TestServer.Answer) throws -> [Int] {
        self.indexes(try JSONValue(parsing: Array(answer.body.utf8)))
    }

    private static let pages: [([(String, String)], [Int])] = [
        ([], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), ([("reverse", "true")], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ([("offset", "3"), ("line", "2")], [3, 4]),
        ([("offset", "3"), ("line", "2"), ("reverse", "True")], [6, 5]),
        ([("topic", "odd")], [2, 3, 6, 7]), ([("query", "index: 4 or index: 7")], [4, 7]), ([("line", "0")], []),
        ([("offset", "10")], []), ([("query", "level: error"), ("topic", "even"), ("line", "3")], [0, 1, 4]),
    ]

    @Test func getsLogsByTimeInBothForms() async throws {
        try await self.withLogs { signer async throws in
            for (query, expected) in Self.pages {
                let answer = try await signer.get("/logstores/app", query: Self.range + [("type", "log")] + query)
                #expect(answer.status == 200 && answer.headers["x-log-progress"] == ["Complete"], "\(answer.body)")
                #expect(answer.headers["x-log-count"] == ["\(expected.count)"])
                #expect(try self.indexes(answer) == expected)
                let question = Array(JSONWriter.object((Self.range + query).map { Field($0.0, $0.1) }).utf8)
                let headers = [("content-type", "application/json")]
                let second = try await signer.server.send(
                    signer.request(.POST, "/logstores/app/logs", body: question, headers: headers)
                )
                let body = try JSONValue(parsing: Array(second.body.utf8))
                #expect(self.indexes(body["data"]) == expected)
                #expect(second.body.contains(#""progress":"Complete","count":\#(expected.count),"#))
            }
        }
    }

    @Test func aLogHasWhatTheServiceAddsToItAsText() async throws {
        try await self.withLogs { signer async throws in
            let answer = try await signer.get(
                "/logstores/app",
                query: Self.range + [("type", "log"), ("offset", "1"), ("line", "1")]
            )
            #expect(
                answer.body
                    == #"[{"__source__":"web-1","__time__":"1767225600","__time_ns_part__":"1000","__topic__":"even","#
                    + #""__tag__:env":"\"prod\"","index":"1","level":"error"}]"#
            )
        }
    }

    private static let refusals: [([(String, String)], String)] = [
        ([("from", "x"), ("to", "2")], "400 InvalidTimeRange"), ([("to", "2")], "400 InvalidTimeRange"),
        ([("from", "2"), ("to", "2")], "400 InvalidTimeRange"),
        ([("from", "-1"), ("to", "2")], "400 InvalidTimeRange"),
        ([("from", "1"), ("to", "9223372036854775807")], "400 InvalidTimeRange"),
        ([("from", "1"), ("to", "2"), ("query", "a | select 1")], "400 InvalidQueryString"),
        ([("from", "1"), ("to", "2"), ("line", "101")], "400 InvalidLine"),
        ([("from", "1"), ("to", "2"), ("offset", "-1")], "400 InvalidOffset"),
        ([("from", "1"), ("to", "2"), ("reverse", "1")], "400 InvalidReverse"),
        ([("from", "1"), ("to", "2"), ("session", "mode=scan")], "400 ParameterInvalid"),
        ([("from", "1"), ("to", "2"), ("from", "1")], "400 ParameterInvalid"),
        ([("from", "1"), ("to", "2"), ("page", "1")], "400 ParameterInvalid"),
    ]

    @Test func refusesWhatItCannotAnswer() async throws {
        try await self.withLogs { signer async throws in
            for (query, expected) in Self.refusals {
                let answer = try await signer.get("/logstores/app", query: query + [("type", "log")])
                let body = try JSONValue(parsing: Array(answer.body.utf8))
                guard case .string(let code)? = body["errorCode"] else { return #expect(Bool(false), "\(answer.body)") }
                #expect("\(answer.status) \(code)" == expected)
            }
        }
    }

    @Test func ignoresUnknownParametersInCompatibleMode() async throws {
        try await self.withLogs(mode: .compatible) { signer async throws in
            let query = Self.range + [("type", "log"), ("page", "1")]
            #expect(try self.indexes(await signer.get("/logstores/app", query: query)).count == 10)
        }
    }

    private static let lengths: [Int64] = [1, 7, 60, 300, 86_400, 31_536_000]

    @Test func aHistogramHasAllOfTheTimeAndEachLogOnce() async throws {
        try await self.withLogs { signer async throws in
            for length in Self.lengths {
                for path in ["/logstores/app", "/logstores/app/index"] {
                    let from = Self.start - 1
                    let query = [("type", "histogram"), ("from", "\(from)"), ("to", "\(from + length)")]
                    let answer = try await signer.get(path, query: query)
                    let expected = (0..<5).filter { Self.start + $0 * 60 < from + length }.count * 2
                    try self.expectParts(of: answer, from..<from + length, count: expected)
                }
            }
        }
    }

    /// That they follow each other without a gap, none of them empty, and that all logs are in them.
    private func expectParts(of answer: TestServer.Answer, _ seconds: Range<Int64>, count: Int) throws {
        guard case .array(let parts) = try JSONValue(parsing: Array(answer.body.utf8)) else {
            return #expect(Bool(false), "\(answer.body)")
        }
        func number(_ part: JSONValue, _ name: String) -> Int64 {
            if case .number(let text)? = part[name] { Int64(text) ?? -1 } else { -1 }
        }
        #expect(parts.first.map { number($0, "from") } == seconds.lowerBound)
        #expect(parts.last.map { number($0, "to") } == seconds.upperBound)
        #expect(parts.allSatisfy { number($0, "from") < number($0, "to") }, "\(answer.body)")
        for (left, right) in zip(parts, parts.dropFirst()) {
            #expect(number(left, "to") == number(right, "from"))
        }
        #expect(parts.reduce(0) { $0 + number($1, "count") } == count)
        #expect(answer.headers["x-log-count"] == ["\(count)"] && parts.count <= 62)
    }

    /// From and to, in nanoseconds from a second before the first log on; the seconds that have a part in it; the logs.
    private static let fineRanges: [(ClosedRange<Int64>, Range<Int64>, Int)] = [
        (0...60_500_000_000, 0..<61, 2), (600_000_000...1_000_000_000, 0..<1, 0),
        (900_000_000...1_050_000_000, 0..<2, 2), (0...1_000_000_999, 0..<1, 0), (0...1_000_001_000, 0..<2, 1),
        (999_999_000...61_000_002_000, 0..<62, 4),
    ]

    @Test func aHistogramOfPartsOfSecondsHasNoEmptyPart() async throws {
        try await self.withLogs { signer async throws in
            for (time, seconds, count) in Self.fineRanges {
                let (from, second) = (Self.start - 1, Int64(1_000_000_000))
                let query = [
                    ("from", from + time.lowerBound / second), ("fromNs", time.lowerBound % second),
                    ("to", from + time.upperBound / second), ("toNs", time.upperBound % second),
                ]
                let answer = try await signer.get("/logstores/app/index", query: query.map { ($0, "\($1)") })
                try self.expectParts(of: answer, from + seconds.lowerBound..<from + seconds.upperBound, count: count)
            }
        }
    }

    @Test(arguments: [nil, "lz4", "zstd", "gzip, deflate"]) func pullsEachGroupOnce(encoding: String?) async throws {
        let compression = encoding.flatMap(Compression.init) ?? .none
        try await self.withLogs { signer async throws in
            let end = try await signer.cursor(from: "end")
            var cursor = try await signer.cursor(from: "begin")
            #expect(try await signer.cursor(from: "0") == cursor)
            var groups: [PutLogs_LogGroup] = []
            while cursor != end {
                let pulled = try await signer.pull(from: cursor, until: end, encoding: encoding)
                #expect(pulled.groups.count <= 2 && pulled.compression == compression)
                groups += pulled.groups
                guard pulled.next != cursor else { return #expect(Bool(false), "it does not go on") }
                cursor = pulled.next
            }
            #expect(groups.map(\.topic) == ["even", "odd", "even", "odd", "even"])
            #expect(groups.flatMap(\.logs).map { $0.contents[0].value } == (0..<10).map { "\($0)" })
            #expect(groups[1].logs[1].time == UInt32(Self.start + 60) && groups[1].logs[1].timeNs == 1000)
            #expect(groups[0].source == "web-1" && groups[0].logTags.map(\.value) == ["\"prod\""])
            let empty = try await signer.pull(from: end, encoding: encoding)
            #expect(empty.groups.isEmpty && empty.next == end && empty.compression == compression)
            // What comes behind the end is read from there.
            try await signer.server.store.append(
                LogGroup(topic: "new", source: "", tags: [], logs: [LogFields([Field("k", "v")])]),
                project: "local",
                logstore: "app"
            )
            #expect(try await signer.pull(from: end).groups.map(\.topic) == ["new"])
        }
    }

    @Test func knowsWhichAnswersAreTooLargeForABlock() {
        #expect(AnswerCompression.lz4Bound(0) != nil && AnswerCompression.lz4Bound(0x7E00_0000) != nil)
        for count in [0x7E00_0001, 1 << 31, .max] { #expect(AnswerCompression.lz4Bound(count) == nil) }
    }

    private static let wrongCursors = ["", "x", "LTE=", "MA=="]

    @Test func refusesCursorsOfNoAnswer() async throws {
        try await self.withLogs { signer async throws in
            for cursor in Self.wrongCursors {
                let query = [("type", "log"), ("cursor", cursor)]
                let answer = try await signer.get("/logstores/app/shards/0", query: query)
                #expect(answer.status == 400 && answer.body.contains("InvalidCursor"))
                #expect(try await signer.get("/logstores/app/shards/1", query: query).status == 404)
            }
        }
    }

    @Test func tellsWhatThereIsInTheProject() async throws {
        try await self.withLogs { signer async throws in
            #expect(try await signer.get("/logstores").body == #"{"count":2,"total":2,"logstores":["app","secret"]}"#)
            #expect(
                try await signer.get("/logstores", query: [("logstoreName", "x"), ("offset", "0"), ("size", "10")]).body
                    == #"{"count":0,"total":0,"logstores":[]}"#
            )
            let logstore = try await signer.get("/logstores/app").body
            #expect(logstore.contains(#""logstoreName":"app","ttl":3650,"shardCount":1,"enable_tracking":true"#))
            #expect(try await signer.get("/logstores/app/shards").body.contains(#"[{"shardID":0,"status":"readwrite""#))
            #expect(try await signer.get("/").body.contains(#"{"projectName":"local","status":"Normal""#))
            // Without a signature, the same path is the page.
            #expect(try await signer.server.get("/").body.contains("<!doctype html>"))
        }
    }

    @Test func readingCreatesNoLogstoreAndFindsNoneThatIsNot() async throws {
        try await self.withLogs { signer async throws in
            let query = Self.range + [("type", "log")]
            #expect(try await signer.get("/logstores/later", query: query).body == "[]")
            #expect(try await signer.get("/logstores").body.contains(#"["app","secret"]"#))
            #expect(try await signer.get("/logstores/-", query: query).status == 400)
        }
        try await self.withLogs(logstores: .only(["app"])) { signer async throws in
            let answer = try await signer.get("/logstores/later")
            #expect(answer.status == 404 && answer.body.contains("LogStoreNotExist"))
        }
    }

    private static let paths = [
        "/logstores", "/logstores/app", "/logstores/app?type=log&from=1&to=2", "/logstores/app/index?from=1&to=2",
        "/logstores/app/shards", "/logstores/app/shards/0?type=cursor&from=begin",
    ]

    @Test(arguments: DecodingMode.allCases) func isForThoseAloneWhoHaveAKey(mode: DecodingMode) async throws {
        try await self.withLogs(mode: mode) { signer async throws in
            for path in Self.paths {
                let answer = try await signer.server.get(path, headers: [("x-log-apiversion", "0.6.0")])
                #expect(answer.status == 401 && answer.body.contains("Unauthorized"), "\(path)")
            }
            let wrong = [("x-log-apiversion", "0.6.0"), ("authorization", "LOG nobody:AAAA"), ("date", "x")]
            for path in Self.paths + ["/"] {
                let refused = try await signer.server.get(path, headers: wrong)
                #expect(refused.status == 401 && !refused.headers.contains(name: "access-control-allow-origin"))
            }
        }
    }

    /// Other sites may send logs, and read none.
    @Test func noOtherSiteMayRead() async throws {
        try await self.withLogs(mode: .compatible) { signer async throws in
            for path in ["/", "/logstores", "/logstores/app", "/logstores/app/shards"] {
                let answer = try await signer.get(path, headers: [("origin", "http://shop.example")])
                #expect(
                    answer.status == 200
                        && !answer.headers.contains { $0.name.lowercased().hasPrefix("access-control") }
                )
                #expect(answer.headers["cross-origin-resource-policy"] == ["same-origin"])
            }
        }
    }

    /// Nor does it cost anything to read it.
    @Test func tellsThoseWithoutAKeyNothingOfTheQuery() async throws {
        try await self.withLogs { signer async throws in
            let query = [("x", "1"), ("x", "2")]
            var request = signer.request(.POST, "/logstores/app/shards/route", query: query, body: [0])
            #expect(try await signer.server.send(request).body.contains("ParameterInvalid"))
            request.headers.remove(name: "authorization")
            let answer = try await signer.server.send(request)
            #expect(answer.status == 401 && answer.body.contains("Unauthorized"), "\(answer.body)")
        }
    }

    @Test func putsByARouteAreStored() async throws {
        try await self.withLogs { signer async throws in
            var content = PutLogs_Content()
            (content.key, content.value) = ("k", "v")
            var log = PutLogs_Log()
            log.time = UInt32(Date().timeIntervalSince1970)
            log.contents = [content]
            var group = PutLogs_LogGroup()
            group.logs = [log]
            let body: [UInt8] = try group.serializedBytes()
            func put(_ query: [(String, String)]) async throws -> Int {
                let headers = [("content-type", "application/x-protobuf")]
                return try await signer.server.send(
                    signer.request(.POST, "/logstores/put/shards/route", query: query, body: body, headers: headers)
                ).status
            }
            let key = ("key", "0123456789abcdef0123456789abcdef")
            #expect(try await put([key]) == 200)
            #expect(try await put([key, ("seqid", "1")]) == 200)
            #expect(try await put([]) == 400)
            #expect(try await put([key, ("seqid", "0")]) == 400)
            #expect(try await signer.server.store.count(matching: LogQuery(logstore: "put")) == 2)
        }
    }
}

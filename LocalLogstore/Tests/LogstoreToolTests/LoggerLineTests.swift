// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import Logging
import Testing

@testable import LogstoreTool

/// One error line of each logger, all of the same instant: 2026-01-02T03:04:05.678Z.
@Suite("Lines of real loggers")
struct LoggerLineTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var logger: String
        var line: String
        var label: String?
        var fields: Set<String>
        /// Below a second, since some loggers write no more than seconds.
        var nanoseconds: Int64 = 678_000_000

        var testDescription: String { self.logger }
    }

    private static let second: Int64 = 1_767_323_045

    /// As Tests/loggers has them, which runs the loggers.
    private static let cases = [
        Case(
            logger: "journald",
            line: #"{"MESSAGE":"failed","PRIORITY":"3","__REALTIME_TIMESTAMP":"1767323045678000","_PID":"7"}"#,
            fields: ["_PID"]
        ),
        Case(
            logger: "journald, bytes",
            line: #"{"MESSAGE":[102,97,105,108,101,100],"PRIORITY":"3","__REALTIME_TIMESTAMP":"1767323045678000"}"#,
            fields: []
        ),
        Case(
            logger: "ecs-logging",
            line: #"{"@timestamp":"2026-01-02T03:04:05.678Z","log.level":"error","message":"failed","#
                + #""ecs.version":"1.6.0","log":{"logger":"shop","origin":{"file":{"line":1}}}}"#,
            label: "shop",
            fields: ["ecs.version", "log"]
        ),
        Case(
            logger: "ecs-logging, nested",
            line: #"{"@timestamp":"2026-01-02T03:04:05.678Z","message":"failed","log":{"level":"error"},"n":{}}"#,
            fields: ["log", "n"]
        ),
        Case(
            logger: "python-json-logger",
            line: #"{"levelname":"ERROR","message":"failed","timestamp":"2026-01-02T03:04:05.678000+00:00","n":1}"#,
            fields: ["n"]
        ),
        Case(
            logger: "structlog",
            line: #"{"event":"failed","level":"error","logger":"shop","timestamp":"2026-01-02T03:04:05.678Z"}"#,
            label: "shop",
            fields: []
        ),
        Case(
            logger: "bunyan",
            line: #"{"name":"shop","hostname":"h","pid":1,"level":50,"msg":"failed","#
                + #""time":"2026-01-02T03:04:05.678Z","v":0}"#,
            fields: ["name", "hostname", "pid", "v"]
        ),
        Case(
            logger: "pino",
            line: #"{"level":50,"time":1767323045678,"pid":1,"hostname":"h","msg":"failed"}"#,
            fields: ["pid", "hostname"]
        ),
        Case(
            logger: "zap",
            line: #"{"level":"error","ts":1767323045.678,"caller":"a.go:1","msg":"failed","stacktrace":"x"}"#,
            fields: ["caller", "stacktrace"]
        ),
        Case(
            logger: "zerolog",
            line: #"{"level":"error","error":"no","time":"2026-01-02T03:04:05Z","message":"failed"}"#,
            fields: ["error"],
            nanoseconds: 0
        ),
        Case(
            logger: "zerolog, Unix time",
            line: #"{"level":"error","time":1767323045,"message":"failed"}"#,
            fields: [],
            nanoseconds: 0
        ),
        Case(
            logger: "logrus",
            line: #"{"level":"error","msg":"failed","time":"2026-01-02T11:04:05+08:00","size":10}"#,
            fields: ["size"],
            nanoseconds: 0
        ),
        Case(
            logger: "log4j2, EcsLayout",
            line: #"{"@timestamp":"2026-01-02T03:04:05.678Z","ecs.version":"1.2.0","log.level":"ERROR","#
                + #""message":"failed","process.thread.name":"main","log.logger":"shop"}"#,
            label: "shop",
            fields: ["ecs.version", "process.thread.name"]
        ),
        Case(
            logger: "log4j2, JsonLayout",
            line: #"{"instant":{"epochSecond":1767323045,"nanoOfSecond":678000000},"thread":"main","level":"ERROR","#
                + #""loggerName":"shop","message":"failed","endOfBatch":false}"#,
            label: "shop",
            fields: ["thread", "endOfBatch"]
        ),
        Case(
            logger: "log4j2, GelfLayout",
            line: #"{"version":"1.1","host":"h","short_message":"failed","timestamp":1767323045.678,"level":3,"#
                + #""_logger":"shop"}"#,
            label: "shop",
            fields: ["version", "host"]
        ),
        Case(
            logger: "log4j2, GcpLayout",
            line: #"{"timestamp":"2026-01-02T03:04:05.678Z","severity":"ERROR","message":"failed","_logger":"shop"}"#,
            label: "shop",
            fields: []
        ),
        Case(
            logger: "this library",
            line: #"{"__topic__":"t","seq":"7","time":"2026-01-02T03:04:05.678000000Z","level":"error","#
                + #""label":"shop","message":"failed","file":"a.swift"}"#,
            label: "shop",
            fields: ["__topic__", "seq", "file"]
        ),
    ]

    private func parse(_ line: String) throws -> LoggerLine {
        guard case .object(let members) = try JSONValue(parsing: Array(line.utf8)) else { throw NoObject() }
        return LoggerLine(members)
    }

    private struct NoObject: Error {}

    @Test("Each logger's error is found as one, with its message, its time and its other fields", arguments: Self.cases)
    func readsLines(of logger: Case) throws {
        let line = try self.parse(logger.line)
        #expect(line.level == .error)
        #expect(line.message == "failed")
        #expect(line.time == Self.second * 1_000_000_000 + logger.nanoseconds)
        #expect(line.label == logger.label)
        #expect(Set(line.members.map(\.name)) == logger.fields)
    }

    @Test("With ECS, fields that have the names of other loggers' levels and labels stay fields")
    func readsECSFirst() throws {
        for own in [#""log.level":"ERROR","log.logger":"shop""#, #""log":{"level":"error","logger":"shop"}"#] {
            let line = try self.parse(
                #"{"level":"debug","label":"x","logger":"y","severity":"info","ecs.version":"1.2.0",\#(own)}"#
            )
            #expect(line.level == .error && line.label == "shop")
            #expect(
                line.members.map(\.name).filter { $0 != "log" }
                    == ["level", "label", "logger", "severity", "ecs.version"]
            )
        }
    }

    @Test("A message that journalctl left out is said to be, and other lists stay lists")
    func readsJournals() throws {
        let line = try self.parse(#"{"MESSAGE":null,"PRIORITY":"2","_X":["a","b"],"_Y":[104,105],"_Z":[300]}"#)
        #expect(line.message?.contains("4,096 bytes") == true && line.level == .critical)
        guard case .string("hi")? = line.members.first(where: { $0.name == "_Y" })?.value,
            case .array? = line.members.first(where: { $0.name == "_X" })?.value,
            case .array? = line.members.first(where: { $0.name == "_Z" })?.value
        else { throw NoObject() }
        // Elsewhere a list of small numbers is what it is.
        let other = try self.parse(#"{"message":"m","sizes":[1,2]}"#)
        guard case .array? = other.members.first?.value else { throw NoObject() }
    }

    @Test(
        "Numbers of levels are bunyan's and pino's",
        arguments: [
            ("10", Logger.Level.trace), ("20", .debug), ("30", .info), ("35", .info), ("40", .warning), ("50", .error),
            ("60", .critical), ("5", nil), ("-1", nil), ("1000", nil),
        ]
    )
    func readsNumbers(digits: String, level: Logger.Level?) throws {
        let line = try self.parse(#"{"msg":"m","level":\#(digits)}"#)
        #expect(line.level == level)
        #expect(line.members.isEmpty == (level != nil))
    }

    @Test(
        "A time that nobody can be sure of stays a field",
        arguments: [
            #""2026-01-02T03:04:05""#, #""2026-01-02 03:04:05,678""#, #""yesterday""#, "12", "1.5", "-1", "true", "{}",
            "99999999999999999999", #""2026-13-02T03:04:05Z""#, #""9999-01-02T03:04:05Z""#,
            #""2026-01-02T03:04:05+99""#, #""2026-02-30T03:04:05Z""#, #""2026-02-29T03:04:05Z""#,
        ]
    )
    func leavesTimes(json: String) throws {
        let line = try self.parse(#"{"msg":"m","time":\#(json)}"#)
        #expect(line.time == nil)
        #expect(line.members.map(\.name) == ["time"])
    }

    @Test("A level, a message or a time that is not understood leaves the next name its turn")
    func triesTheNextName() throws {
        let line = try self.parse(
            #"{"time":"noon","timestamp":"2026-01-02T03:04:05Z","level":"loud","severity":"WARN","msg":"m","event":"e"}"#
        )
        #expect(line.time == Self.second * 1_000_000_000 && line.level == .warning && line.message == "m")
        #expect(line.members.map(\.name) == ["time", "level", "event"])
    }

    @Test("A line of webtracking query has its own time, and nothing of the request that it came in")
    func readsItsOwn() throws {
        let text =
            #"{"__receive_time__":"2026-01-02T04:00:00Z","__topic__":"t","__source__":"here","__tag__:__pack_id__":"1-2","#
            + #""__tag__:env":"prod","time":"2026-01-02T03:04:05Z","message":"m","@timestamp":"2025-01-02T03:04:05Z"}"#
        guard case .object(let members) = try JSONValue(parsing: Array(text.utf8)) else { throw NoObject() }
        let line = LoggerLine(members, source: "here")
        #expect(line.time == Self.second * 1_000_000_000 && line.message == "m")
        #expect(line.members.map(\.name) == ["__topic__", "__tag__:env", "@timestamp"])
        // Where it came from is not forgotten.
        #expect(LoggerLine(members, source: "there").members.contains { $0.name == "__source__" })
        // One name alone may be anybody's.
        let other = try self.parse(#"{"__source__":"","message":"m","__receive_time__":"x"}"#)
        #expect(other.members.map(\.name) == ["__source__", "__receive_time__"])
    }

    @Test("A text or a number called log, as Docker writes a whole line, is no level and stays")
    func leavesTheLogOfDocker() {
        for value in [JSONValue.string("error"), .number("50")] {
            let line = LoggerLine([("log", value), ("stream", .string("stderr"))])
            #expect(line.level == nil)
            #expect(line.members.map(\.name) == ["log", "stream"])
        }
    }
}

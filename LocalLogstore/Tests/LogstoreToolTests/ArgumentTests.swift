// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import Logging
import Testing
import WebTracking

@testable import LogstoreTool

@Suite("Arguments")
struct ArgumentTests {
    private func parse<Command: ParsableCommand>(_ line: String, as type: Command.Type = Command.self) throws -> Command
    {
        let command = try WebTrackingTool.parseAsRoot(line.split(separator: " ").map(String.init))
        return try #require(command as? Command)
    }

    private static let target = "--endpoint http://127.0.0.1:1 --project demo --logstore app"

    @Test func servesByDefaultOnThisMachineOnly() throws {
        let settings = try self.parse("serve", as: ServeCommand.self).settings()
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.project == "local")
        #expect(settings.logstores == .createOnFirstUse)
    }

    @Test func servesAsTold() throws {
        let command = try self.parse(
            "serve --host ::1 --port 0 --project demo --logstore a1 --logstore b2 --port-file p --database d",
            as: ServeCommand.self
        )
        let settings = try command.settings()
        #expect(settings.host == "::1" && settings.port == 0 && settings.project == "demo")
        #expect(settings.logstores == .only(["a1", "b2"]))
        #expect(command.portFile == "p" && command.database == "d")
    }

    @Test(arguments: [
        "serve --port 70000", "serve --port -1", "serve --fault-rate 1.5", "serve --fault-kinds 500,what", "serve x",
        "send", "send --endpoint http://127.0.0.1:1 --project demo", "send \(target) --project No",
        "send \(target) --level loud", "send \(target) --compression zstd", "send \(target) --tag x",
        "send \(target) --rate 0", "send \(target) --timeout -1", "send \(target) --format csv",
        "query --limit -1", "query --where x", "query --format csv", "query level:", "query --since yesterday",
        "query x y", "tail --lines -1", "tail --limit 0", "serve --outage 5", "serve --keep-size 1",
        "serve --shards -1", "query --url x", "query --url http://u:p@h", "query --url http://h/?token=x",
        "query --url http://h --database f", "tail --url ftp://h", "query --token-file t",
        "query --where __receive_time__=x", "query --since infd", "query --since 200000000d",
        "serve --max-request-logs 0", "what", "serve --in-memory --database d", "serve --fault-kinds 500",
        "serve --fault-rate 0 --fault-kinds 500", "serve --fault-seed 2", "serve --shard-bytes 1MB",
        "serve --shard-requests 9", "send \(target) --message-field x", "send \(target) --format text --time-field x",
        "serve --forget-keys -1", "run", "run \(target)", "run \(target) --", "run \(target) shop", "run -- shop",
        "run \(target) --timeout -1 -- shop", "run \(target) --linger -1 -- shop", "run \(target) --group -- shop",
        "run \(target) --buffer 1KB -- shop", "run \(target) --memory 1KB -- shop", "run \(target) --levels x -- shop",
        "run \(target) --access-key f -- shop",
    ])
    func refuses(line: String) {
        #expect(throws: (any Error).self) {
            try WebTrackingTool.parseAsRoot(line.split(separator: " ").map(String.init))
        }
    }

    @Test(arguments: [
        "-hello", "-what", "--limit 5 -high", "query -the", "tail -lines 5", "-x",
    ])
    func namesAnOptionThatDoesNotExist(line: String) {
        #expect {
            try WebTrackingTool.check(line.split(separator: " ").map(String.init))
        } throws: { error in
            let name = line.split(separator: " ").first { $0.hasPrefix("-") && !$0.hasPrefix("--") } ?? ""
            return WebTrackingTool.message(for: error).contains("Unknown option '\(name)'")
        }
    }

    @Test(arguments: ["query -- -hello", "query -h", "send -", "query --limit -1", "query --help", "tail --lines 5"])
    func leavesTheRestToTheParser(line: String) throws {
        try WebTrackingTool.check(line.split(separator: " ").map(String.init))
    }

    @Test func takesASearchThatBeginsWithADash() throws {
        let command = try self.parse("query -- -hello", as: QueryCommand.self)
        #expect(command.query.search == (try SearchExpression(parsing: "\"-hello\"")))
    }

    @Test func speaksOfItsOwnOptions() throws {
        let line = "send --endpoint http://example.com --project demo --logstore app"
        #expect {
            try self.parse(line, as: SendCommand.self)
        } throws: { error in
            let text = WebTrackingTool.message(for: error)
            return text.contains("--allow-plain-http") && !text.contains("allowsPlainHTTP")
        }
        #expect(try self.parse(line + " --allow-plain-http", as: SendCommand.self).options.allowPlainHTTP)
    }

    @Test func sendsAsTold() throws {
        let command = try self.parse(
            "send a b \(Self.target) --topic t --tag x=1 --tag y=2 --level WARN --compression deflate --format ndjson "
                + "--rate 10 --timeout 5",
            as: SendCommand.self
        )
        #expect(command.files == ["a", "b"])
        #expect(command.level.level == .warning)
        #expect(command.format == .ndjson)
        #expect(command.rate == 10)
        #expect(command.timeout == 5)
        let configuration = command.options.configuration
        #expect(configuration.endpoint == "http://127.0.0.1:1")
        #expect(configuration.project == "demo" && configuration.logstore == "app")
        #expect(configuration.topic == .fixed("t"))
        #expect(configuration.tags == ["x": "1", "y": "2"])
        #expect(configuration.compression == .deflate())
    }

    @Test func sendsByDefaultAsTheLibraryDoes() throws {
        let command = try self.parse("send \(Self.target)", as: SendCommand.self)
        #expect(command.files.isEmpty)
        #expect(command.level.level == .info)
        #expect(command.format == .text)
        #expect(command.rate == nil)
        #expect(command.options.configuration.compression == .lz4)
        #expect(command.options.configuration.topic == .fixed(""))
    }

    @Test func runsAsTold() throws {
        let line =
            "run \(Self.target) --spool /s --group --stderr-level warn --tty --quiet --memory 8MiB -- /shop --port 80 -v"
        let command = try self.parse(line, as: RunCommand.self)
        #expect(command.command == ["/shop", "--port", "80", "-v"])
        #expect(command.stderrLevel.level == .warning && command.stdoutLevel.level == .info && command.tty)
        #expect(command.quiet)
        let settings = command.settings
        #expect(settings.durability == .process && settings.spool.directory == "/s" && settings.spool.permits == .group)
        #expect(settings.memoryLimit == 8 << 20)
        #expect(try self.parse("run \(Self.target) -- x", as: RunCommand.self).settings.durability == .memory)
    }

    @Test func queriesAsTold() throws {
        let command = try self.parse(
            "query --logstore app --topic t --where a=b --where c=d=e --limit 5 --newest --format ndjson --fields x,y",
            as: QueryCommand.self
        )
        var expected = LogQuery(logstore: "app", topic: "t")
        expected.fields = [Field("a", "b"), Field("c", "d=e")]
        expected.limit = 5
        expected.order = .newestFirst
        #expect(command.query == expected)
        let printer = command.options.printer(isTerminal: true)
        #expect(printer.fields == ["x", "y"])
        #expect(printer.format == .ndjson)
    }

    @Test func helpShowsExamplesAndFitsATerminal() {
        let commands: [any ParsableCommand.Type] = [
            ServeCommand.self, SendCommand.self, RunCommand.self, QueryCommand.self, TailCommand.self,
        ]
        for command in commands {
            let help = WebTrackingTool.helpMessage(for: command, columns: 80)
            #expect(help.contains("  webtracking \(command._commandName)"))
            let long = help.split(separator: "\n").filter { $0.count > 80 }
            #expect(long.isEmpty)
        }
    }

    @Test func looksForASearch() throws {
        let command = try #require(
            try WebTrackingTool.parseAsRoot(["query", "level: error", "--logstore", "app", "--project", "p"])
                as? QueryCommand
        )
        #expect(command.query.search == (try SearchExpression(parsing: "level: error")))
        #expect(command.query.project == "p")
    }

    @Test func printsObjectsIntoAPipeAndColoursOnATerminal() throws {
        let plain = try self.parse("query", as: QueryCommand.self).options
        #expect(plain.printer(isTerminal: false).format == .ndjson)
        #expect(plain.printer(isTerminal: true).format == .text && plain.printer(isTerminal: true).isColored)
        let columns = try self.parse("query --fields a", as: QueryCommand.self).options
        #expect(columns.printer(isTerminal: false).format == .text && !columns.printer(isTerminal: false).isColored)
        // Where people read, or in columns, long values are cut; elsewhere only if that is text.
        #expect(plain.printer(isTerminal: true).valueLimit != nil && plain.printer(isTerminal: false).valueLimit == nil)
        #expect(columns.printer(isTerminal: false).valueLimit != nil)
        let full = try self.parse("query --fields a --full", as: QueryCommand.self).options
        #expect(full.printer(isTerminal: true).valueLimit == nil)
        let never = try self.parse("tail --color never", as: TailCommand.self).options
        #expect(!never.printer(isTerminal: true).isColored)
    }

    @Test(arguments: [
        ("30s", 30.0), ("15m", 900), ("2h", 7200), ("7d", 604_800), ("1970-01-01T00:00:00Z", 1_000_000),
        ("1970-01-01", 1_000_000), ("1970-01-12T21:46:30.5+08:00", 9.5),
    ])
    func readsHowLongAgo(text: String, seconds: Double) throws {
        let now = Date(timeIntervalSince1970: 1_000_000)
        let since = try SinceArgument(reading: text)
        #expect(now.timeIntervalSince(since.date(now: now)) == seconds)
    }

    @Test(
        "A time that cannot be is an error that says why",
        arguments: [
            ("2026-02-30", "there is no day 2026-02-30"), ("2026-02-30T08:15:30Z", "there is no day 2026-02-30"),
            ("2026-13-01", "there is no day 2026-13-01"), ("2026-11-23T25:15:30Z", "there is no time 25:15:30"),
            ("2026-11-23T08:15:30", "the zone is missing"), ("1969-12-31", "from 1970 to 2261"),
            ("200000000d", "36525d"), ("yesterday", "write 15m"), ("2026-2-3", "write 15m"),
        ]
    )
    func saysWhyATimeIsNone(text: String, reason: String) throws {
        #expect {
            try self.parse("query --since \(text)", as: QueryCommand.self)
        } throws: {
            WebTrackingTool.message(for: $0).contains(reason)
        }
    }

    @Test(arguments: [("5", 5), ("2kB", 2000), ("2KiB", 2048), ("1.5MB", 1_500_000), ("3GB", 3_000_000_000)])
    func readsSizes(text: String, bytes: Int) {
        #expect(ByteSize(argument: text)?.bytes == bytes)
        #expect(ByteSize(argument: ByteSize(bytes: bytes).description)?.bytes == bytes)
    }

    @Test func rehearsesAsTold() throws {
        let settings = try self.parse(
            "serve --fault-rate 0.5 --fault-kinds 503 --latency 10 --jitter 20 --shards 2 --shard-bytes 1MB "
                + "--shard-requests 7 --outage 1:2 --tracking-off 3:4.5 --max-request-bytes 9kB --max-request-logs 8 "
                + "--forget-keys 5.5",
            as: ServeCommand.self
        ).settings().rehearsal
        var expected = RehearsalSettings()
        expected.errorShare = 0.5
        expected.errorKinds = ["503"]
        expected.latency = 10
        expected.jitter = 20
        expected.shards = 2
        expected.shardBytes = 1_000_000
        expected.shardRequests = 7
        expected.outage = RehearsalSettings.Window(start: 1, length: 2)
        expected.trackingOff = RehearsalSettings.Window(start: 3, length: 4.5)
        expected.maximumBytes = 9000
        expected.maximumLogs = 8
        expected.forgetKeys = 5.5
        #expect(settings == expected)
    }

    @Test func keepsTheTokenToItsOwner() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "t").path
            var command = try self.parse("serve --host 0.0.0.0 --token-file \(path)", as: ServeCommand.self)
            guard case .token(let token) = try command.settings().access else { return #expect(Bool(false)) }
            #expect(token.utf8.count >= 32)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try command.settings().access == .token(token))
            command = try self.parse("serve --host 0.0.0.0 --database \(path).db", as: ServeCommand.self)
            #expect(command.tokenPath == path + ".db.token")
            #expect(try self.parse("serve", as: ServeCommand.self).tokenPath == nil)
        }
    }

    @Test func saysEverythingInTheSearchOfAnEndpoint() throws {
        func search(_ arguments: [String]) throws -> String {
            try #require(try WebTrackingTool.parseAsRoot(["query"] + arguments) as? QueryCommand).options.remoteSearch
        }
        #expect(try search([]) == "")
        #expect(try search(["a or b"]) == "(a or b)")
        let text = try search([
            "a or b", "--topic", "t", "--where", #"k e="v" \"#, "--where", "__tag__:x=y", "--where", "__source__=s",
        ])
        #expect(
            text == #"(a or b) and __topic__ = "t" and "k e" = "\"v\" \\" and __tag__:"x" = "y" and "__source__" = "s""#
        )
        #expect(
            try SearchExpression(parsing: text)
                == .and([
                    SearchExpression(parsing: "a or b"), .exact(.topic, "t"), .exact(.log("k e"), #""v" \"#),
                    .exact(.tag("x"), "y"), .exact(.source, "s"),
                ])
        )
    }

    @Test func takesTheTokenFromTheEnvironmentOrAFile() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appending(path: "token").path
            try "secret-of-the-file\n".write(toFile: file, atomically: true, encoding: .utf8)
            func token(_ arguments: [String]) throws -> String? {
                let command = try WebTrackingTool.parseAsRoot(["query", "--url", "http://127.0.0.1:1"] + arguments)
                let options = try #require(command as? QueryCommand).options
                let source = try options.source(environment: ["WEBTRACKING_TOKEN": "secret-of-the-environment"])
                return (source as? ServerSource)?.token
            }
            #expect(try token([]) == "secret-of-the-environment")
            #expect(try token(["--token-file", file]) == "secret-of-the-file")
            #expect(throws: (any Error).self) { try token(["--token-file", file + "x"]) }
        }
    }
}

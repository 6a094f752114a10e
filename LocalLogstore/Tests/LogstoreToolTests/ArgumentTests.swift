//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import ArgumentParser
import LocalLogstore
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
        "query --limit -1", "query --where x", "query --format csv", "query x", "what",
    ])
    func refuses(line: String) {
        #expect(throws: (any Error).self) {
            try WebTrackingTool.parseAsRoot(line.split(separator: " ").map(String.init))
        }
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
        #expect(command.options.timeout == 5)
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
        #expect(command.printer.fields == ["x", "y"])
        #expect(command.printer.format == .ndjson)
    }

    @Test func helpShowsExamples() {
        for command: any ParsableCommand.Type in [ServeCommand.self, SendCommand.self, QueryCommand.self] {
            let help = WebTrackingTool.helpMessage(for: command)
            #expect(help.contains("  webtracking \(command._commandName) ") || help.contains("  webtracking serve\n"))
        }
    }
}

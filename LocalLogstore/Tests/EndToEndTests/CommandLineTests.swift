// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import Testing

extension EndToEnd {
    @Suite("Command line")
    struct CommandLineTests {
        /// Runs `webtracking serve` in a directory of its own while `body` runs, then stops it with SIGTERM.
        ///
        /// `body` gets the directory and the options that make `send` ship to it.
        private func withServe(
            _ arguments: [String] = [],
            _ body: (URL, [String]) async throws -> Void
        ) async throws {
            try await withTemporaryDirectory { directory in
                let serve = try ChildProcess("webtracking", ["serve", "--port", "0"] + arguments, directory: directory)
                let line = try await serve.firstLine()
                let endpoint = try #require(line.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+/)?.output)
                do {
                    try await body(
                        directory,
                        ["send", "--endpoint", String(endpoint), "--project", "local", "--logstore", "app"]
                    )
                } catch {
                    serve.terminate()
                    throw error
                }
                serve.terminate()
                let outcome = try await serve.outcome()
                #expect(outcome.status == 0)
                #expect(outcome.output.contains("stopped"))
            }
        }

        private func run(
            _ arguments: [String],
            in directory: URL,
            input: String = ""
        ) async throws -> ChildProcess.Outcome {
            let process = try ChildProcess("webtracking", arguments, directory: directory)
            // In a task of its own, since neither side may wait for the other to read.
            async let outcome = process.outcome()
            try await process.write(input)
            return try await outcome
        }

        private func query(_ arguments: [String], in directory: URL) async throws -> [Substring] {
            let outcome = try await self.run(["query"] + arguments, in: directory)
            #expect(outcome.status == 0)
            return outcome.output.split(separator: "\n")
        }

        @Test(arguments: ["lz4", "deflate", "none"])
        func shipsEveryLineOnceAndInOrder(compression: String) async throws {
            try await self.withServe { directory, send in
                let count = 20_000
                let lines = (0..<count).map {
                    #"{"message":"line \#($0)","level":"info","n":\#($0),"user":{"id":"u"}}"#
                }
                let arguments =
                    send + ["--format", "ndjson", "--compression", compression, "--topic", "t", "--tag", "a=b"]
                let outcome = try await self.run(arguments, in: directory, input: lines.joined(separator: "\n") + "\n")
                #expect(outcome.status == 0)
                #expect(outcome.errors.contains("\(count) read, \(count) delivered"))
                let stored = try await self.query(
                    ["--topic", "t", "--fields", "n,message,user.id,__tag__:a"],
                    in: directory
                )
                #expect(stored == (0..<count).map { "\($0)\tline \($0)\tu\tb" })
                #expect(try await self.query(["--count"], in: directory) == ["\(count)"])
            }
        }

        @Test func shipsEveryLineThoughAThirdOfTheRequestsFail() async throws {
            try await self.withServe(["--fault-rate", "0.33", "--fault-kinds", "500,reset,reset-stored"]) {
                directory,
                send in
                let lines = (0..<20_000).map(String.init)
                let outcome = try await self.run(send, in: directory, input: lines.joined(separator: "\n"))
                #expect(outcome.status == 0)
                let stored = try await self.query(["--fields", "message"], in: directory).map(String.init)
                var seen: Set<String> = []
                #expect(stored.filter { seen.insert($0).inserted } == lines)
            }
        }

        @Test func shipsFilesAndLinesThatAreNoObjects() async throws {
            try await self.withServe { directory, send in
                try "one\ntwo".write(to: directory.appending(path: "a.log"), atomically: true, encoding: .utf8)
                try "three\n".write(to: directory.appending(path: "b.log"), atomically: true, encoding: .utf8)
                let outcome = try await self.run(
                    send + ["--format", "ndjson", "--level", "warning", "a.log", "-", "b.log"],
                    in: directory,
                    input: #"{"message":"x","level":"debug"}"#
                )
                #expect(outcome.status == 0)
                #expect(outcome.errors.contains("3 lines were no JSON objects"))
                #expect(
                    try await self.query(["--fields", "level,message"], in: directory)
                        == ["warning\tone", "warning\ttwo", "debug\tx", "warning\tthree"]
                )
            }
        }

        @Test func saysWhenNotEverythingWasDelivered() async throws {
            try await withTemporaryDirectory { directory in
                let port = try await withServer { server async throws in server.port }
                let arguments = [
                    "send", "--endpoint", "http://127.0.0.1:\(port)", "--project", "local", "--logstore", "app",
                    "--timeout", "0.5",
                ]
                let outcome = try await self.run(arguments, in: directory, input: "lost\n")
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("1 read, 0 delivered"))
                #expect(outcome.errors.contains("shutdown_deadline 1"))
                #expect(try await self.run(arguments + ["missing.log"], in: directory).status != 0)
            }
        }

        @Test func writesItsPort() async throws {
            try await self.withServe(["--port-file", "port.txt", "--logstore", "only"]) { directory, send in
                let port = try String(contentsOf: directory.appending(path: "port.txt"), encoding: .utf8)
                #expect(send.contains("http://127.0.0.1:\(port.dropLast())"))
                let refused = try await self.run(send + ["--timeout", "0.5"], in: directory, input: "x\n")
                #expect(refused.status == 1)
                #expect(try await self.query(["--count"], in: directory) == ["0"])
            }
        }

        @Test func refusesAQueryWithoutAFile() async throws {
            try await withTemporaryDirectory { directory in
                let outcome = try await self.run(["query"], in: directory)
                #expect(outcome.status != 0)
                #expect(outcome.errors.contains("--database"))
            }
        }

        @Test func searchesAndFollowsInTheTerminal() async throws {
            try await self.withServe { directory, send in
                let lines = (1...300).map {
                    #"{"message":"order \#($0) placed","level":"\#($0 % 100 == 0 ? "error" : "info")","n":\#($0)}"#
                }
                _ = try await self.run(
                    send + ["--format", "ndjson"],
                    in: directory,
                    input: lines.joined(separator: "\n") + "\n"
                )
                #expect(
                    try await self.query(["level: error and n > 100", "--fields", "n"], in: directory) == [
                        "200", "300",
                    ]
                )
                #expect(
                    try await self.query(["\"order 17 placed\" or placed not level: info", "--count"], in: directory)
                        == ["4"]
                )
                #expect(try await self.query(["placed", "--since", "1h", "--count"], in: directory) == ["300"])
                // In a pipe it is NDJSON.
                let object = try #require(try await self.query(["n = 5"], in: directory).first)
                #expect(object.hasPrefix("{") && object.contains(#""message":"order 5 placed""#))

                let wrong = try await self.run(["query", "level: error and"], in: directory)
                #expect(wrong.status != 0)
                #expect(
                    wrong.errors.contains("  level: error and\n                  ^\n  column 17: "),
                    "\(wrong.errors)"
                )
                let unknown = try await self.run(["query", "--logstore", "ap"], in: directory)
                #expect(unknown.status == 1 && unknown.errors.contains("there are some of app"))

                let tail = try ChildProcess(
                    "webtracking",
                    ["tail", "level: error", "--lines", "2", "--limit", "3", "--fields", "n"],
                    directory: directory
                )
                #expect(try await tail.firstLine() == "200")
                _ = try await self.run(
                    send + ["--format", "ndjson"],
                    in: directory,
                    input: #"{"level":"info","n":301}"# + "\n" + #"{"level":"error","n":302}"# + "\n"
                )
                let outcome = try await tail.outcome()
                #expect(outcome.status == 0 && outcome.output == "300\n302\n")
            }
        }

        /// The answers of a running endpoint are those of its file.
        @Test func asksARunningEndpoint() async throws {
            try await self.withServe { directory, send in
                let lines = (1...2_500).map {
                    #"{"message":"say \"\#($0)\" + 50%","level":"\#($0 % 1000 == 0 ? "error" : "info")","n":\#($0)}"#
                }
                _ = try await self.run(
                    send + ["--format", "ndjson", "--topic", "a & b"],
                    in: directory,
                    input: lines.joined(separator: "\n") + "\n"
                )
                for arguments in [
                    [], ["level: error"], ["level: error or n = 7", "--newest"], ["--newest", "--limit", "1200"],
                    ["--limit", "3"], ["--count"], ["n > 2000", "--count"], ["--count", "--limit", "10"], ["n = 0"],
                    ["--where", #"message=say "7" + 50%"#], ["--topic", "a & b", "n < 3"], ["--topic", "A"],
                    ["--where", "__topic__=a & b", "--since", "1h", "--fields", "n,__topic__", "n > 2499"],
                    ["--since", "2100-01-01T00:00:00Z"], ["--project", "other"], ["--logstore", "app", "n = 5"],
                ] {
                    let here = try await self.query(arguments, in: directory)
                    let there = try await self.query(arguments + ["--url", send[2]], in: directory)
                    #expect(here == there, "\(arguments)")
                }
                let unknown = try await self.run(["query", "--logstore", "ap", "--url", send[2]], in: directory)
                #expect(unknown.status == 1 && unknown.errors.contains("there are some of app"))
            }
        }

        @Test func followsAnEndpointThatKeepsLogsInMemory() async throws {
            try await self.withServe(["--in-memory", "--token-file", "token"]) { directory, send in
                let lines = #"{"level":"error","n":1}"# + "\n" + #"{"level":"info","n":2}"# + "\n"
                _ = try await self.run(send + ["--format", "ndjson"], in: directory, input: lines)
                let without = try await self.run(["query", "--url", send[2]], in: directory)
                #expect(without.status == 1 && without.errors.contains("--token-file"), "\(without.errors)")
                #expect(
                    try await self.query(["--fields", "n", "--url", send[2], "--token-file", "token"], in: directory)
                        == ["1", "2"]
                )
                let tail = try ChildProcess(
                    "webtracking",
                    [
                        "tail", "level: error", "--limit", "2", "--fields", "n", "--url", send[2], "--token-file",
                        "token",
                    ],
                    directory: directory
                )
                #expect(try await tail.firstLine() == "1")
                let more = #"{"level":"info","n":3}"# + "\n" + #"{"level":"error","n":4}"# + "\n"
                _ = try await self.run(send + ["--format", "ndjson"], in: directory, input: more)
                let outcome = try await tail.outcome()
                #expect(outcome.status == 0 && outcome.output == "4\n")
            }
        }

        @Test("tail ends when nobody reads any more, though no log comes")
        func endsWithItsReader() async throws {
            try await self.withServe { directory, send in
                _ = try await self.run(send, in: directory, input: "one\n")
                for arguments in [[], ["--url", send[2]]] {
                    let tail = try ChildProcess("webtracking", ["tail"] + arguments, directory: directory)
                    #expect(try await tail.firstLine().contains("one"))
                    #expect(try await tail.statusWithoutReader() == 0)
                }
            }
        }

        @Test("A pair of signals, as timeout sends, is one request to stop: what was read is delivered")
        func takesAPairOfSignalsForOne() async throws {
            // The answer comes three seconds after the line is stored.
            try await self.withServe(["--fault-rate", "1", "--fault-kinds", "slow"]) { directory, send in
                let process = try ChildProcess("webtracking", send, directory: directory)
                // It goes on reading: only the signals end it.
                try await process.write("read\n", isLast: false)
                let tail = try ChildProcess("webtracking", ["tail", "--limit", "1"], directory: directory)
                #expect(try await tail.firstLine().contains("read"))
                process.terminate()
                process.interrupt()
                let outcome = try await process.outcome()
                #expect(outcome.status == 130)
                #expect(outcome.errors.contains("interrupted, 1 records delivered, 0 dropped"), "\(outcome.errors)")
                #expect(try await self.query(["--fields", "message"], in: directory) == ["read"])
            }
        }

        @Test("At a signal a piece of a container's line and a line without its end are delivered, too")
        func deliversWhatItHolds() async throws {
            try await self.withServe { directory, send in
                let process = try ChildProcess("webtracking", send + ["--format", "ndjson"], directory: directory)
                try await process.write("read\n2026-01-02T03:04:05Z stdout P piece\nhalf", isLast: false)
                let tail = try ChildProcess("webtracking", ["tail", "--limit", "1"], directory: directory)
                #expect(try await tail.firstLine().contains("read"))
                process.terminate()
                let outcome = try await process.outcome()
                #expect(outcome.status == 130)
                #expect(outcome.errors.contains("interrupted, 3 records delivered, 0 dropped"), "\(outcome.errors)")
                #expect(
                    try await self.query(["--fields", "message"], in: directory).sorted() == ["half", "piece", "read"]
                )
            }
        }

        @Test("Lines that query has printed come back as they were, but for what is new with each request")
        func takesItsOwnLinesBack() async throws {
            func lines(_ directory: URL) async throws -> [String] {
                let outcome = try await self.run(["query", "--format", "ndjson"], in: directory)
                #expect(outcome.status == 0)
                return outcome.output.split(separator: "\n").map { line in
                    String(line).replacing(/"__receive_time__":"[^"]*",/, with: "")
                        .replacing(/"__tag__:__pack_id__":"[^"]*",?/, with: "")
                }
            }
            try await self.withServe { directory, send in
                let input = """
                    {"message":"m \\u001b \\n","level":"warn","label":"shop","time":"2026-01-02T03:04:05.678901234Z","n":1.50}
                    {"message":"second","seq":"7","o":{"a":[1]},"e":""}
                    """
                let ndjson = send + ["--format", "ndjson"]
                #expect(try await self.run(ndjson + ["--topic", "orders"], in: directory, input: input).status == 0)
                let first = try await lines(directory)
                let exported = try await self.run(["query"], in: directory).output
                try await self.withServe { other, send in
                    let back = send + ["--format", "ndjson"]
                    let outcome = try await self.run(back, in: other, input: exported)
                    #expect(outcome.status == 0 && !outcome.errors.contains("repaired"), "\(outcome.errors)")
                    #expect(first.count == 2 && first[0].contains(#""__topic__":"orders""#))
                    #expect(try await lines(other) == first)
                }
            }
        }

        @Test("Objects in one array, over several lines and in containers' lines, from files with a byte-order mark")
        func shipsObjectsHoweverTheyStand() async throws {
            try await self.withServe { directory, send in
                // Of the size that Docker cuts long lines at.
                let piece = String(repeating: "_", count: 16_384)
                let files = [
                    "array.json": "\u{FEFF}[{\"msg\":\"one\",\"level\":50},\n {\"msg\":\"two\"}]",
                    "pretty.json":
                        "{\n  \"msg\": \"three\",\n  \"o\": {\n    \"a\": 1\n  }\n}\n{\n  \"msg\": \"four\"\n}\n",
                    "docker.json": #"{"log":"\#(piece)","stream":"stdout","time":"2026-01-02T03:04:05Z"}"# + "\n"
                        + #"{"log":"five\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}"# + "\n",
                    "cri.log": "2026-01-02T03:04:05Z stderr F {\"msg\":\"six\",\"level\":\"warn\"}\n",
                ]
                for (name, text) in files {
                    try text.write(to: directory.appending(path: name), atomically: true, encoding: .utf8)
                }
                let outcome = try await self.run(
                    send + ["--format", "ndjson", "array.json", "pretty.json", "docker.json", "cri.log"],
                    in: directory
                )
                #expect(outcome.status == 0 && !outcome.errors.contains("warning"), "\(outcome.errors)")
                #expect(
                    try await self.query(["--full", "--fields", "level,message,o.a,stream"], in: directory) == [
                        "error\tone\t\t", "info\ttwo\t\t", "info\tthree\t1\t", "info\tfour\t\t",
                        "info\t\(piece)five\t\tstdout", "warning\tsix\t\tstderr",
                    ]
                )
            }
        }

        @Test("The address that serve prints can be asked, also one of IPv6")
        func asksAtAnAddressOfIPv6() async throws {
            try await withTemporaryDirectory { directory in
                let serve = try ChildProcess(
                    "webtracking",
                    ["serve", "--host", "::1", "--port", "0", "--in-memory"],
                    directory: directory
                )
                let line = try await serve.firstLine()
                let url = String(try #require(line.firstMatch(of: /http:\/\/\[::1\]:\d+/)?.output, "\(line)"))
                let send = ["send", "--endpoint", url, "--project", "local", "--logstore", "app"]
                #expect(try await self.run(send, in: directory, input: "hello\n").status == 0)
                #expect(try await self.query(["--url", url, "--fields", "message"], in: directory) == ["hello"])
                let secure = try await self.run(["query", "--url", "https" + url.dropFirst(4)], in: directory)
                #expect(
                    secure.errors.hasSuffix(": it does not speak TLS; write http:// in --url\n"),
                    "\(secure.errors)"
                )
                serve.terminate()
                #expect(try await serve.outcome().status == 0)
            }
        }

        @Test func saysThatNoEndpointAnswers() async throws {
            try await withTemporaryDirectory { directory in
                let port = try await withServer { server async throws in server.port }
                let outcome = try await self.run(["query", "--url", "http://127.0.0.1:\(port)"], in: directory)
                #expect(outcome.status == 1 && outcome.errors.contains("does not answer"), "\(outcome.errors)")
            }
        }

        @Test func saysPlainlyThatThePortIsTaken() async throws {
            try await self.withServe { directory, send in
                let port = try #require(send.joined().firstMatch(of: /127\.0\.0\.1:(\d+)/)?.output.1)
                let second = try await self.run(["serve", "--port", String(port), "--in-memory"], in: directory)
                #expect(second.status == 1)
                #expect(second.errors.contains("port \(port) is in use"), "\(second.errors)")
            }
        }

        @Test func givesUpWhenNothingCanBeDelivered() async throws {
            try await withTemporaryDirectory { directory in
                let port = try await withServer { server async throws in server.port }
                // More than half of the memory the library takes by default.
                let line = String(repeating: "x", count: 100_000)
                let input = [String](repeating: line, count: 700).joined(separator: "\n")
                try input.write(to: directory.appending(path: "large.log"), atomically: true, encoding: .utf8)
                let outcome = try await self.run(
                    [
                        "send", "--endpoint", "http://127.0.0.1:\(port)", "--project", "local", "--logstore", "app",
                        "--timeout", "1", "large.log",
                    ],
                    in: directory
                )
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("nothing could be delivered for 1.0 seconds"), "\(outcome.errors)")
            }
        }

        @Test func clearsAnEndpointAndAFile() async throws {
            try await self.withServe { directory, send in
                let url = try #require(send.firstIndex(of: "--endpoint").map { send[$0 + 1] })
                for (logstore, text) in [("app", "one\ntwo"), ("other", "three")] {
                    let arguments = send.dropLast() + [logstore]
                    #expect(try await self.run(Array(arguments), in: directory, input: text + "\n").status == 0)
                }
                // Nobody can be asked here.
                let unasked = try await self.run(["clear", "--url", url], in: directory)
                #expect(unasked.status == 64 && unasked.errors.contains("say --yes"))
                let served = try await self.run(["clear", "--yes"], in: directory)
                #expect(served.status == 1 && served.errors.contains("served at present; clear it with --url"))
                let empty = try await self.run(["clear", "--url", url, "--yes", "--logstore", ""], in: directory)
                #expect(empty.status == 64 && empty.errors.contains("--logstore is empty"))
                #expect(try await self.query([], in: directory).count == 3)
                let one = try await self.run(["clear", "--url", url, "--yes", "--logstore", "app"], in: directory)
                #expect(one.output == "webtracking: removed 2 logs and 1 delivery\n")
                #expect(try await self.query([], in: directory).count == 1)
                let unknown = try await self.run(["clear", "--url", "http://127.0.0.1:1", "--yes"], in: directory)
                #expect(unknown.status == 1 && unknown.errors.contains("does not answer"))
            }
            try await withTemporaryDirectory { directory in
                let none = try await self.run(["clear", "--yes"], in: directory)
                #expect(none.status == 64 && none.errors.contains("There is no file webtracking.sqlite"))
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
                let file = directory.appending(path: "webtracking.sqlite").path
                let store = try LogStore(path: file)
                try await store.append(
                    LogGroup(topic: "", source: "", tags: [], logs: [LogFields([Field("a", "b")])]),
                    project: "p",
                    logstore: "l"
                )
                try store.close()
                let all = try await self.run(["clear", "--yes"], in: directory)
                #expect(all.output == "webtracking: removed 1 log and 0 deliveries\n")
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["webtracking.sqlite"])
                #expect(try await self.query([], in: directory) == [])
            }
        }

        private func expectStatistics(_ source: [String], in directory: URL) async throws {
            let question = "ms > 1 | select path, count(*) as n, avg(ms) group by path order by n"
            let first = try await self.run(["query", question + " limit 1"] + source, in: directory)
            #expect(first.output == #"{"path":"/0","n":1,"avg(ms)":2}"# + "\n")
            #expect(first.errors.contains("these are the first 1 rows"))
            let all = try await self.run(["query", question, "--format", "text"] + source, in: directory)
            #expect(all.output == "path  n  avg(ms)\n/0    1        2\n/1    2        4\n")
        }

        @Test func printsStatisticsOfAFileAndAnEndpoint() async throws {
            try await self.withServe { directory, send in
                let url = try #require(send.firstIndex(of: "--endpoint").map { send[$0 + 1] })
                let input = """
                    {"message":"m","ms":"1","path":"/1"}
                    {"message":"m","ms":"2","path":"/0"}
                    {"message":"m","ms":"3","path":"/1"}
                    {"message":"m","ms":"5","path":"/1"}

                    """
                #expect(try await self.run(send + ["--format", "ndjson"], in: directory, input: input).status == 0)
                try await self.expectStatistics([], in: directory)
                try await self.expectStatistics(["--url", url], in: directory)
            }
        }

        @Test(arguments: [
            (["query", "| select median(ms)"], "there is no function median; there are abs,"),
            (["query", "--count", "| select ms"], "Say in the statement"),
            (["tail", "| select ms"], "use webtracking query"),
        ])
        func saysWhatIsWrongWithStatistics(arguments: [String], message: String) async throws {
            try await withTemporaryDirectory { directory in
                let outcome = try await self.run(arguments, in: directory)
                #expect(outcome.status == 64 && outcome.errors.contains(message))
            }
        }
    }
}

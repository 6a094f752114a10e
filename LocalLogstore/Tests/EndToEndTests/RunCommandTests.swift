// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension EndToEnd {
    /// `webtracking run`, with real programs.
    @Suite("webtracking run")
    struct RunCommandTests: RunsPrograms {
        @Test func passesOnAndShipsEachLine() async throws {
            try await withServer { server async throws in
                let text =
                    #"echo one; echo 'WARN two' >&2; echo '{"level":"debug","msg":"three","n":3}'; printf four; exit 3"#
                let outcome = try await self.run(self.shell(text), port: server.port)
                #expect(outcome.status == 3)
                #expect(outcome.output == "one\n{\"level\":\"debug\",\"msg\":\"three\",\"n\":3}\nfour")
                #expect(outcome.errors == "WARN two\n")
                let (lines, end) = try await self.logs(server)
                let names = ["level", "message", "stream", "label"]
                let rows = lines.map { log in names.map { log[$0] ?? "" }.joined(separator: " ") }
                #expect(
                    Set(rows) == [
                        "info one stdout sh", "warning WARN two stderr sh", "debug three stdout sh",
                        "info four stdout sh",
                    ]
                )
                #expect(end?["level"] == "error" && end?["exit_status"] == "3" && end?["lines"] == "4")
                #expect(end?["lines_dropped"] == "0")
                #expect(end?["run_seconds"] != nil && end?["peak_memory_bytes"] != nil)
            }
        }

        @Test(arguments: [("SEGV", 11, "SIGSEGV"), ("KILL", 9, "SIGKILL"), ("ABRT", 6, "SIGABRT")])
        func aSignalIsItsNumberAnd128(name: String, number: Int32, fullName: String) async throws {
            try await withServer { server async throws in
                let outcome = try await self.run(self.shell("echo last; kill -\(name) $$"), port: server.port)
                #expect(outcome.status == 128 + number && outcome.output == "last\n")
                let (lines, end) = try await self.logs(server)
                #expect(lines.map { $0["message"] } == ["last"])
                #expect(end?["level"] == "critical" && end?["signal_name"] == fullName && end?["signal"] == "\(number)")
            }
        }

        @Test func theBacktraceOfACrashIsOneRecord() async throws {
            try await withServer { server async throws in
                let outcome = try await self.run(self.child("fatal", 2), port: server.port)
                #expect(outcome.status > 128)
                let (lines, end) = try await self.logs(server)
                #expect(lines.count(where: { $0["message"]?.hasPrefix("line ") == true }) == 2)
                let crash = lines.filter { $0["level"] == "critical" }
                #expect(crash.contains { $0["message"]?.contains("Fatal error: that was it") == true })
                let backtraces = crash.filter { $0["message"]?.contains("Program crashed: ") == true }
                #expect(backtraces.count == 1)
                let text = backtraces.first?["message"] ?? ""
                #expect(
                    text.contains("Thread 0") && text.contains("Backtrace took "),
                    "\(outcome.output) \(outcome.errors)"
                )
                // Nothing of it is in a record of its own.
                #expect(lines.count == 2 + crash.count && crash.count <= 2)
                #expect(end?["signal"] != nil)
            }
        }

        @Test func anErrorThatNobodyCatchesIsOneRecord() async throws {
            try await withServer { server async throws in
                let outcome = try await self.run(self.child("uncaught", 0), port: server.port)
                #expect(outcome.status > 0)
                let crash = try await self.logs(server).lines.filter { $0["level"] == "critical" }
                #expect(crash.contains { $0["message"]?.contains("Failure()") == true })
            }
        }

        @Test(
            "A process that is left behind does not hold it up, silent or not",
            arguments: ["cat <&3", "while echo y; do :; done"]
        )
        func endsWithItsProgram(command: String) async throws {
            try await withServer { server async throws in
                let text = "echo first; exec 3<&0; \(command) & exit 4"
                let options = ["--linger", "0.2", "--timeout", "2"]
                let process = try self.start(self.shell(text), options, port: server.port)
                // As long as it is left behind: cat, until its input ends.
                #expect(try await process.lastLine()?.isEmpty == false)
                try await process.write("")
                #expect(try await process.outcome().status == 4)
                #expect(try await server.store.count() > 0)
            }
        }

        @Test func signalsArePassedOn() async throws {
            try await withServer { server async throws in
                let trap = "trap 'echo stopping; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
                let process = try self.start(self.shell(trap), port: server.port)
                #expect(try await process.firstLine() == "ready")
                process.terminate()
                let outcome = try await process.outcome()
                #expect(outcome.status == 5 && outcome.output == "stopping\n")
                #expect(try await self.logs(server).lines.map { $0["message"] } == ["ready", "stopping"])

                let other = try self.start(self.shell("echo ready; exec sleep 100"), port: server.port)
                #expect(try await other.firstLine() == "ready")
                other.terminate()
                #expect(try await other.outcome().status == 128 + SIGTERM)
                let end = try await self.logs(server).end
                #expect(end?["level"] == "notice" && end?["signal_name"] == "SIGTERM")
            }
        }

        /// Under nohup, and below a parent that wants to hear nothing of its children.
        @Test func whatIsIgnoredStaysSo() async throws {
            try await withServer { server async throws in
                let outcome = try await self.run(
                    self.shell("kill -HUP $$; echo survived; exit 4"),
                    port: server.port,
                    under: ["/bin/sh", "-c", "trap '' HUP CHLD; exec \"$@\"", "sh"]
                )
                #expect(outcome.status == 4 && outcome.output == "survived\n")
            }
        }

        #if os(Linux)
        @Test func theProgramGetsNoFileOfOurs() async throws {
            try await withServer { server async throws in
                let list = ["ls", "/proc/self/fd"]
                let both = ["/bin/sh", "-c", "\(list.joined(separator: " ")); exec \"$@\"", "sh"]
                let outcome = try await self.run(list, port: server.port, under: both)
                // Twice the same, with one of ls's own.
                let lines = outcome.output.split(separator: "\n")
                #expect(lines.count >= 8 && lines.prefix(lines.count / 2) == lines.suffix((lines.count + 1) / 2))
            }
        }
        #endif

        @Test func anEndpointThatIsDownChangesNothingForTheProgram() async throws {
            let port = try await withServer { server async throws in server.port }
            let outcome = try await self.run(self.shell("seq 1 1000; exit 3"), ["--timeout", "0.2"], port: port)
            #expect(outcome.status == 3 && outcome.output == (1...1000).map { "\($0)\n" }.joined())
            #expect(outcome.errors.contains("1000 lines read, 0 dropped"))
        }

        @Test func aSpoolKeepsTheLinesForTheNextStart() async throws {
            try await withTemporaryDirectory { directory in
                let options = ["--spool", directory.appending(path: "spool").path, "--timeout", "0.2"]
                let port = try await withServer { server async throws in server.port }
                let outcome = try await self.run(self.shell("echo kept; kill -KILL $$"), options, port: port)
                #expect(outcome.status == 137)
                try await withServer { server async throws in
                    let next = options.dropLast() + ["30"]
                    #expect(try await self.run(["echo", "next"], Array(next), port: server.port).status == 0)
                    let logs = try await server.store.logs(matching: LogQuery(logstore: "run")).map(\.log)
                    #expect(logs.contains { $0["message"] == "kept" } && logs.contains { $0["message"] == "next" })
                    #expect(logs.contains { $0["signal_name"] == "SIGKILL" })
                    // It was stopped in order: nobody's end is told.
                    #expect(!logs.contains { $0["label"] == "webtracking" })
                }
            }
        }

        @Test func whatCannotBeStartedIsSaid() async throws {
            try await withServer { server async throws in
                let missing = try await self.run(["/no/such/program"], port: server.port)
                #expect(
                    missing.status == 127 && missing.errors.contains("/no/such/program cannot be started: No such file")
                )
                #expect(try await self.run(["/etc/passwd"], port: server.port).status == 126)
                let end = try await self.logs(server).end
                #expect(end?["level"] == "critical" && end?["program"] == "passwd")
            }
        }

        #if os(Linux)
        private static let namespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]

        /// Whether this user may make one: root mostly, and not in every container.
        private static var hasNamespaces: Bool {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = self.namespace + ["true"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }

        @Test("As process 1 it collects all, and takes nothing from its own", .enabled(if: Self.hasNamespaces))
        func collectsAsProcess1() async throws {
            try await withServer { server async throws in
                // Each is left by its parent, and ends with a status of its own. As long as one lives, cat has no end.
                let orphans = "for i in 1 2 3 4 5 6 7 8; do (sh -c 'exit 9' &); done | cat; "
                let count = "grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l"
                let zombies = "i=0; while [ $(\(count)) != 0 ] && [ $i -lt 100 ]; do i=$((i+1)); done; \(count); exit 7"
                let outcome = try await self.run(
                    self.shell(orphans + zombies),
                    port: server.port,
                    under: Self.namespace
                )
                #expect(outcome.status == 7 && outcome.output == "0\n")
                #expect(try await self.logs(server).end?["exit_status"] == "7")
            }
        }
        #endif
    }
}

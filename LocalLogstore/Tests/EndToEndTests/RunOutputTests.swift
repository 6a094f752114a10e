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
    /// What whoever reads the output of `webtracking run` sees, and what becomes of it without a reader.
    @Suite("The output of webtracking run")
    struct RunOutputTests: RunsPrograms {
        @Test func changesNoByte() async throws {
            try await withTemporaryDirectory { directory in
                let original = directory.appending(path: "original")
                let copy = directory.appending(path: "copy")
                try Data((0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }).write(to: original)
                try await withServer { server async throws in
                    let tool = ChildProcess.program("webtracking").path
                    let target = "--endpoint http://127.0.0.1:\(server.port) --project local --logstore run"
                    let shell = try ChildProcess(
                        "webtracking",
                        [],
                        under: self.shell("'\(tool)' run \(target) -- cat '\(original.path)' >'\(copy.path)'")
                    )
                    #expect(try await shell.outcome().status == 0)
                }
                #expect(try Data(contentsOf: original) == Data(contentsOf: copy))
            }
        }

        @Test func whatItsReaderHoldsBackTheProgramWaitsFor() async throws {
            try await withTemporaryDirectory { directory in
                try await withServer { server async throws in
                    let mark = directory.appending(path: "written").path
                    let text = "seq -f '%0100.f' 1 5000; touch '\(mark)'"
                    let process = try self.start(self.shell(text), port: server.port)
                    // It has read as far as it can.
                    while try await server.store.count() == 0 { await Task.yield() }
                    #expect(!FileManager.default.fileExists(atPath: mark))
                    let outcome = try await process.outcome()
                    #expect(outcome.status == 0)
                    let lines = outcome.output.split(separator: "\n")
                    #expect(lines.map { Int($0) } == Array(1...5000) && lines.allSatisfy { $0.utf8.count == 100 })
                    #expect(FileManager.default.fileExists(atPath: mark))
                    let logs = try await self.logs(server)
                    #expect(logs.end?["lines"] == "5000" && logs.lines.count == 5000)
                }
            }
        }

        @Test func aReaderThatIsGoneEndsTheProgram() async throws {
            try await withServer { server async throws in
                let process = try self.start(["yes"], port: server.port)
                #expect(try await process.firstLine() == "y")
                // Where these tests are started with SIGPIPE ignored, that stays so, and it is told of an error.
                #expect([128 + SIGPIPE, 1].contains(try await process.statusWithoutReader()))
            }
        }

        @Test("A closed standard output takes nothing that is not written to it")
        func whatIsClosedIsNothingElse() async throws {
            try await withServer { server async throws in
                // As signals, these bytes would end it.
                let outcome = try await self.run(
                    self.shell("printf '\\t\\t\\t\\t'; echo alive >&2; exit 6"),
                    port: server.port,
                    under: ["/bin/sh", "-c", "exec \"$@\" <&- >&-", "sh"]
                )
                #expect(outcome.status == 6 && outcome.errors == "alive\n")
            }
        }

        @Test func aTerminalIsOneForBothStreams() async throws {
            try await withServer { server async throws in
                let text = "test -t 1 && test -t 2 && echo terminal; echo error >&2"
                let outcome = try await self.run(self.shell(text), ["--tty"], port: server.port)
                #expect(outcome.status == 0 && outcome.output == "terminal\nerror\n" && outcome.errors.isEmpty)
                #expect(try await self.logs(server).lines.map { $0["message"] } == ["terminal", "error"])
            }
        }

        #if os(Linux)
        @Test func whatADiskHasNoRoomForIsCounted() async throws {
            try await withServer { server async throws in
                let full = ["/bin/sh", "-c", "exec \"$@\" >/dev/full", "sh"]
                for isQuiet in [false, true] {
                    let options = isQuiet ? ["--quiet"] : []
                    let outcome = try await self.run(
                        self.shell("echo one; exit 3"),
                        options,
                        port: server.port,
                        under: full
                    )
                    #expect(outcome.status == 3)
                    let told = ["cannot be passed on: No space left", "; 4 bytes of output not passed on"]
                    #expect(told.allSatisfy { outcome.errors.contains($0) != isQuiet }, "\(outcome.errors)")
                    let (lines, end) = try await self.logs(server)
                    #expect(lines.last?["message"] == "one" && end?["bytes_not_passed_on"] == "4")
                }
            }
        }
        #endif

        @Test("Who does not read at all does not hold up the end", .timeLimit(.minutes(1)))
        func endsWithoutItsReader() async throws {
            try await withServer { server async throws in
                let text = "seq -f '%0100.f' 1 1000; exit 5"
                let process = try self.start(self.shell(text), ["--linger", "0", "--timeout", "4"], port: server.port)
                #expect(await process.status() == 5)
                let (lines, end) = try await self.logs(server)
                #expect(lines.count == 1000 && end?["lines"] == "1000")
                #expect((end?["bytes_not_passed_on"]).flatMap { Int($0) }.map { $0 > 0 && $0 < 101_000 } == true)
            }
        }
    }
}

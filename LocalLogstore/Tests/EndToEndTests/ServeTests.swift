// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import Testing

extension EndToEnd {
    /// How `webtracking serve` begins and ends.
    @Suite("Serve")
    struct ServeTests {
        /// Starts it on a free port; returns the process and its address.
        private func serve(
            _ arguments: [String] = [],
            in directory: URL,
            under command: [String] = []
        ) async throws -> (ChildProcess, String) {
            let process = try ChildProcess(
                "webtracking",
                ["serve", "--port", "0"] + arguments,
                directory: directory,
                under: command
            )
            let line = try await process.firstLine()
            let port = try #require(line.firstMatch(of: /http:\/\/[0-9.]+:(\d+)/)?.output.1, "\(line)")
            return (process, "http://127.0.0.1:\(port)")
        }

        private func run(_ arguments: [String], in directory: URL) async throws -> ChildProcess.Outcome {
            try await ChildProcess("webtracking", arguments, directory: directory).outcome()
        }

        private func send(_ url: String, in directory: URL) async throws {
            let arguments = ["send", "--endpoint", url, "--project", "local", "--logstore", "app", "in.log"]
            try "one\ntwo\n".write(to: directory.appending(path: "in.log"), atomically: true, encoding: .utf8)
            #expect(try await self.run(arguments, in: directory).status == 0)
        }

        @Test func leavesOneFileThatHoldsEverything() async throws {
            try await withTemporaryDirectory { directory in
                let (process, url) = try await self.serve(in: directory)
                try await self.send(url, in: directory)
                for path in ["logs", "status", "overview", "deliveries"] {
                    #expect(try await status(of: "\(url)/api/\(path)") == 200)
                }
                process.terminate()
                #expect(try await process.outcome().status == 0)
                let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
                #expect(files.filter { $0.hasPrefix("webtracking") } == ["webtracking.sqlite"])
                let store = try LogStore(readingFrom: directory.appending(path: "webtracking.sqlite").path)
                #expect(try await store.count() == 2)
                try store.close()
            }
        }

        @Test func keepsASecondOneOffItsFile() async throws {
            try await withTemporaryDirectory { directory in
                let (process, url) = try await self.serve(in: directory)
                try await self.send(url, in: directory)
                let second = try await self.run(["serve", "--port", "0"], in: directory)
                #expect(second.status == 1 && second.output.isEmpty)
                #expect(
                    second.errors == "webtracking: webtracking.sqlite is in use by another \"webtracking serve\"; "
                        + "stop that, or choose another file with --database\n"
                )
                // A lock that outlives its owner would keep everybody off.
                process.kill()
                #expect(try await process.outcome().status == -9)
                let (third, _) = try await self.serve(in: directory)
                third.terminate()
                #expect(try await third.outcome().status == 0)
                #expect(try await self.run(["query", "--count"], in: directory).output == "2\n")
            }
        }

        /// Answers are lost all the time, and with each kill those of all who wait.
        @Test func killedOrNotItStoresANumberedWriteOnce() async throws {
            try await withTemporaryDirectory { directory in
                try "id secret\n".write(to: directory.appending(path: "keys"), atomically: true, encoding: .utf8)
                let options = ["--access-keys", "keys", "--fault-rate", "0.4", "--fault-kinds", "reset-stored,cut"]
                var writers = (1...4).map(NumberedWriter.init)
                for round in 1...4 {
                    let (process, url) = try await self.serve(options, in: directory)
                    let port = try #require(URL(string: url)?.port)
                    writers = try await NumberedWriter.run(writers, upTo: round * 100, port: port, kill: process.kill)
                    #expect(try await process.outcome().status == -9)
                }
                #expect(writers.reduce(0) { $0 + $1.refused } > 0)
                let store = try LogStore(readingFrom: directory.appending(path: "webtracking.sqlite").path)
                let stored = try await store.logs().compactMap { $0.log["message"] }
                for writer in writers {
                    let own = stored.filter { $0.hasPrefix("\(writer.number): ") }
                    let known: [String] = (1..<writer.next).map { "\(writer.number): \($0)" }
                    // The one under way may be stored or not.
                    #expect(own == known || own == known + ["\(writer.number): \(writer.next)"], "\(own)")
                }
                try store.close()
            }
        }

        /// Gives a command a disk of two megabytes in the folder, which nobody else sees and which ends with it.
        private static func withSmallDisk(_ folder: String) -> [String] {
            [
                "unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$@\"", folder,
            ]
        }

        /// Root may not mount in every container, and others nowhere.
        private static let canMount: Bool = {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = Self.withSmallDisk("/mnt") + ["true"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }()

        @Test(.enabled(if: Self.canMount, "needs the right to mount"))
        func aFullDiskIsToldAndSendersKeepTheirLogs() async throws {
            try await withTemporaryDirectory { directory in
                let disk = directory.appending(path: "disk").path
                try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
                let (process, url) = try await self.serve(
                    ["--database", disk + "/logs.sqlite"],
                    in: directory,
                    under: Self.withSmallDisk(disk)
                )
                let lines = String(
                    repeating: "a line of a log that takes some room on a disk, and is not short\n",
                    count: 30_000
                )
                try lines.write(to: directory.appending(path: "in.log"), atomically: true, encoding: .utf8)
                let outcome = try await self.run(
                    ["send", "--endpoint", url, "--project", "local", "--logstore", "app", "--timeout", "3", "in.log"],
                    in: directory
                )
                #expect(outcome.status == 1, "\(outcome)")
                // The records are there still, and nothing is counted as delivered that is not stored.
                let status = try await text(of: "\(url)/api/status")
                #expect(status.contains(#""reason":"full""#) && status.contains(disk), "\(status)")
                let stored = try #require(status.firstMatch(of: /"logs":(\d+)/)?.output.1)
                let delivered = try #require(outcome.errors.firstMatch(of: /([\d,]+) delivered/)?.output.1)
                #expect(delivered.replacing(",", with: "") == stored, "\(outcome.errors) \(status)")
                process.terminate()
                let end = try await process.outcome()
                #expect(
                    end.errors.contains("webtracking: logs are refused: there is no room for \(disk)/logs.sqlite ("),
                    "\(end.errors)"
                )
                #expect(end.errors.contains("refused, 507 InsufficientStorage") && end.output.contains(" x 507"))
                #expect(!end.output.contains(" x 500"), "\(end.output)")
            }
        }

        @Test func aDatabaseThatIsRemovedIsNoticedUntilTheNextStart() async throws {
            try await withTemporaryDirectory { directory in
                let (process, url) = try await self.serve(in: directory)
                try await self.send(url, in: directory)
                for name in try FileManager.default.contentsOfDirectory(atPath: directory.path)
                where name.hasPrefix("webtracking.sqlite") && !name.hasSuffix(".lock") {
                    try FileManager.default.removeItem(at: directory.appending(path: name))
                }
                let log = "/logstores/app/track?APIVersion=0.6.0&k=v"
                #expect(try await status(of: url + log) == 503)
                process.terminate()
                let end = try await process.outcome()
                #expect(
                    end.errors.contains(
                        "webtracking: logs are refused: webtracking.sqlite was removed or replaced; "
                            + "start the endpoint anew to store logs again\n"
                    ),
                    "\(end.errors)"
                )
                let (next, again) = try await self.serve(in: directory)
                #expect(try await status(of: again + log) == 200)
                next.terminate()
                #expect(try await next.outcome().status == 0)
                #expect(try await self.run(["query", "--count"], in: directory).output == "1\n")
            }
        }

        @Test func namesADatabaseThatItCannotOpen() async throws {
            try await withTemporaryDirectory { directory in
                let other = directory.appending(path: "other.sqlite")
                try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
                let outcome = try await self.run(["serve", "--port", "0", "--database", "other.sqlite"], in: directory)
                #expect(outcome.status == 1 && outcome.output.isEmpty)
                #expect(
                    outcome.errors.hasPrefix("webtracking: cannot open the database other.sqlite: "),
                    "\(outcome.errors)"
                )
                #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
            }
        }

        @Test func leavesNoTokenOfLogsInMemory() async throws {
            try await withTemporaryDirectory { directory in
                let token = directory.appending(path: "webtracking.token").path
                let (process, url) = try await self.serve(["--in-memory", "--host", "0.0.0.0"], in: directory)
                #expect(FileManager.default.fileExists(atPath: token))
                #expect(try await status(of: "\(url)/api/logs") == 401)
                // One that cannot listen takes nothing away from the first.
                let port = try #require(url.split(separator: ":").last)
                let second = try await self.run(
                    ["serve", "--in-memory", "--host", "0.0.0.0", "--port", String(port)],
                    in: directory
                )
                #expect(second.status == 1 && second.errors.hasPrefix("webtracking: port \(port) is in use"))
                #expect(second.errors.split(separator: "\n").count == 1, "\(second.errors)")
                #expect(FileManager.default.fileExists(atPath: token))
                process.terminate()
                #expect(try await process.outcome().status == 0)
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
            }
        }

        @Test func keepsATokenThatWasNamed() async throws {
            try await withTemporaryDirectory { directory in
                let (process, _) = try await self.serve(["--in-memory", "--token-file", "mine"], in: directory)
                process.terminate()
                #expect(try await process.outcome().status == 0)
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["mine"])
            }
        }

        @Test func saysThatTheSchemeIsMissing() async throws {
            try await withTemporaryDirectory { directory in
                let (process, url) = try await self.serve(["--in-memory"], in: directory)
                let host = url.dropFirst("http://".count)
                try "x\n".write(to: directory.appending(path: "in.log"), atomically: true, encoding: .utf8)
                let outcome = try await self.run(
                    [
                        "send", "--endpoint", String(host), "--project", "local", "--logstore", "app", "--timeout",
                        "0.5", "in.log",
                    ],
                    in: directory
                )
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("try --endpoint \(url)\n"), "\(outcome.errors)")
                #expect(!outcome.errors.contains("SSL"), "\(outcome.errors)")
                process.terminate()
                #expect(try await process.outcome().status == 0)
            }
        }

        @Test func namesAnUnknownOption() async throws {
            try await withTemporaryDirectory { directory in
                let outcome = try await self.run(["query", "-hello"], in: directory)
                #expect(outcome.status == 64 && outcome.output.isEmpty)
                #expect(outcome.errors.contains("Unknown option '-hello'") && outcome.errors.contains("query -- "))
            }
        }
    }
}

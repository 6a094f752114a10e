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
        private func serve(_ arguments: [String] = [], in directory: URL) async throws -> (ChildProcess, String) {
            let process = try ChildProcess("webtracking", ["serve", "--port", "0"] + arguments, directory: directory)
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

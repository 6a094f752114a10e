// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Subprocess
import Testing
import WebTrackingTestKit

@Suite(.timeLimit(.minutes(10))) struct LineCountTests {
    private let program = Program(name: "line-count")

    /// A folder with a file of three lines, removed at the end.
    private func withFile<Result>(_ body: (_ folder: URL, _ file: String) async throws -> Result) async throws -> Result
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "line-count-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "three.txt")
        try Data("a\nb\nc\n".utf8).write(to: file)
        return try await body(folder, file.path())
    }

    @Test func everyLineIsThereWhenTheToolHasEnded() async throws {
        let logstore = try Logstore()
        try await self.withFile { folder, file in
            let missing = folder.appending(path: "missing.txt").path()
            let result = try await run(
                self.program.executable,
                arguments: [file, missing],
                environment: logstore.environment,
                output: .string(limit: 4096)
            )
            #expect(result.terminationStatus == .exited(1))
            #expect(result.standardOutput == "3 \(file)\n")
            let lines = try logstore.lines
            #expect(lines.map { $0["message"] } == ["file counted", "file not counted", "count finished"])
            #expect(lines.map { $0["path"] } == [file, missing, nil])
            #expect(lines[1]["level"] == "error" && lines[1]["error.type"] != nil)
            #expect(lines[2]["lines"] == "3" && lines[2]["unreadable"] == "1")
        }
    }

    @Test func aFileIsADestinationToo() async throws {
        try await self.withFile { folder, file in
            let log = folder.appending(path: "log.ndjson")
            let result = try await run(
                self.program.executable,
                arguments: [file],
                environment: .inherit.updating(["WEBTRACKING_ENDPOINT": "file://\(log.path())"]),
                output: .string(limit: 4096)
            )
            #expect(result.terminationStatus == .exited(0))
            let lines = try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.last?.contains(#""message":"count finished""#) == true)
        }
    }

    @Test func logsThatCannotBeDeliveredChangeNothing() async throws {
        // It takes requests and never answers, as the worst of endpoints does.
        let logstore = try Logstore(otherwise: .never)
        try await self.withFile { _, file in
            let result = try await run(
                self.program.executable,
                arguments: [file],
                environment: logstore.environment,
                output: .string(limit: 4096),
                error: .string(limit: 4096)
            )
            #expect(result.terminationStatus == .exited(0))
            #expect(result.standardOutput == "3 \(file)\n")
            // Nothing is lost in silence.
            #expect(result.standardError.contains("left 2"))
        }
    }

    @Test(arguments: ["WEBTRACKING_ENDPOINT", "WEBTRACKING_PROJECT", "WEBTRACKING_LOGSTORE"])
    func whatIsMissingIsNamed(variable: String) async throws {
        let logstore = try Logstore()
        let result = try await run(
            self.program.executable,
            environment: logstore.environment.updating([Environment.Key(stringLiteral: variable): nil]),
            output: .discarded,
            error: .string(limit: 4096)
        )
        #expect(result.terminationStatus == .exited(2))
        #expect(result.standardError == "line-count: \(variable) is not set\n")
    }
}

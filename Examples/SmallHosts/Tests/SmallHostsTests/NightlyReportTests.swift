// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Subprocess
import Testing
import WebTrackingTestKit

@Suite(.timeLimit(.minutes(10))) struct NightlyReportTests {
    @Test func theLogstoreGetsEverythingAndTheConsoleWhatMatters() async throws {
        let logstore = try Logstore()
        let result = try await run(
            Program(name: "nightly-report").executable,
            environment: logstore.environment,
            output: .discarded,
            error: .string(limit: 4096)
        )
        #expect(result.terminationStatus == .exited(0))
        let lines = try logstore.lines
        #expect(
            lines.map { $0["message"] } == [
                "item read", "nothing sold", "item read", "item read", "sum taken", "report written",
            ]
        )
        #expect(lines.map { $0["level"] } == ["debug", "warning", "debug", "debug", "info", "notice"])
        let messages = result.standardError.split(separator: "\n").compactMap { line in
            ["item read", "nothing sold", "sum taken", "report written"].first { line.contains($0) }
        }
        #expect(messages == ["nothing sold", "report written"])
    }
}

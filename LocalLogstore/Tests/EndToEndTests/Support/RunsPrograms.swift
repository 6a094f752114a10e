// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import LocalLogstoreTestSupport

/// Tests of `webtracking run`.
protocol RunsPrograms {}

extension RunsPrograms {
    func start(
        _ command: [String],
        _ options: [String] = [],
        port: Int,
        under prefix: [String] = []
    ) throws -> ChildProcess {
        let target = ["--endpoint", "http://127.0.0.1:\(port)", "--project", "local", "--logstore", "run"]
        return try ChildProcess("webtracking", ["run"] + target + options + ["--"] + command, under: prefix)
    }

    func run(
        _ command: [String],
        _ options: [String] = [],
        port: Int,
        under prefix: [String] = []
    ) async throws -> ChildProcess.Outcome {
        try await self.start(command, options, port: port, under: prefix).outcome()
    }

    func shell(_ text: String) -> [String] { ["/bin/sh", "-c", text] }

    func child(_ way: String, _ count: Int) -> [String] {
        [ChildProcess.program("e2e-child").path, "end", way, "\(count)"]
    }

    /// What arrived, in order: the program's lines, and the records about it.
    func logs(_ server: TestServer) async throws -> (lines: [LogFields], end: LogFields?) {
        let logs = try await server.store.logs(matching: LogQuery(logstore: "run")).map(\.log)
        return (logs.filter { $0["label"] != "webtracking.run" }, logs.last { $0["label"] == "webtracking.run" })
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstoreTestSupport
import Testing

@testable import LogstoreTool

@Suite("Clear, the command")
struct ClearCommandTests {
    @Test(arguments: ["", "no database"])
    func makesNoDatabaseOfAnotherFile(content: String) async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appending(path: "other")
            try Data(content.utf8).write(to: file)
            let command = try ClearCommand.parse(["--database", file.path, "--yes"])
            await #expect(throws: ExitCode.failure) { try await command.run() }
            #expect(try Data(contentsOf: file) == Data(content.utf8))
        }
    }
}

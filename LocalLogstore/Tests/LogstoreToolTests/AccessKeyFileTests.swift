// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import Testing

@testable import LogstoreTool

@Suite("AccessKey files")
struct AccessKeyFileTests {
    private func keys(_ text: String) async throws -> [AccessKey] {
        try await withTemporaryDirectory { folder in
            let file = folder.appendingPathComponent("keys.txt")
            try Data(text.utf8).write(to: file)
            let command = try #require(
                try WebTrackingTool.parseAsRoot(["serve", "--access-keys", file.path]) as? ServeCommand
            )
            return try command.settings().accessKeys
        }
    }

    @Test func readsAKeyALine() async throws {
        let keys = try await self.keys(
            """
            # id secret token expiry
            one secret-1

              two   secret-2 token-2
            three secret-3 token-3 2026-01-01T00:00:00Z
            """
        )
        #expect(
            keys == [
                AccessKey(id: "one", secret: "secret-1"),
                AccessKey(id: "two", secret: "secret-2", securityToken: "token-2"),
                AccessKey(
                    id: "three",
                    secret: "secret-3",
                    securityToken: "token-3",
                    expiresAt: Date(timeIntervalSince1970: 1_767_225_600)
                ),
            ]
        )
    }

    @Test(arguments: ["\n", "\r\n", "\r"]) func anEndOfLineIsNoPartOfASecret(end: String) async throws {
        let keys = try await self.keys("one secret-1\(end)two secret-2\(end)")
        #expect(keys == [AccessKey(id: "one", secret: "secret-1"), AccessKey(id: "two", secret: "secret-2")])
    }

    @Test(arguments: ["", "# none", "hidden", "a b c tomorrow", "a b c 2026-01-01T00:00:00Z d"])
    func refusesOthersAndNamesTheLineOnly(text: String) async throws {
        do {
            _ = try await self.keys(text)
            Issue.record("it was taken")
        } catch let error as ValidationError {
            #expect(error.message.contains("AccessKeys") || error.message.contains("Line 1 of"))
            #expect(!error.message.contains("hidden"))
        }
    }

    @Test func refusesAFileThatIsNotThere() throws {
        let command = try #require(
            try WebTrackingTool.parseAsRoot(["serve", "--access-keys", "/nowhere"]) as? ServeCommand
        )
        #expect(throws: ValidationError.self) { try command.settings() }
    }
}

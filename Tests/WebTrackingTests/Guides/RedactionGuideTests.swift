// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// The examples of Docs/Redaction.md; Scripts/docs compares the two.

#if SwiftLog

import Logging
import Testing
import WebTracking
import WebTrackingTestKit

@Suite(.timeLimit(.minutes(10)))
struct RedactionGuideTests {
    @Test func secretsAreNotLogged() async throws {
        let recorder = try LogRecorder { $0.redaction = .standard }
        let logger = recorder.logger(label: "shop")
        logger.info("signed in", metadata: ["login": ["name": "ada", "password": "hunter2"]])
        let log = try await recorder.log { $0.message == "signed in" }
        #expect(log.metadata == ["login.name": "ada", "login.password": "[redacted]"])
        await recorder.shutdown()
    }

    @Test func secretsInQueriesAreNotLogged() async throws {
        let recorder = try LogRecorder {
            $0.redaction.rules.append(
                .function { _, value in
                    // Asked about every value that no rule before it knows, so it looks for something rare first.
                    guard value.contains("?") else { return nil }
                    let query = value.lowercased().split(separator: "?", maxSplits: 1).last ?? ""
                    let names = query.split(whereSeparator: { "?&#; ".contains($0) }).map { $0.prefix { $0 != "=" } }
                    return names.contains { ["token", "key", "signature"].contains($0) } ? .mask : nil
                }
            )
        }
        let logger = recorder.logger(label: "shop")
        logger.info("fetched", metadata: ["url": "https://h/a?page=2&Token=hunter2", "next": "https://h/a?page=3"])
        let log = try await recorder.log { $0.message == "fetched" }
        #expect(log.metadata == ["url": "[redacted]", "next": "https://h/a?page=3"])
        await recorder.shutdown()
    }
}

#endif

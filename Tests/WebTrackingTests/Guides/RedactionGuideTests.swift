//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

// The example of Docs/Redaction.md; Scripts/docs compares the two.

#if SwiftLog

import Logging
import Testing
import WebTracking
import WebTrackingTestKit

@Suite(.timeLimit(.minutes(1)))
struct RedactionGuideTests {
    @Test func secretsAreNotLogged() async throws {
        let recorder = try LogRecorder { $0.redaction = .standard }
        let logger = recorder.logger(label: "shop")
        logger.info("signed in", metadata: ["login": ["name": "ada", "password": "hunter2"]])
        let log = try await recorder.log { $0.message == "signed in" }
        #expect(log.metadata == ["login.name": "ada", "login.password": "[redacted]"])
        await recorder.shutdown()
    }
}

#endif

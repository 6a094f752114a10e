// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
import Testing
import WebTrackingTestKit

@testable import WebTracking

/// The console beside a producer.
@Suite struct ConsolePairTests {
    @Test func aProviderThatLogsEndsBesideAConsoleToo() async throws {
        let rig = try Rig()
        let outlet = Lock<Logger?>(nil)
        let provider = Logger.MetadataProvider {
            outlet.withLock { $0 }?.info("inner")
            return ["provided": "yes"]
        }
        let logger = Logger(label: "label") { label in
            rig.producer.makeSwiftLogHandler(label: label, metadataProvider: provider, keepingConsole: true)
        }
        outlet.withLock { $0 = logger }
        logger.info("outer")
        let logs = await rig.drain()
        // The console asks by itself, so there are two.
        #expect(logs.map { $0["message"] } == ["inner", "outer", "inner"])
        #expect(logs.map { $0["provided"] } == [nil, "yes", nil])
        await rig.stop()
    }
}
#endif

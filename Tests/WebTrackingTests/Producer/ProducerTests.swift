// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct ProducerTests {
    @Test func aRecordArrivesWithItsFields() async throws {
        let rig = try Rig()
        rig.sink("shop.orders").info(
            "order placed",
            metadata: ["id": "42"],
            file: "Shop/Order.swift",
            function: "place()",
            line: 7
        )
        let logs = await rig.drain()
        #expect(
            logs == [
                [
                    "seq": "1", "time": "2026-01-01T00:00:00.000000000Z", "level": "info", "label": "shop.orders",
                    "message": "order placed", "source": "Shop", "file": "Shop/Order.swift", "function": "place()",
                    "line": "7", "id": "42",
                ]
            ]
        )
        let request = try #require(rig.transport.stored.first)
        #expect(request.request.url == "https://project.cn-test.log.aliyuncs.com/logstores/logstore/track")
        #expect(request.source == "host")
        #expect(request.topic == "")
        await rig.stop()
        #expect(rig.transport.isShutDown)
    }
}

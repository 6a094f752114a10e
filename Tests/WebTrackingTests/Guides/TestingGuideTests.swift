// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// The example of Docs/Testing.md; Scripts/docs compares the two.

#if SwiftLog

import Logging
import Testing
import WebTracking
import WebTrackingTestKit

struct Shop {
    var logger: Logger

    func order(_ item: String, amount: Int) {
        guard amount > 0 else {
            self.logger.warning("refused", metadata: ["item": "\(item)", "amount": "\(amount)"])
            return
        }
        self.logger.info("ordered", metadata: ["item": "\(item)"])
        // Other work, which ends some time later.
        Task { [logger] in logger.info("invoice sent", metadata: ["item": "\(item)"]) }
    }
}

@Suite(.timeLimit(.minutes(10)))
struct ShopTests {
    @Test func logsWhatItRefuses() async throws {
        let recorder = try LogRecorder()
        let shop = Shop(logger: recorder.logger(label: "shop"))
        shop.order("tea", amount: 0)
        let logs = await recorder.logs  // everything until now, in order
        #expect(logs.map(\.message) == ["refused"])
        #expect(logs.first?.level == .warning)
        #expect(logs.first?.metadata == ["item": "tea", "amount": "0"])
        await recorder.shutdown()
    }

    @Test func sendsAnInvoice() async throws {
        let recorder = try LogRecorder {
            $0.topic = .label
            $0.tags = ["env": "test"]
        }
        Shop(logger: recorder.logger(label: "shop")).order("tea", amount: 1)
        let log = try await recorder.log { $0.message == "invoice sent" }  // waits for it
        #expect(log.topic == "shop" && log.tags == ["env": "test"])
        #expect(log.label == "shop" && log.metadata["item"] == "tea")
        await recorder.shutdown()
    }
}

#endif

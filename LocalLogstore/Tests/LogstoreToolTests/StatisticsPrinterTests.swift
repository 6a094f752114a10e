// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LocalLogstore
@testable import LogstoreTool

@Suite("Statistics in a terminal")
struct StatisticsPrinterTests {
    @Test func cutsLongValues() {
        let statistics = Statistics(
            columns: [.init(name: "a", kind: .text)],
            rows: [[.text(String(repeating: "x", count: 2_500))]]
        )
        let cut = StatisticsPrinter(format: .text, valueLimit: 2_000).lines(statistics)
        #expect(cut.last == String(repeating: "x", count: 2_000) + "… (500 more characters; --full shows all)")
        #expect(StatisticsPrinter(format: .text).lines(statistics).last?.count == 2_500)
        #expect(StatisticsPrinter(format: .ndjson, valueLimit: 2_000).lines(statistics).last?.count == 2_508)
    }
}

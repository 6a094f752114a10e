// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ReferenceRecords
import WebTracking

/// The bytes on the wire of reference records whose dictionaries are kept alive, and so have many orders.
struct KeptRun {
    var dictionaries: Int

    private static let logs = 40_000

    func measure() async throws -> [(name: String, value: Double)] {
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1",
            project: "benchmark",
            logstore: "benchmark"
        )
        configuration.source = "benchmark"
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: CountingTransport(),
            diagnostics: .none
        )
        let logger = Logger(label: "shop.orders", factory: producer.makeLogHandler(label:))
        let kept = KeptDictionaries(count: self.dictionaries)
        for index in 0..<Self.logs {
            ReferenceRecord.logKept(index, in: kept, to: logger)
            // So that nothing is dropped for want of memory.
            if index % 10_000 == 9_999 { await producer.flush(timeout: .seconds(60)) }
        }
        let statistics = producer.statistics
        await producer.shutdown(timeout: .seconds(10))
        return [
            ("dropped", Double(statistics.totalDropped)),
            ("wire_bytes_per_log", Double(statistics.wireBytes) / Double(max(statistics.delivered, 1))),
        ]
    }
}

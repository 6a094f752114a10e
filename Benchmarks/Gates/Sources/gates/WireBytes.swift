// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Logging
import ReferenceRecords
import WebTracking

/// The bytes of a reference record on the wire, compressed with LZ4: where each dictionary has the address of the one before,
/// and where 64 are alive, so that they have many orders. Fields leave in one order, so the second is not more.
struct WireBytes {
    private static let logs = 40_000
    /// By how much the second may be more. In an order of each record's own it is 7 %.
    private static let most = 1.01

    private let alone: Double
    private let kept: Double

    init(alone: Double, kept: Double) {
        self.alone = alone
        self.kept = kept
    }

    init() throws {
        self.alone = try Self.perLog { ReferenceRecord.reference.log($0, to: $1) }
        let dictionaries = KeptDictionaries(count: 64)
        self.kept = try Self.perLog { ReferenceRecord.logKept($0, in: dictionaries, to: $1) }
    }

    private static func perLog(_ log: (_ index: Int, _ logger: Logger) -> Void) throws -> Double {
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1",
            project: "benchmark",
            logstore: "gates"
        )
        configuration.source = "gates"
        configuration.batching.linger = .seconds(3600)
        let transport = CountingTransport()
        let producer = try WebTrackingProducer(configuration: configuration, transport: transport)
        let logger = Logger(label: "shop.orders", factory: producer.makeLogHandler(label:))
        for index in 0..<self.logs {
            log(index, logger)
            // So that nothing is dropped for want of memory.
            if index % 10_000 == 9_999 { self.flush(producer) }
        }
        self.flush(producer)
        guard producer.statistics.delivered == self.logs else {
            throw Subject.Failure(description: "not all records were delivered")
        }
        return Double(transport.byteCount) / Double(self.logs)
    }

    private static func flush(_ producer: WebTrackingProducer) {
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            await producer.flush(timeout: .seconds(60))
            done.signal()
        }
        done.wait()
    }

    var table: String {
        "| bytes on the wire for each log, LZ4 | one dictionary at a time | 64 kept |\n|---|---|---|\n"
            + "| reference | \(Self.text(self.alone)) | \(Self.text(self.kept)) |"
    }

    var failure: String? {
        guard self.kept > self.alone * Self.most else { return nil }
        return "a log has \(Self.text(self.kept)) bytes on the wire if dictionaries are kept alive, and "
            + "\(Self.text(self.alone)) if not; do its fields leave in one order?"
    }

    private static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Dispatch
import Logging
import ReferenceRecords
import WebTracking

/// A logger to count with, and what is behind it.
///
/// Records are logged in rounds that fit into one batch, and after each the producer is flushed, so that what the calling
/// thread does is the same in each run, whenever the delivering threads come to theirs. The first record of a round opens
/// a batch; the others find it open.
struct Subject {
    enum Handler: String {
        /// swift-log alone.
        case noop
        /// This library, with a transport that takes everything at once.
        case ours
    }

    let logger: Logger
    let record: ReferenceRecord
    private let producer: WebTrackingProducer?

    init(_ record: ReferenceRecord, handler: Handler) throws {
        self.record = record
        switch handler {
        case .noop:
            self.producer = nil
            self.logger = Logger(label: "shop.orders") { _ in NoOpLogHandler() }
        case .ours:
            var configuration = WebTrackingConfiguration(
                endpoint: "http://127.0.0.1",
                project: "benchmark",
                logstore: "gates"
            )
            configuration.source = "gates"
            // Delivery is not what is counted.
            configuration.compression = .none
            configuration.batching.linger = .seconds(3600)
            let producer = try WebTrackingProducer(configuration: configuration, transport: CountingTransport())
            self.producer = producer
            self.logger = Logger(label: "shop.orders") { producer.makeLogHandler(label: $0) }
        }
    }

    /// How many records make a round: about 200 KiB of the 256 KiB that a batch has.
    var roundLength: Int {
        switch self.record {
        case .short: 1000
        case .reference: 400
        case .wide: 200
        case .large: 16
        }
    }

    /// Ends a round: waits until all is delivered and its memory given back.
    func endRound() {
        guard let producer = self.producer else { return }
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            await producer.flush(timeout: .seconds(60))
            done.signal()
        }
        done.wait()
        let statistics = producer.statistics
        precondition(statistics.totalDropped == 0 && statistics.pending == 0, "a round was not delivered")
    }
}

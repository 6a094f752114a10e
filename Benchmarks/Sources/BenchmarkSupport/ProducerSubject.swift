// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ReferenceRecords
import WebTracking

/// This library.
struct ProducerSubject: Subject {
    private let producer: WebTrackingProducer
    private let transport: any WebTrackingTransport

    init(configuration: WebTrackingConfiguration, transport: any WebTrackingTransport) throws {
        self.transport = transport
        self.producer = try WebTrackingProducer(
            configuration: configuration,
            transport: transport,
            // What is dropped is among the figures.
            diagnostics: .none
        )
    }

    func makeLogger(label: String) -> Logger {
        Logger(label: label) { self.producer.makeLogHandler(label: $0) }
    }

    var pendingBytes: Int { self.producer.statistics.pendingBytes }

    func drain() async {
        await self.producer.flush(timeout: .seconds(120))
    }

    func stop() async {
        await self.producer.shutdown(timeout: .seconds(10))
    }

    var counts: [(name: String, value: Double)] {
        let statistics = self.producer.statistics
        let delivered = Double(max(statistics.delivered, 1))
        var counts = [
            ("accepted", Double(statistics.accepted)),
            ("delivered", Double(statistics.delivered)),
            ("dropped", Double(statistics.totalDropped)),
            ("raw_bytes_per_log", Double(statistics.rawBytes) / delivered),
            ("wire_bytes_per_log", Double(statistics.wireBytes) / delivered),
        ]
        if let transport = self.transport as? CountingTransport {
            // Have to be the same, or not everything has gone through the transport.
            counts += [
                ("transport_bytes", Double(transport.byteCount)), ("counted_bytes", Double(statistics.wireBytes)),
            ]
        }
        return counts
    }
}

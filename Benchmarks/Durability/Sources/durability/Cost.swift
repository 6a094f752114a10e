// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ReferenceRecords
import WebTracking

/// The caller's time for a record, with both kinds of memory, by turns.
enum Cost {
    static func measure(directory: String, rounds: Int) async throws {
        var producers: [(name: String, producer: WebTrackingProducer, logger: Logger, samples: Samples)] = []
        for (name, durability) in [("memory", Durability.memory), ("process", .process)] {
            let producer = try WebTrackingProducer(
                configuration: Main.configuration(durability, directory: directory),
                transport: CountingTransport()
            )
            let logger = Logger(label: "cost", factory: producer.makeLogHandler(label:))
            producers.append((name, producer, logger, Samples(capacity: rounds * 1000)))
        }
        for round in 0..<(rounds + 10) {
            for index in producers.indices {
                let logger = producers[index].logger
                for record in 0..<1000 {
                    if round < 10 {
                        ReferenceRecord.reference.log(record, to: logger)
                    } else {
                        producers[index].samples.time { ReferenceRecord.reference.log(record, to: logger) }
                    }
                }
                // A program that does nothing but log would measure the delivery on the other processor, too.
                try await Task.sleep(for: .milliseconds(3))
            }
        }
        var quantiles: [[Int]] = []
        print("ns          p50     p90     p99   p99.9  p99.99")
        for (name, _, _, samples) in producers {
            let sorted = samples.sorted()
            let row = [0.5, 0.9, 0.99, 0.999, 0.9999].map { sorted.quantile($0) }
            quantiles.append(row)
            print(self.line(name, row.map { "\($0)" }))
        }
        let ratios = zip(quantiles[1], quantiles[0]).map { Double($0) / Double($1) }
        print(self.line("ratio", ratios.map { "\(($0 * 100).rounded() / 100)" }))
        for (_, producer, _, _) in producers {
            await producer.shutdown(timeout: .seconds(30))
            precondition(producer.statistics.totalDropped == 0)
        }
    }

    static func line(_ name: String, _ values: [String]) -> String {
        ([name + String(repeating: " ", count: max(8 - name.count, 0))]
            + values.map { String(repeating: " ", count: max(8 - $0.count, 0)) + $0 }).joined()
    }
}

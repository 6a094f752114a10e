// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import WebTracking
import WebTrackingTestKit

extension ManualClock {
    /// Whether somebody sleeps for a second at most; everything else waits for longer here.
    fileprivate var sleepsForASecond: Bool { self.timeToNextDeadline.map { $0 <= .seconds(1) } ?? false }
}

/// Reads cases, one a line, and writes what became of each: a line `body` for each request, one `statistics`, one `end`.
@main
struct Driver {
    static func main() async throws {
        let decoder = JSONDecoder()
        while let line = readLine(strippingNewline: true) {
            let one = try decoder.decode(Case.self, from: Data(line.utf8))
            var output = ""
            do {
                try await self.run(one, into: &output)
            } catch {
                output += "error\t\(error)\n"
            }
            output += "end\t\n"
            FileHandle.standardOutput.write(Data(output.utf8))
        }
    }

    private static func run(_ one: Case, into output: inout String) async throws {
        let clock = ManualClock(wallTime: one.time)
        let transport = InMemoryTransport()
        let producer = try WebTrackingProducer(
            configuration: try one.configuration(),
            transport: transport,
            diagnostics: .none,
            clock: clock
        )
        var handlers: [[UInt8]: WebTrackingLogHandler] = [:]
        for step in one.steps {
            if let nanoseconds = step.nanoseconds {
                clock.moveWallTime(by: .nanoseconds(nanoseconds))
            }
            if let nanoseconds = step.silence {
                guard let reported = step.reported else {
                    throw DriverError(description: "a silence without the number of records that it is waited for")
                }
                // What reports of silent statements looks at them once a second; it has done so when it sleeps again.
                try await self.wait(until: { clock.sleepsForASecond })
                clock.advance(by: .nanoseconds(nanoseconds))
                try await self.wait(until: {
                    clock.sleepsForASecond && producer.statistics.synthetic >= reported
                })
            }
            if let rules = step.rules {
                var redaction = producer.redaction
                redaction.rules = try Redaction(rules: rules, standard: one.standard).rules
                try producer.setRedaction(redaction)
            }
            if let rates = step.rates {
                var sampling = producer.sampling
                sampling.rates = try Sampling.rates(rates)
                try producer.setSampling(sampling)
            }
            if step.flush == true {
                await producer.flush(timeout: .seconds(60))
            }
            if let record = step.record {
                let key = Array(record.label.utf8)
                let handler = handlers[key] ?? producer.makeLogHandler(label: record.label)
                handlers[key] = handler
                try self.log(record, to: handler)
            }
        }
        await producer.flush(timeout: .seconds(60))
        for request in transport.stored {
            // Inside of a text a line feed is escaped.
            output += "body\t\(String(decoding: request.rawBody, as: UTF8.self).replacing("\n", with: " "))\n"
        }
        for reason in transport.malformed {
            output += "error\t\(reason)\n"
        }
        output += "statistics\t\(try self.text(of: producer.statistics))\n"
        await producer.shutdown(timeout: .seconds(10))
    }

    /// Lets the producer's own tasks run until something is true; after ten seconds it goes on, and the oracle complains.
    private static func wait(until isTrue: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(10)
        while !isTrue(), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private static func log(_ record: Case.Record, to handler: WebTrackingLogHandler) throws {
        guard let level = LogLevel(rawValue: record.level) else {
            throw DriverError(description: "level \(record.level)")
        }
        var handler = handler
        if let layer = record.handler?.layer {
            handler.metadata = layer
        }
        if let layer = record.provider?.layer {
            handler.metadataProvider = LogMetadataProvider { layer }
        }
        handler.log(
            event: LogEvent(
                level: level,
                message: LogMessage(stringLiteral: record.message),
                error: record.error.map { DriverError(description: $0) },
                metadata: record.event?.layer,
                source: record.source,
                file: record.file,
                function: record.function,
                line: record.line
            )
        )
    }

    private static func text(of statistics: WebTrackingStatistics) throws -> String {
        func named<Key: RawRepresentable>(_ counts: [Key: Int]) -> [String: Int] where Key.RawValue == String {
            Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
        }
        struct Numbers: Encodable {
            var accepted, delivered, pending, synthetic, redacted, topics: Int
            var dropped, droppedByLevel, repaired: [String: Int]
        }
        let numbers = Numbers(
            accepted: statistics.accepted,
            delivered: statistics.delivered,
            pending: statistics.pending,
            synthetic: statistics.synthetic,
            redacted: statistics.redacted,
            topics: statistics.topics,
            dropped: named(statistics.dropped),
            droppedByLevel: named(statistics.droppedByLevel),
            repaired: named(statistics.repaired)
        )
        return String(decoding: try JSONEncoder().encode(numbers), as: UTF8.self)
    }
}

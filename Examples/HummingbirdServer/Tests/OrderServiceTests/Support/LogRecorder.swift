// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Tracing
import WebTracking
import WebTrackingTestKit

@testable import OrderService

/// The logging of the whole test process: bootstrapped once, as in the service, with a transport that keeps the lines.
///
/// Tests run at the same time, so each looks at the lines of its own traces.
enum LogRecorder {
    static let transport = InMemoryTransport()

    /// The producer that swift-log is bootstrapped with.
    static let producer: WebTrackingProducer = {
        do {
            let producer = try makeProducer(transport: transport)
            WebTrackingProducer.bootstrap(producer, metadataProvider: .trace)
            InstrumentationSystem.bootstrap(PropagatingTracer())
            return producer
        } catch {
            fatalError("\(error)")
        }
    }()

    /// A producer with the service's settings.
    static func makeProducer(transport: InMemoryTransport) throws -> WebTrackingProducer {
        var logs = try Settings.forTests().logs
        logs.logLevel = .debug
        return try WebTrackingProducer(configuration: logs, transport: transport, diagnostics: .none)
    }

    /// The lines of a trace that are logged by now, in the order in which they were logged.
    ///
    /// Each topic arrives by itself, so their order among each other is in the numbers.
    static func lines(ofTrace traceID: String) async -> [[String: String]] {
        await self.producer.flush(timeout: .seconds(10))
        return self.transport.logs.filter { $0["traceID"] == traceID }.sorted { Self.number($0) < Self.number($1) }
    }

    private static func number(_ line: [String: String]) -> Int {
        line["seq"].flatMap { Int($0) } ?? 0
    }
}

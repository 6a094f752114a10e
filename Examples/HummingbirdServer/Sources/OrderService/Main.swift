// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Tracing
import WebTracking

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The process: settings, logging, service, and a last word about the logs.
@main
struct Main {
    static func main() async {
        do {
            let settings = try Settings.fromProcess()
            // Before the first logger is made.
            let producer = try WebTrackingProducer.bootstrap(
                settings.logs,
                keepingConsole: settings.keepsConsole,
                metadataProvider: .trace
            )
            // Any tracer for W3C Trace Context can take its place.
            InstrumentationSystem.bootstrap(PropagatingTracer())
            let service = OrderService(settings: settings, producer: producer)
            // No log line: by then the producer has stopped.
            defer { Terminal.printError(summary(requests: service.counter.count, logs: producer.statistics)) }
            try await service.run()
        } catch {
            Terminal.printError("\(error)")
            exit(1)
        }
    }

    private static func summary(requests: Int, logs: WebTrackingStatistics) -> String {
        "\(requests) requests handled; log lines: \(logs.accepted) accepted, \(logs.delivered) delivered, "
            + "\(logs.totalDropped) dropped"
    }
}

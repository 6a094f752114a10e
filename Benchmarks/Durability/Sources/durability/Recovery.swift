// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ReferenceRecords
import Synchronization
import WebTracking

/// How long a start takes with a full spool until its first line is logged, and until all is delivered.
enum Recovery {
    static func measure(directory: String, mebibytes: Int) async throws {
        var configuration = Main.configuration(.process, directory: directory)
        configuration.spool.maximumBytes = 4 << 30
        let stuck = try WebTrackingProducer(
            configuration: configuration,
            transport: StuckTransport(),
            diagnostics: .none
        )
        let logger = Logger(label: "recovery", factory: stuck.makeLogHandler(label:))
        var records = 0
        while stuck.statistics.spoolBytes < mebibytes << 20 {
            for _ in 0..<1000 { ReferenceRecord.reference.log(records, to: logger) }
            records += 1000
        }
        let left = await stuck.shutdown(timeout: .zero)
        let bytes = stuck.statistics.spoolBytes
        print("left \(left.spooled) of \(records) records in \(bytes >> 20) MiB")
        let transport = CountingTransport()
        let start = Samples.now()
        let next = try WebTrackingProducer(configuration: configuration, transport: transport)
        ReferenceRecord.reference.log(1, to: Logger(label: "first", factory: next.makeLogHandler(label:)))
        let first = Samples.now()
        while next.statistics.recovered < left.spooled || next.statistics.pending > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
        let seconds = Double(Samples.now() - start) / 1e9
        let numbers = next.statistics
        print(
            """
            first line after \((first - start) / 1000) µs
            recovered \(numbers.recovered) records in \((seconds * 100).rounded() / 100) s: \
            \(Int(Double(numbers.rawBytes) / 1e6 / seconds)) MB/s of JSON, dropped \(numbers.totalDropped)
            peak RSS \(processStatus("VmHWM") >> 10) MiB, anonymous memory now \(processStatus("RssAnon") >> 10) MiB
            """
        )
        await next.shutdown(timeout: .seconds(10))
    }
}

/// Never answers.
final class StuckTransport: WebTrackingTransport {
    func send(_ request: TransportRequest) async throws -> TransportResponse {
        try await Task.sleep(for: .seconds(86_400))
        throw TransportError.timedOut
    }
}

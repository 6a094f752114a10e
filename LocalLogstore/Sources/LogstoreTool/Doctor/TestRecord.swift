// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import WebTracking

/// One record that shows that records arrive.
enum TestRecord {
    static let label = "webtracking.doctor"

    /// What became of it.
    enum Outcome: Equatable {
        /// The service has it; by this text it can be found.
        case delivered(id: String)
        case failed(String)
    }

    private static let limit = Duration.seconds(30)

    /// Sends it with these settings, but without their spool: what other processes left there is not this one's.
    static func send(with configuration: WebTrackingConfiguration) async -> Outcome {
        var configuration = configuration
        configuration.durability = .memory
        configuration.spool = WebTrackingConfiguration.Spool()
        configuration.sampling = .off
        configuration.logLevel = .trace
        configuration.logLevelOverrides = [:]
        let reported = Mutex<String?>(nil)
        let producer: WebTrackingProducer
        do {
            producer = try WebTrackingProducer(
                configuration: configuration,
                diagnostics: DiagnosticHandler { diagnostic in
                    guard let line = Self.failure(in: diagnostic) else { return }
                    reported.withLock { $0 = $0 ?? line }
                }
            )
        } catch {
            return .failed("\(error)")
        }
        let id = String(UInt64.random(in: .min ... .max), radix: 36)
        producer.makeLogHandler(label: Self.label).log(
            event: LogEvent(
                level: .info,
                message: "test record \(id) of webtracking doctor",
                metadata: nil,
                source: "",
                file: "",
                function: "",
                line: 0
            )
        )
        await producer.flush(timeout: Self.limit)
        let isDelivered = producer.statistics.delivered == 1
        await producer.shutdown(timeout: .zero)
        if isDelivered { return .delivered(id: id) }
        return .failed(reported.withLock { $0 } ?? "there was no answer in \(Self.limit.components.seconds) s")
    }

    private static func failure(in diagnostic: ProducerDiagnostic) -> String? {
        switch diagnostic {
        case .requestFailed(_, _, let failure, _): "\(failure)"
        case .recordRefused, .recordsDropped: "\(diagnostic)"
        default: nil
        }
    }

    static func row(for outcome: Outcome) -> DoctorRow {
        switch outcome {
        case .delivered(let id):
            DoctorRow("record", .ok, "it has arrived; search for \(id), with the label \(Self.label)")
        case .failed(let reason): DoctorRow("record", .failed, reason)
        }
    }
}

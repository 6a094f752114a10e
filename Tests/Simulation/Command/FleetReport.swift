// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingPlatform
import WebTrackingSimulation

/// Runs one fleet, and writes what was seen as CSV: over time, and summed up.
///
/// One for each process, since a fleet holds gigabytes.
struct FleetReport {
    let directory: String
    let settings: Fleet.Settings

    /// Runs the fleet; `false` if something could not be written.
    func run() async -> Bool {
        let start = processTimes()
        guard let outcome = try? await SimulationThread.run({ [settings] in Result { try Fleet.run(settings) } }).get()
        else { return false }
        let summary = FleetSummary(outcome, settings: self.settings)
        let end = processTimes()
        let isWritten = self.write(outcome.samples) && self.write(summary)
        print(
            "simulate: \(self.settings.producers) producers, \(self.settings.shards) shards: \(summary.accepted) records, "
                + "\(summary.requests) requests, \(summary.dropped) drops in \(Int(end.wall - start.wall)) s "
                + "(\(Int(end.processor - start.processor)) s of CPU)"
        )
        return isWritten
    }

    private func write(_ summary: FleetSummary) -> Bool {
        let columns: [(String, String)] = [
            ("shards", String(self.settings.shards)),
            ("before_offered", String(summary.before.offered)),
            ("before_accepted", String(summary.before.accepted)),
            ("after_offered", String(summary.after.offered)),
            ("after_accepted", String(summary.after.accepted)),
            ("after_throttled", String(summary.throttledAfter)),
            ("after_bytes", String(summary.bytesAfter)),
            ("peak", String(summary.peak)),
            ("drained", String(summary.drained?.inSeconds ?? -1)),
            ("end_offered", String(summary.end.offered)),
            ("end_accepted", String(summary.end.accepted)),
            ("end_throttled", String(summary.throttledAtEnd)),
            ("median_age", String(summary.medianAge)),
            ("high_age", String(summary.highAge)),
            ("requests", String(summary.requests)),
            ("refused", String(summary.throttled)),
            ("bytes", String(summary.bytes)),
            ("records", String(summary.accepted)),
            ("dropped", String(summary.dropped)),
        ]
        let text = "\(columns.map(\.0).joined(separator: ","))\n\(columns.map(\.1).joined(separator: ","))\n"
        return self.write(text, to: "summary-\(self.settings.shards).csv")
    }

    private func write(_ samples: [Fleet.Sample]) -> Bool {
        let interval = self.settings.interval.inSeconds
        var text = "second,offered,accepted,throttled,unanswered,offered_bytes,accepted_bytes,age50,age99\n"
        for sample in samples {
            let rates = [
                sample.offeredRequests, sample.acceptedRequests, sample.throttledRequests, sample.unansweredRequests,
                sample.offeredBytes, sample.acceptedBytes,
            ].map { String(Double($0) / interval) }
            let ages = [String(sample.medianAge), String(sample.highAge)]
            text += ([String(sample.second)] + rates + ages).joined(separator: ",") + "\n"
        }
        return self.write(text, to: "fleet-\(self.settings.shards).csv")
    }

    private func write(_ text: String, to name: String) -> Bool {
        guard let file = fopen("\(self.directory)/\(name)", "w") else { return false }
        let isWritten = fputs(text, file) >= 0
        return fclose(file) == 0 && isWritten
    }
}

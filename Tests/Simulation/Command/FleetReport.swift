//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import WebTracking
import WebTrackingSimulation

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Runs fleets with different numbers of shards, prints a table, and writes what was seen as CSV.
struct FleetReport {
    static let shards = [2, 3, 4, 6, 8, 12, 16]

    let directory: String
    var settings: Fleet.Settings

    /// Runs all fleets, at most `threads` at once; `false` if something could not be written.
    func run(threads: Int) async -> Bool {
        var results: [Int: [Fleet.Sample]] = [:]
        await withTaskGroup(of: (Int, [Fleet.Sample]).self) { group in
            for (index, shards) in Self.shards.enumerated() {
                if index >= threads, let (key, samples) = await group.next() { results[key] = samples }
                var settings = self.settings
                settings.shards = shards
                group.addTask { [settings] in
                    (shards, await SimulationThread.run { (try? Fleet.run(settings)) ?? [] })
                }
            }
            for await (key, samples) in group { results[key] = samples }
        }
        print(
            "shards | before: offered, accepted/s | 10 min after: offered, accepted/s, 403, MB/s | peak/s "
                + "| drained after | end: offered, accepted/s, 403 | oldest at the end: median, 99 % | dropped"
        )
        var isWritten = true
        var rows =
            "shards,before_offered,before_accepted,after_offered,after_accepted,after_throttled,peak,drained,"
            + "end_offered,end_accepted,end_throttled,median_age,high_age,requests,refused,bytes,dropped\n"
        for shards in Self.shards {
            guard let samples = results[shards], !samples.isEmpty else { return false }
            let summary = FleetSummary(samples, settings: self.settings)
            print(self.line(shards, summary))
            rows += Self.row(shards, summary)
            isWritten = self.write(samples, shards: shards) && isWritten
        }
        return self.write(rows, to: "fleet.csv") && isWritten
    }

    private func line(_ shards: Int, _ summary: FleetSummary) -> String {
        func whole(_ value: Double) -> String { String(Int(value.rounded())) }
        func tenths(_ value: Double) -> String { String((value * 10).rounded() / 10) }
        let drained = summary.drained.map { "\(Int($0.inSeconds)) s" } ?? "never"
        var parts = [String(shards)]
        parts.append("\(whole(summary.before.offered)), \(whole(summary.before.accepted))")
        let share = "\(tenths(summary.throttledAfter * 100)) %"
        parts.append(
            "\(whole(summary.after.offered)), \(whole(summary.after.accepted)), \(share), "
                + tenths(summary.bytesAfter / 1e6)
        )
        parts.append(whole(summary.peak))
        parts.append(drained)
        let shareAtEnd = "\(tenths(summary.throttledAtEnd * 100)) %"
        parts.append("\(whole(summary.end.offered)), \(whole(summary.end.accepted)), \(shareAtEnd)")
        parts.append("\(tenths(summary.medianAge)) s, \(tenths(summary.highAge)) s")
        parts.append(String(summary.dropped))
        return parts.joined(separator: " | ")
    }

    private static func row(_ shards: Int, _ summary: FleetSummary) -> String {
        let rates = [
            summary.before.offered, summary.before.accepted, summary.after.offered, summary.after.accepted,
            summary.throttledAfter, summary.peak, summary.drained?.inSeconds ?? -1, summary.end.offered,
            summary.end.accepted, summary.throttledAtEnd, summary.medianAge, summary.highAge,
        ]
        let counts = [summary.requests, summary.throttled, summary.bytes, summary.dropped]
        return ([String(shards)] + rates.map { String($0) } + counts.map { String($0) }).joined(separator: ",") + "\n"
    }

    private func write(_ samples: [Fleet.Sample], shards: Int) -> Bool {
        let interval = self.settings.interval.inSeconds
        var text = "second,offered,accepted,throttled,unanswered,offered_bytes,accepted_bytes,pending,age50,age99\n"
        for sample in samples {
            let rates = [
                sample.offeredRequests, sample.acceptedRequests, sample.throttledRequests, sample.unansweredRequests,
                sample.offeredBytes, sample.acceptedBytes,
            ].map { String(Double($0) / interval) }
            let rest = [String(sample.pending), String(sample.medianAge), String(sample.highAge)]
            text += ([String(sample.second)] + rates + rest).joined(separator: ",") + "\n"
        }
        return self.write(text, to: "fleet-\(shards).csv")
    }

    private func write(_ text: String, to name: String) -> Bool {
        guard let file = fopen("\(self.directory)/\(name)", "w") else { return false }
        let isWritten = fputs(text, file) >= 0
        return fclose(file) == 0 && isWritten
    }
}

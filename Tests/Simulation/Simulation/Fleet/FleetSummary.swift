// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// A fleet's way through an outage in a few numbers.
package struct FleetSummary: Sendable {
    /// Requests a second.
    package typealias Rates = (offered: Double, accepted: Double)

    /// Requests before the outage; in the ten minutes after it; and in the last four minutes.
    package var before: Rates
    package var after: Rates
    package var end: Rates
    /// The most requests that were offered in a second after the outage, over one interval.
    package var peak: Double
    /// 403 among the requests that were answered, in the ten minutes after the outage and in the last four.
    package var throttledAfter: Double
    package var throttledAtEnd: Double
    /// Bytes a second that were accepted in the ten minutes after the outage.
    package var bytesAfter: Double
    /// From the end of the outage until 99 of 100 producers hold nothing older than a minute; `nil` if never.
    package var drained: Duration?
    /// The age of the oldest record at the end, in the middle and for 99 of 100 producers, in seconds.
    package var medianAge: Double
    package var highAge: Double
    package var accepted: Int
    package var dropped: Int
    /// Over the whole run: requests that the service answered, those of them that got a 403, and bytes that were accepted.
    package var requests: Int
    package var throttled: Int
    package var bytes: Int

    package init(_ outcome: Fleet.Outcome, settings: Fleet.Settings) {
        let samples = outcome.samples
        let interval = settings.interval.inSeconds
        let start = Int(settings.outage.lowerBound.inSeconds)
        let stop = Int(settings.outage.upperBound.inSeconds)
        let before = samples.filter { $0.second > start / 2 && $0.second <= start }
        let after = samples.filter { $0.second > stop && $0.second <= stop + 600 }
        let end = Array(samples.suffix(Int(240 / interval)))
        func rates(_ samples: [Fleet.Sample]) -> Rates {
            let time = Double(max(samples.count, 1)) * interval
            return (
                Double(samples.reduce(0) { $0 + $1.offeredRequests }) / time,
                Double(samples.reduce(0) { $0 + $1.acceptedRequests }) / time
            )
        }
        func throttled(_ samples: [Fleet.Sample]) -> Double {
            let refused = samples.reduce(0) { $0 + $1.throttledRequests }
            return Double(refused) / Double(max(refused + samples.reduce(0) { $0 + $1.acceptedRequests }, 1))
        }
        self.before = rates(before)
        self.after = rates(after)
        self.end = rates(end)
        self.peak = Double(samples.filter { $0.second > stop }.map(\.offeredRequests).max() ?? 0) / interval
        self.throttledAfter = throttled(after)
        self.throttledAtEnd = throttled(end)
        self.bytesAfter =
            Double(after.reduce(0) { $0 + $1.acceptedBytes }) / (Double(max(after.count, 1)) * interval)
        self.drained = samples.first { $0.second > stop && $0.highAge <= 60 }.map { .seconds($0.second - stop) }
        self.medianAge = end.last?.medianAge ?? 0
        self.highAge = end.last?.highAge ?? 0
        self.accepted = outcome.accepted
        self.dropped = outcome.dropped
        self.throttled = samples.reduce(0) { $0 + $1.throttledRequests }
        self.requests = samples.reduce(self.throttled) { $0 + $1.acceptedRequests }
        self.bytes = samples.reduce(0) { $0 + $1.acceptedBytes }
    }
}

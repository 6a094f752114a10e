// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// Decides which records are kept, and remembers what to report of the others.
final class Sampler: Sendable {
    /// The counts of one statement's records in one second.
    struct Report: Sendable {
        var site: Site
        var label: String
        var function: String
        var summary: SamplingWindow.Summary
    }

    struct Site: Hashable {
        var file: String
        var line: UInt
        var rank: Int
    }

    private struct Entry {
        var window: SamplingWindow
        var label: String
        var function: String
    }

    private final class Shard: Sendable {
        let sites = Lock<[Site: Entry]>([:])
    }

    private let rates: [Sampling.Rate?]
    private let suppressed: [Bool]
    private let shards: [Shard]
    private let count: LeftOutCount

    /// Statements beyond this number in a shard are not sampled: nothing is left out that could not be reported.
    private static let sitesPerShard = 512
    private static let shardCount = 16

    init(_ sampling: Sampling, count: LeftOutCount) {
        self.rates = LogLevel.ranked.map { sampling.rates[$0] }
        self.suppressed = LogLevel.ranked.map { sampling.suppressedRepeats.contains($0) }
        self.shards = (0..<Self.shardCount).map { _ in Shard() }
        self.count = count
    }

    /// Whether repeats of records of this rank are suppressed.
    func suppressesRepeats(_ rank: Int) -> Bool { self.suppressed[rank] }

    /// Decides about one event, logged at this time (nanoseconds since 1970); counts it if it is left out.
    func offer(_ event: LogEvent, label: String, time: Int64) -> (isKept: Bool, report: Report?) {
        let rank = event.level.rank
        guard let rate = self.rates[rank] else { return (true, nil) }
        let site = Site(file: event.file, line: event.line, rank: rank)
        let second = Self.second(time)
        let (isKept, ended) = self.shard(event.line).sites.withLock { sites -> (Bool, SamplingWindow.Summary?) in
            guard sites[site] != nil || sites.count < Self.sitesPerShard else { return (true, nil) }
            return sites[
                site,
                default: Entry(window: SamplingWindow(second: second), label: label, function: event.function)
            ]
            .window.offer(at: second, rate: rate)
        }
        if !isKept { self.count.countOne(rank) }
        return (isKept, ended.map { Report(site: site, label: label, function: event.function, summary: $0) })
    }

    /// The reports of seconds that are over, or, with `all`, until now. Forgets statements that have been silent since.
    func takeReports(at time: Int64, all: Bool) -> [Report] {
        let second = Self.second(time)
        var reports: [Report] = []
        for shard in self.shards {
            shard.sites.withLock { sites in
                for (site, entry) in sites where all || entry.window.second != second {
                    var entry = entry
                    let isOver = entry.window.second != second
                    if let summary = isOver ? entry.window.end(at: second) : entry.window.takeSummary() {
                        reports.append(
                            Report(site: site, label: entry.label, function: entry.function, summary: summary)
                        )
                    }
                    sites[site] = isOver ? nil : entry
                }
            }
        }
        return reports.sorted { ($0.site.file, $0.site.line) < ($1.site.file, $1.site.line) }
    }

    /// Takes back a report that found no room, to be made again.
    func restore(_ report: Report, at time: Int64) {
        let window = SamplingWindow(second: Self.second(time))
        self.shard(report.site.line).sites.withLock { sites in
            sites[report.site, default: Entry(window: window, label: report.label, function: report.function)]
                .window.restore(report.summary)
        }
    }

    /// Whether there is nothing to report, and nothing was offered recently.
    var isEmpty: Bool { self.shards.allSatisfy { $0.sites.withLock { $0.isEmpty } } }

    private func shard(_ line: UInt) -> Shard { self.shards[Int(line % UInt(Self.shardCount))] }

    private static func second(_ time: Int64) -> Int64 { time.quotientAndRemainder(dividingBy: 1_000_000_000).quotient }
}

/// How many records a producer has left out by sampling, by all samplers that it has had.
final class LeftOutCount: Sendable {
    private let counts = Lock(LevelCounts())

    func countOne(_ rank: Int) { self.counts.withLock { $0.countOne(rank) } }

    var levels: LevelCounts { self.counts.withLock { $0 } }
}

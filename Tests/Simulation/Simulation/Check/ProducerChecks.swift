// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

#if SwiftLog
import Logging
#endif

/// The rules that a producer's numbers have to keep.
struct ProducerChecks {
    let plan: ProducerPlan
    let drops: DropChecks

    /// No record takes up less than this in a request.
    private static let smallestRecord = 100
    /// What the allocator may add to the body of a request.
    private static let slack = 4096
    /// How many files a producer has taken over at most that are not delivered yet: one in flight, and those that wait.
    private static let filesAhead = 6
    /// What each level may bring the memory held to, in percent, as documented.
    private static let shares = [60, 70, 80, 85, 90, 100, 100]
    /// What a topic in use takes up, as the configuration's documentation has it.
    private static let topicBytes = 12 << 10

    /// The rules for every moment.
    func check(_ numbers: WebTrackingStatistics, against ledger: Ledger, epoch: Int) throws {
        guard numbers.accepted == numbers.delivered + numbers.totalDropped + numbers.pending, numbers.pending >= 0
        else {
            throw Violation(
                "accepted \(numbers.accepted), delivered \(numbers.delivered), dropped \(numbers.totalDropped), "
                    + "pending \(numbers.pending)"
            )
        }
        let own = numbers.accepted - numbers.synthetic - numbers.recovered
        guard own == ledger.logged.count else {
            throw Violation("accepted \(own) of \(ledger.logged.count) records")
        }
        // What waits in files need not be in memory.
        guard self.plan.spool != nil || numbers.pendingBytes >= numbers.pending * Self.smallestRecord else {
            throw Violation("claims to hold \(numbers.pending) records in \(numbers.pendingBytes) bytes")
        }
        guard numbers.delivered <= ledger.acknowledged else {
            throw Violation("says that it delivered \(numbers.delivered), more than were acknowledged")
        }
        try self.checkSpool(numbers)
    }

    /// How many bytes may be held, those of requests on their way among them, each body twice for the client's copy.
    func memoryLimit(with ledger: Ledger, epoch: Int) -> Int {
        let underway = ledger.bodiesUnderway(epoch: epoch)
        return self.plan.configuration.memoryLimit + 2 * underway.bytes + underway.count * Self.slack
    }

    private func checkSpool(_ numbers: WebTrackingStatistics) throws {
        guard let spool = self.plan.spool else {
            guard numbers.recovered == 0, numbers.spoolBytes == 0 else { throw Violation("has a spool") }
            return
        }
        guard numbers.damagedSpoolFiles == 0 else { throw Violation("finds damage that nobody did") }
        // What it has taken over comes to what it holds already, a few files at a time.
        let ahead = numbers.recovered > 0 ? Self.filesAhead * spool.largestFile : 0
        let limit = self.plan.configuration.spool.maximumBytes + ahead
        guard numbers.spoolBytes <= limit else {
            throw Violation("has \(numbers.spoolBytes) bytes in files, the limit being \(limit)")
        }
    }

    /// The rule for a record for which the spool had no room: its level's share was used up.
    func checkSpoolFull(rank: Int, usedBefore: Int) throws {
        let ceiling = self.plan.configuration.spool.maximumBytes / 100 * Self.shares[rank]
        guard usedBefore + (self.plan.spool?.largestFile ?? 0) > ceiling else {
            throw Violation("dropped for a record of rank \(rank) at \(usedBefore) of \(ceiling) bytes in files")
        }
    }

    /// The rule for a record that found no room: its level's share of the memory was used up.
    func checkShed(rank: Int, size: Int, before: WebTrackingStatistics) throws {
        let ceiling = self.plan.configuration.memoryLimit / 100 * Self.shares[rank]
        // The base topic takes nothing, but the record's own may have come into use for it.
        let held = before.pendingBytes + before.topics * Self.topicBytes
        // Twice the text for its escapes, and what else a record and a new batch have.
        guard held + 2 * size + 2048 > ceiling else {
            throw Violation("dropped a record of rank \(rank) and \(size) bytes at \(held) of \(ceiling) bytes")
        }
    }

    /// The rules for the end, after a shutdown with a healthy service.
    func checkEnd(
        _ numbers: WebTrackingStatistics,
        against ledger: Ledger,
        epoch: Int,
        mostSpooled: Int,
        logsAfterShutdown: ClosedRange<Int>,
        reported: [DropReason: Int]
    ) throws {
        try self.check(numbers, against: ledger, epoch: epoch)
        guard numbers.pending == 0, numbers.pendingBytes == 0, ledger.underway.isEmpty else {
            throw Violation("after the end, \(numbers.pending) records are pending in \(numbers.pendingBytes) bytes")
        }
        func dropped(_ reason: DropReason) -> Int { numbers.dropped[reason] ?? 0 }
        guard logsAfterShutdown.contains(dropped(.afterShutdown)) else {
            throw Violation("\(dropped(.afterShutdown)) records came after the shutdown, not \(logsAfterShutdown)")
        }
        let wasCutShort = dropped(.shutdownDeadline) > 0
        let acknowledged = ledger.acknowledged
        guard numbers.delivered == acknowledged || (wasCutShort && numbers.delivered < acknowledged) else {
            throw Violation("delivered \(numbers.delivered), and \(acknowledged) were acknowledged")
        }
        try self.drops.checkEnd(numbers, mostSpooled: mostSpooled)
        if self.plan.spool == nil { try Self.checkWhereabouts(of: [ledger], counted: [numbers]) }
        guard dropped(.rejected) == ledger.rejected || (wasCutShort && dropped(.rejected) < ledger.rejected) else {
            throw Violation("dropped \(dropped(.rejected)) as rejected, and \(ledger.rejected) were")
        }
        for reason in [DropReason.memoryFull, .expired, .rejected, .unauthorized, .notFound, .tooLarge]
        where reported[reason] ?? 0 != dropped(reason) && !(wasCutShort && reason == .memoryFull) {
            throw Violation("told of \(reported[reason] ?? 0) drops, reason \(reason.rawValue), of \(dropped(reason))")
        }
        // Told of are records of the program; an announcement can be given up as well.
        let toldFull = reported[.spoolFull] ?? 0
        guard
            (dropped(.spoolFull) - numbers.synthetic...dropped(.spoolFull)).contains(toldFull) || numbers.recovered > 0
        else { throw Violation("told of \(toldFull) records for which the spool was full, of \(dropped(.spoolFull))") }
        // What is adopted and too old is told to the diagnostics alone.
        guard numbers.recovered == 0 else { return }
        // An announcement that was dropped itself told nobody.
        let announceable = numbers.totalDropped - dropped(.afterShutdown) - dropped(.shutdownDeadline)
        if !wasCutShort && ledger.acknowledgedSynthetic == numbers.synthetic && ledger.announced != announceable {
            throw Violation("announced \(ledger.announced) drops of \(announceable)")
        }
    }

    /// The rule for the end of all producers that share what they hold: each record is where it should be, at the service or
    /// counted as dropped. So is the record of a death that is still `untold`, an error.
    static func checkWhereabouts(of ledgers: [Ledger], counted: [WebTrackingStatistics], untold: Int = 0) throws {
        let dropped = counted.reduce(0) { $0 + $1.totalDropped }
        var lostByRank = LogLevel.ranked.map { $0 == .error ? untold : 0 }
        for ledger in ledgers {
            for record in ledger.logged where record.stored == 0 { lostByRank[record.rank] += 1 }
        }
        let lost = lostByRank.reduce(0, +)
        guard lost <= dropped else {
            throw Violation("\(lost) records never arrived, and only \(dropped) were counted as dropped")
        }
        for (rank, level) in LogLevel.ranked.enumerated() {
            let dropped = counted.reduce(0) { $0 + ($1.droppedByLevel[level] ?? 0) }
            guard lostByRank[rank] <= dropped else {
                throw Violation("lost \(lostByRank[rank]) \(level) records, counted \(dropped)")
            }
        }
    }
}

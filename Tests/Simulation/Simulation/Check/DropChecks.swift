// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// Which drops are permitted: only those that the configuration, the service and the time give a reason for.
struct DropChecks {
    let plan: ProducerPlan
    let service: ServiceModel.Settings

    /// The rule for drops that a producer tells of, at the moment at which it gives the records up.
    func check(
        _ reason: DropReason,
        count: Int,
        topic: String,
        books: Books,
        ledger: Ledger,
        now: (elapsed: Duration, wall: Int64, epoch: Int)
    ) throws {
        switch reason {
        case .unauthorized, .notFound:
            let patience = self.plan.configuration.delivery.refusalPatience
            let isRefused = self.lanes(of: topic, in: ledger).contains { lane in
                lane.refused.map { $0.epoch == now.epoch && now.elapsed - $0.since >= patience } ?? false
            }
            guard isRefused else { throw Violation("gave \(count) records up as \(reason) before the time") }
        case .tooLarge:
            guard let limit = self.smallestBody else { throw Violation("finds records too large without a limit") }
            let isTooLarge = self.lanes(of: topic, in: ledger).contains { lane in
                lane.tooLarge.map { $0.epoch == now.epoch && $0.size > limit } ?? false
            }
            guard count == 1, isTooLarge else { throw Violation("dropped \(count) records as too large") }
        case .expired:
            guard self.hasExpired(topic: topic, books: books, ledger: ledger, now: now) else {
                throw Violation("dropped \(count) records as too old, and there is none of that age")
            }
        case .spoolDamaged, .sampled, .repeated, .afterFork: throw Violation("dropped \(count) records: \(reason)")
        case .memoryFull, .rejected, .shutdownDeadline, .afterShutdown, .spoolFull: break
        }
    }

    /// The rules for the sums.
    func checkEnd(_ numbers: WebTrackingStatistics, mostSpooled: Int) throws {
        func dropped(_ reason: DropReason) -> Int { numbers.dropped[reason] ?? 0 }
        for reason in [DropReason.spoolDamaged, .sampled, .repeated, .afterFork] where dropped(reason) > 0 {
            throw Violation("dropped \(dropped(reason)) records: \(reason)")
        }
        for (reason, isPossible) in [
            (DropReason.unauthorized, self.has { if case .unauthorized = $0 { true } else { false } }),
            (.notFound, self.has { if case .notFound = $0 { true } else { false } }),
            (
                .rejected,
                self.has {
                    switch $0 {
                    case .malformed, .poison, .forbidden: true
                    default: false
                    }
                }
            ),
            (.tooLarge, self.smallestBody != nil),
        ] where dropped(reason) > 0 && !isPossible {
            throw Violation("dropped \(dropped(reason)) records: \(reason), for which the service gave no reason")
        }
        if self.plan.isRoomy && dropped(.memoryFull) > 0 { throw Violation("dropped records for want of memory") }
        guard let spool = self.plan.spool else {
            guard dropped(.spoolFull) == 0 else { throw Violation("the spool is full, and there is none") }
            return
        }
        // All that a spool holds outlives the producer.
        guard dropped(.shutdownDeadline) == 0 else { throw Violation("dropped spooled records at the shutdown") }
        // The least severe level may fill six tenths of it.
        let least = self.plan.configuration.spool.maximumBytes / 10 * 6 - spool.largestFile
        guard dropped(.spoolFull) == 0 || mostSpooled >= least else {
            throw Violation("the spool is full at \(mostSpooled) bytes")
        }
    }

    /// The lanes whose drops are told under a topic: of what others left, under the base topic.
    private func lanes(of topic: String, in ledger: Ledger) -> [Lane] {
        let isBase = topic == self.plan.configuration.topic.base
        return ledger.lanes.filter { key, _ in
            key == Lane.recovery ? isBase : key.prefix { $0 != "\n" } == topic
        }.map(\.value)
    }

    private func has(_ isMeant: (Fault.Kind) -> Bool) -> Bool { self.service.faults.contains { isMeant($0.kind) } }

    private var smallestBody: Int? {
        self.service.faults.compactMap { fault in
            switch fault.kind {
            case .bodyLimit(let limit, _), .proxyLimit(let limit): limit
            default: nil
            }
        }.min()
    }

    /// Whether there is a record that could be the first one of a batch that is too old. The parts of a batch are as old as the
    /// batch, whose first record may have been delivered.
    private func hasExpired(
        topic: String,
        books: Books,
        ledger: Ledger,
        now: (elapsed: Duration, wall: Int64, epoch: Int)
    ) -> Bool {
        let configuration = self.plan.configuration
        let latest = now.elapsed - configuration.delivery.maximumAge
        let latestWall = now.wall - configuration.spool.maximumAge.saturatedNanoseconds
        func isOld(_ record: LoggedRecord, of holder: Ledger) -> Bool {
            record.loggedAt <= latest || (holder !== ledger && record.loggedWall <= latestWall)
        }
        let isHeld = books.within(reachOf: ledger).contains { holder in
            holder.logged.contains { !$0.isAcknowledged && isOld($0, of: holder) }
        }
        return isHeld
            || self.lanes(of: topic, in: ledger).flatMap(\.deliveredParts).contains { owner, number in
                isOld(books.ledgers[owner].logged[number - 1], of: books.ledgers[owner])
            }
    }
}

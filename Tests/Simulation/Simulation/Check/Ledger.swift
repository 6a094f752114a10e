// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// A record that a producer was given, and what is known of it.
struct LoggedRecord {
    var rank: Int
    var label: Int
    var size: Int
    /// When it was logged, by the simulation's time and by the wall clock.
    var loggedAt: Duration
    var loggedWall: Int64
    /// The value under the key that may become topic or tag.
    var key: Int?
    /// How often the service has stored it.
    var stored = 0
    /// How often the service stored it or might still, without its sender having learned of it.
    var uncertain = 0
    /// Whether the sender has learned that it is stored.
    var isAcknowledged = false
}

/// The books on all producers of a run: what one of them logged, another one may deliver after its death.
final class Books {
    private(set) var ledgers: [Ledger] = []

    func add(_ plan: ProducerPlan) -> Ledger {
        let ledger = Ledger(index: self.ledgers.count, plan: plan, books: self)
        self.ledgers.append(ledger)
        return ledger
    }

    /// The records that a producer may have in its hands: its own, and those of the dead that it shares a spool with.
    func within(reachOf ledger: Ledger) -> [Ledger] {
        guard let spool = ledger.plan.spool else { return [ledger] }
        return self.ledgers.filter { $0 === ledger || ($0.isOver && $0.plan.spool?.name == spool.name) }
    }
}

/// Keeps the books on one producer, independently of it: what was logged, sent, stored and acknowledged.
final class Ledger {
    let index: Int
    let plan: ProducerPlan
    private unowned let books: Books
    private(set) var logged: [LoggedRecord] = []
    /// What this producer has learned to be stored: all records, and of those the announcements of its own.
    private(set) var acknowledged = 0
    private(set) var acknowledgedSynthetic = 0
    /// The drops that arrived announcements tell of, and how many records those are.
    private(set) var announced = 0
    private(set) var rejected = 0
    private(set) var duplicates = 0
    /// Whether the producer has died or is stopping, so that others may have what it left.
    var isOver = false
    private(set) var isDead = false
    /// Whether a shutdown of the producer has returned.
    var hasStopped = false
    /// Whether one was begun. From then on the producer may have noted its stop.
    var hasBegunStop = false
    /// Whether it has died, and its folder says that it had not stopped.
    private(set) var leavesWord = false
    /// The record that tells of its end, and whether that was stored.
    private var toldBy: (ledger: Ledger, sequence: Int)?
    private(set) var isTold = false
    /// The requests on their way, in the order in which they were begun.
    private(set) var underway: [(id: Int, content: RequestContent)] = []
    /// Requests whose answer has been given while their storing is still to come, or the other way round.
    private var flows: [Int: Flow] = [:]
    /// What is known of each topic's deliveries.
    private(set) var lanes: [String: Lane] = [:]
    /// The highest sequence number whose first arrival was in this topic.
    private var lastFirst: [String: Int] = [:]
    /// Batches that were split when their sender died. Their files are still whole, so parts that were given up, for example
    /// as too large, come again behind others that were delivered.
    private var brokenOff: Set<String> = []
    private var seenSynthetic: Set<Int> = []
    /// Topics of which something in between has refused a record alone: it may come behind its successors then, and one of
    /// those in front of others.
    private var loose: Set<String> = []
    /// Records that this producer was refused alone, by sequence number: by whom at last, how often, and when first.
    private var refusals: [Int: (byService: Bool, count: Int, since: Int)] = [:]
    /// When a request of this producer was last answered with a success.
    private var deliveredIn = 0
    /// What the batch with an id is.
    private var batches: [String: Batch] = [:]

    private struct Batch: Equatable {
        var first: Int?
        var last: Int?
        var count: Int
    }

    private struct Flow {
        var content: RequestContent
        var lane: String
        var isStored = false
        var isEnded = false
        var isAcknowledged = false
    }

    /// Of requests that have just ended, which their sender may not have been told yet: when, and their bytes.
    private var justEnded = (epoch: 0, count: 0, bytes: 0)

    fileprivate init(index: Int, plan: ProducerPlan, books: Books) {
        self.index = index
        self.plan = plan
        self.books = books
    }

    /// The rules for a record that tells of this producer's end: its folder said so, and one record tells it. That can come
    /// more than once, but there is no other one: telling it and noting that it was told is one step of a task.
    func told(by other: Ledger, sequence: Int) throws {
        guard self.leavesWord else {
            throw Violation("the end of \(self.index) is told, which has left no word of it")
        }
        guard self.toldBy.map({ $0.ledger === other && $0.sequence == sequence }) ?? true else {
            throw Violation("the end of \(self.index) is told more than once")
        }
        self.toldBy = (other, sequence)
    }

    /// The number of all bodies on their way, and of those that have ended since the tasks of the simulation last had nothing
    /// to do, and their bytes before compression.
    func bodiesUnderway(epoch: Int) -> (count: Int, bytes: Int) {
        let ended = self.justEnded.epoch == epoch ? self.justEnded : (epoch: epoch, count: 0, bytes: 0)
        return (ended.count + self.underway.count, self.underway.reduce(ended.bytes) { $0 + $1.content.size })
    }

    func log(rank: Int, label: Int, size: Int, key: Int?, at moment: Duration, wall: Int64) -> Int {
        self.logged.append(
            LoggedRecord(rank: rank, label: label, size: size, loggedAt: moment, loggedWall: wall, key: key)
        )
        return self.logged.count
    }

    /// A request is on its way.
    func began(_ exchange: Exchange) throws {
        let content = try RequestContent(exchange, books: self.books.ledgers)
        let owner = self.books.ledgers[content.owner]
        guard
            owner === self
                || (owner.isOver && self.plan.spool != nil && owner.plan.spool?.name == self.plan.spool?.name)
        else { throw Violation("sends what producer \(owner.index) logged, which is not its heir") }
        let batching = self.plan.configuration.batching
        guard content.size <= batching.maximumRequestBytes else {
            throw Violation("a request of \(content.size) bytes, the limit being \(batching.maximumRequestBytes)")
        }
        guard content.records.count <= batching.maximumRecords, !content.records.isEmpty else {
            throw Violation("a request of \(content.records.count) records, the limit being \(batching.maximumRecords)")
        }
        for (first, second) in zip(content.records, content.records.dropFirst())
        where first.sequence >= second.sequence {
            throw Violation("record \(second.sequence) comes after \(first.sequence) in one request")
        }
        for record in content.records {
            if let number = record.number, owner.logged[number - 1].isAcknowledged {
                throw Violation("record \(number) is sent again though the service has said that it has it")
            }
        }
        guard self.underway.count < self.plan.configuration.delivery.maximumConcurrentRequests else {
            throw Violation("more than \(self.underway.count) requests at once")
        }
        let lane = owner === self ? content.key : Lane.recovery
        guard !self.underway.contains(where: { self.flows[$0.id]?.lane == lane }) else {
            throw Violation("two requests of one topic at once")
        }
        try owner.note(content)
        try self.lanes[lane, default: Lane()].began(content)
        self.underway.append((exchange.id, content))
        self.flows[exchange.id] = Flow(content: content, lane: lane)
    }

    /// Holds a batch of this producer's against what its id has stood for so far.
    private func note(_ content: RequestContent) throws {
        let batch = Batch(
            first: content.records.first?.sequence,
            last: content.records.last?.sequence,
            count: content.records.count
        )
        guard self.batches.updateValue(batch, forKey: content.batch) ?? batch == batch else {
            throw Violation("two batches have the id \(content.batch)")
        }
    }

    /// The service has stored a request.
    func stored(_ id: Int) throws {
        guard var flow = self.flows[id], !flow.isStored else { throw Violation("request \(id) is stored twice") }
        flow.isStored = true
        if flow.isEnded && !flow.isAcknowledged { self.markUncertain(flow.content) }
        let owner = self.books.ledgers[flow.content.owner]
        // What a dead process had sent may be stored when its heir is further on.
        let isLate = self.isDead || owner.brokenOff.contains(flow.content.wholeBatch)
        let last = isLate ? 0 : owner.lastFirst[flow.content.key] ?? 0
        for record in flow.content.records { try owner.store(record, in: flow.content.key, after: last) }
        self.keep(flow, id)
    }

    private func store(_ record: RequestContent.Record, in key: String, after last: Int) throws {
        if let number = record.number {
            let known = self.logged[number - 1]
            self.logged[number - 1].stored += 1
            if known.stored > 0 {
                self.duplicates += 1
                guard known.uncertain >= known.stored else {
                    throw Violation("record \(number) is stored twice, though no answer was lost")
                }
                return
            }
        } else {
            guard self.seenSynthetic.insert(record.sequence).inserted else { return }
            if let dead = record.endOf { self.books.ledgers[dead].isTold = true }
            self.announced += record.announced
        }
        guard record.sequence > last || self.loose.contains(key) else {
            throw Violation("record \(record.sequence) arrives for the first time after \(last) of the same topic")
        }
        self.lastFirst[key] = max(record.sequence, self.lastFirst[key] ?? 0)
    }

    /// A request has ended for its sender. No record of a delivered one may have been logged before `earliest`.
    func ended(_ id: Int, _ ending: ExchangeEnding, at now: Duration, epoch: Int, earliest: Duration?) throws {
        self.underway.removeAll { $0.id == id }
        guard var flow = self.flows[id] else { throw Violation("request \(id) ends twice") }
        flow.isEnded = true
        if self.justEnded.epoch != epoch { self.justEnded = (epoch, 0, 0) }
        self.justEnded.count += 1
        self.justEnded.bytes += flow.content.size
        self.lanes[flow.lane, default: Lane()].ended(flow.content, ending, at: now, epoch: epoch)
        if flow.content.records.count == 1 { self.noteRefusal(of: flow.content, ending, epoch: epoch) }
        switch ending {
        case .delivered:
            self.deliveredIn = epoch
            flow.isAcknowledged = true
            let owner = self.books.ledgers[flow.content.owner]
            self.acknowledged += flow.content.records.count
            for record in flow.content.records {
                guard let number = record.number else {
                    if owner === self { self.acknowledgedSynthetic += 1 }
                    continue
                }
                owner.logged[number - 1].isAcknowledged = true
                if let earliest, owner.logged[number - 1].loggedAt < earliest {
                    throw Violation("record \(number) was delivered late, though nothing stood in the way")
                }
            }
        case .rejected:
            // One of several is looked for.
            if flow.content.records.count == 1 { self.rejected += 1 }
            self.flows[id] = nil
            return
        case .noAnswer, .timedOut, .cancelled:
            if flow.isStored { self.markUncertain(flow.content) }
        case .answered:
            self.flows[id] = nil
            return
        }
        self.keep(flow, id)
    }

    /// Notes that a record was refused that was sent alone.
    private func noteRefusal(of content: RequestContent, _ ending: ExchangeEnding, epoch: Int) {
        let byService: Bool
        switch ending {
        case .rejected: byService = true
        case .answered(403, byService: false), .answered(413, byService: false):
            byService = false
            self.books.ledgers[content.owner].loose.insert(content.key)
        default: return
        }
        let sequence = content.records[0].sequence
        let before = self.refusals[sequence]
        self.refusals[sequence] = (byService, (before?.count ?? 0) + 1, before?.since ?? epoch)
    }

    /// The rule for a record that was given up by itself as refused: the service itself has refused it alone, or something in
    /// between has, twice, and passed another one since.
    func checkRefused(_ sequence: Int) throws {
        guard let refusal = self.refusals[sequence] else {
            throw Violation("gave record \(sequence) up, which nobody has refused alone")
        }
        guard !refusal.byService else { return }
        guard refusal.count > 1, self.deliveredIn >= refusal.since else {
            throw Violation("gave record \(sequence) up, though nothing has passed since it was refused")
        }
        self.rejected += 1
    }

    /// The process has died: whatever was on its way is not known to anybody, and what it had learned last it may not have
    /// noted in its files yet. Its folder says whether it had stopped.
    func died(epoch: Int, leavesWord: Bool) throws {
        self.isOver = true
        self.isDead = true
        self.leavesWord = leavesWord
        self.underway = []
        for (id, var flow) in self.flows where !flow.isEnded {
            flow.isEnded = true
            if flow.isStored { self.markUncertain(flow.content) }
            self.keep(flow, id)
        }
        for lane in self.lanes.values {
            for (owner, batch) in lane.split { self.books.ledgers[owner].brokenOff.insert(batch) }
            for (owner, number) in lane.unsettled(epoch: epoch) {
                let record = self.books.ledgers[owner].logged[number - 1]
                guard record.isAcknowledged else { continue }
                self.books.ledgers[owner].logged[number - 1].isAcknowledged = false
                self.books.ledgers[owner].logged[number - 1].uncertain += 1
            }
        }
        guard !leavesWord || !self.hasStopped else { throw Violation("has stopped, and its folder does not say so") }
        guard leavesWord || self.hasBegunStop else { throw Violation("dies, and its folder does not say so") }
    }

    private func markUncertain(_ content: RequestContent) {
        let owner = self.books.ledgers[content.owner]
        for record in content.records {
            if let number = record.number { owner.logged[number - 1].uncertain += 1 }
        }
    }

    private func keep(_ flow: Flow, _ id: Int) {
        self.flows[id] = flow.isStored && flow.isEnded ? nil : flow
    }
}

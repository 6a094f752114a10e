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

/// A record that a producer was given, and what is known of it.
struct LoggedRecord {
    var rank: Int
    var label: Int
    var size: Int
    /// When it was logged.
    var loggedAt: Duration
    /// The value under the key that may become topic or tag.
    var key: Int?
    /// How often the service has stored it.
    var stored = 0
    /// How often the service stored it or might still, without its sender having learned of it.
    var uncertain = 0
    /// Whether the sender has learned that it is stored.
    var isAcknowledged = false
}

/// Keeps the books on one producer, independently of it: what was logged, sent, stored and acknowledged.
struct Ledger {
    private(set) var logged: [LoggedRecord] = []
    private(set) var acknowledgedSynthetic = 0
    private(set) var acknowledgedOwn = 0
    /// The drops that arrived announcements tell of, and how many records those are.
    private(set) var announced = 0
    private(set) var rejected = 0
    private(set) var duplicates = 0
    /// The requests on their way, in the order in which they were begun.
    private(set) var underway: [(id: Int, content: RequestContent)] = []
    /// Requests whose answer has been given while their storing is still to come, or the other way round.
    private var contents: [Int: Flow] = [:]
    /// The highest sequence number whose first arrival was in this topic.
    private var lastFirst: [String: Int] = [:]
    private var seenSynthetic: Set<Int> = []
    /// What the batch with an id is.
    private var batches: [String: Batch] = [:]

    private struct Batch: Equatable {
        var first: Int?
        var last: Int?
        var count: Int
    }

    private struct Flow {
        var content: RequestContent
        var isStored = false
        var isEnded = false
        var isAcknowledged = false
    }

    /// Of requests that have just ended, which their sender may not have been told yet: when, and their bytes.
    private var justEnded = (epoch: 0, bytes: 0)

    /// The bytes of all bodies on their way, before compression, and of those that have ended since the tasks of the
    /// simulation last had nothing to do.
    func bytesUnderway(epoch: Int) -> Int {
        self.underway.reduce(self.justEnded.epoch == epoch ? self.justEnded.bytes : 0) { $0 + $1.content.size }
    }

    mutating func log(rank: Int, label: Int, size: Int, key: Int?, at moment: Duration) -> Int {
        self.logged.append(LoggedRecord(rank: rank, label: label, size: size, loggedAt: moment, key: key))
        return self.logged.count
    }

    /// A request is on its way.
    mutating func began(_ exchange: Exchange, plan: ProducerPlan) throws {
        let content = try RequestContent(exchange, plan: plan, logged: self.logged)
        let batching = plan.configuration.batching
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
            if let number = record.number, self.logged[number - 1].isAcknowledged {
                throw Violation("record \(number) is sent again though the service has said that it has it")
            }
        }
        guard self.underway.count < plan.configuration.delivery.maximumConcurrentRequests else {
            throw Violation("more than \(self.underway.count) requests at once")
        }
        guard !self.underway.contains(where: { $0.content.key == content.key }) else {
            throw Violation("two requests of one topic at once")
        }
        let batch = Batch(
            first: content.records.first?.sequence,
            last: content.records.last?.sequence,
            count: content.records.count
        )
        guard self.batches.updateValue(batch, forKey: content.batch) ?? batch == batch else {
            throw Violation("two batches have the id \(content.batch)")
        }
        self.underway.append((exchange.id, content))
        self.contents[exchange.id] = Flow(content: content)
    }

    /// The service has stored a request.
    mutating func stored(_ id: Int) throws {
        guard var flow = self.contents[id], !flow.isStored else { throw Violation("request \(id) is stored twice") }
        flow.isStored = true
        let last = self.lastFirst[flow.content.key] ?? 0
        for record in flow.content.records {
            try self.store(record, in: flow.content.key, after: last)
        }
        if flow.isEnded && !flow.isAcknowledged { self.markUncertain(flow.content) }
        self.keep(flow, id)
    }

    private mutating func store(_ record: RequestContent.Record, in key: String, after last: Int) throws {
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
            self.announced += record.announced
        }
        guard record.sequence > last else {
            throw Violation("record \(record.sequence) arrives for the first time after \(last) of the same topic")
        }
        self.lastFirst[key] = record.sequence
    }

    /// A request has ended for its sender. No record of a delivered one may have been logged before `earliest`.
    mutating func ended(_ id: Int, _ ending: ExchangeEnding, epoch: Int, earliest: Duration?) throws {
        self.underway.removeAll { $0.id == id }
        guard var flow = self.contents[id] else { throw Violation("request \(id) ends twice") }
        flow.isEnded = true
        let bytes = self.justEnded.epoch == epoch ? self.justEnded.bytes : 0
        self.justEnded = (epoch, bytes + flow.content.size)
        switch ending {
        case .delivered:
            flow.isAcknowledged = true
            for record in flow.content.records {
                guard let number = record.number else {
                    self.acknowledgedSynthetic += 1
                    continue
                }
                self.acknowledgedOwn += 1
                self.logged[number - 1].isAcknowledged = true
                if let earliest, self.logged[number - 1].loggedAt < earliest {
                    throw Violation("record \(number) was delivered late, though nothing stood in the way")
                }
            }
        case .rejected:
            self.rejected += flow.content.records.count
            self.contents[id] = nil
            return
        case .noAnswer, .cancelled:
            if flow.isStored { self.markUncertain(flow.content) }
        case .answered:
            self.contents[id] = nil
            return
        }
        self.keep(flow, id)
    }

    private mutating func markUncertain(_ content: RequestContent) {
        for record in content.records {
            if let number = record.number { self.logged[number - 1].uncertain += 1 }
        }
    }

    private mutating func keep(_ flow: Flow, _ id: Int) {
        self.contents[id] = flow.isStored && flow.isEnded ? nil : flow
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// A log among those that its producer sent before and after it.
public struct LogContext: Sendable, Equatable {
    /// In the order of the producer: by `seq` if the log has one, and by arrival otherwise.
    public var logs: [StoredLog] = []
    /// Where the log itself is among them.
    public var index = 0
    /// Whether the order is that of `seq`.
    public var isBySequence = false
}

extension LogScan {
    /// How far away in the order of arrival a neighbour is looked for: topics are delivered by themselves, and retried.
    private static let reach: Int64 = 20_000

    /// The `count` logs before and after the one called `id`; `nil` if there is no such log.
    ///
    /// The scan has to be one for all logs.
    func context(of id: Int64, count: Int) throws -> LogContext? {
        guard let center = try self.load(id) else { return nil }
        let sequence = center.sequence
        var candidates: [(order: Int64, log: StoredLog)] = []
        let block = Block(
            ids: max(1, id - Self.reach)...id + Self.reach,
            minimumTime: .min,
            maximumTime: .max,
            counts: nil,
            mayMatch: true
        )
        var order: [(order: Int64, distance: Int64, id: Int64)] = []
        try self.forEachMatch(in: block) { log in
            guard try self.isOfSameProducer(log, as: center) else { return true }
            guard let sequence else {
                order.append((log.id, 0, log.id))
                return true
            }
            guard let other = Self.sequence(log.fields) else { return true }
            // The same log once more: it was delivered twice.
            if other == sequence, log.id != id { return true }
            // A producer that starts again counts from 1 again. Within one run, later numbers have later times, but for
            // what threads log at the same instant.
            let isSameRun = log.id == id || (other > sequence) == (log.time >= center.time)
            let distance = abs(log.time - center.time)
            if isSameRun || distance < 1_000 { order.append((other, distance, log.id)) }
            return true
        }
        order.sort { $0 < $1 }
        // Of those with the same number, from an earlier run or delivered twice, the one that is nearest in time.
        if sequence != nil {
            order = order.enumerated().filter { $0 == 0 || order[$0 - 1].order != $1.order }.map(\.element)
        }
        guard let place = order.firstIndex(where: { $0.id == id }) else { return nil }
        let neighbours = order[max(0, place - count)...min(order.count - 1, place + count)]
        for neighbour in neighbours {
            if let log = try self.load(neighbour.id) { candidates.append((neighbour.order, log)) }
        }
        return LogContext(
            logs: candidates.map(\.log),
            index: candidates.firstIndex { $0.log.id == id } ?? 0,
            isBySequence: sequence != nil
        )
    }

    private func isOfSameProducer(_ log: Log, as center: StoredLog) throws -> Bool {
        guard let request = try self.request(log.requestID) else { return false }
        return request.project == center.request.project && request.logstore == center.request.logstore
            && request.source == center.request.source && request.producerTags == center.request.producerTags
    }

    fileprivate static func sequence(_ fields: UnsafeBufferPointer<UInt8>) -> Int64? {
        var object = FlatObject(fields)
        while let member = object.next() {
            if member.isNamed("seq") { return Int64(member.value) }
        }
        return nil
    }
}

extension StoredRequest {
    /// What all requests of one producer have in common. The number of a batch is not part of it: a producer has one
    /// series of them for each topic.
    fileprivate var producerTags: [Field] { self.tags.filter { $0.name != "__pack_id__" } }
}

extension StoredLog {
    fileprivate var sequence: Int64? {
        var json = self.log.json
        return json.withUTF8(LogScan.sequence)
    }
}

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

extension LogReader {
    /// How far away in the order of arrival a neighbour is looked for: topics are delivered by themselves, and retried.
    private static let reach: Int64 = 20_000

    /// The `count` logs before and after the one called `id`; `nil` if there is no such log.
    ///
    /// The reader has to be one for all logs.
    func context(of id: Int64, count: Int) throws -> LogContext? {
        guard let center = try self.load(id) else { return nil }
        let sequence = center.log["seq"].flatMap { Int64($0) }
        var order: [(order: Int64, distance: Int64, id: Int64)] = []
        let ids = max(1, id - Self.reach)...id + Self.reach
        try self.forEach("id, request_id, at, field(fields, 'seq')", ids: ids) { row in
            let log = row.int(0)
            guard try self.request(row.int(1))?.request.isOfSameProducer(as: center.request) == true else {
                return true
            }
            guard let sequence else {
                order.append((log, 0, log))
                return true
            }
            guard let other = row.optionalString(3).flatMap({ Int64($0) }) else { return true }
            // The same log once more: it was delivered twice.
            if other == sequence, log != id { return true }
            // A producer that starts again counts from 1 again. Within one run, later numbers have later times, but for
            // what threads log at the same instant.
            let isSameRun = log == id || (other > sequence) == (row.int(2) >= center.time)
            let distance = abs(row.int(2) - center.time)
            if isSameRun || distance < 1_000 { order.append((other, distance, log)) }
            return true
        }
        order.sort { $0 < $1 }
        // Of those with the same number, from an earlier run or delivered twice, the one that is nearest in time.
        if sequence != nil {
            order = order.enumerated().filter { $0 == 0 || order[$0 - 1].order != $1.order }.map(\.element)
        }
        guard let place = order.firstIndex(where: { $0.id == id }) else { return nil }
        let logs = try order[max(0, place - count)...min(order.count - 1, place + count)]
            .compactMap { try self.load($0.id) }
        return LogContext(logs: logs, index: logs.firstIndex { $0.id == id } ?? 0, isBySequence: sequence != nil)
    }
}

extension StoredRequest {
    /// The number of a batch does not matter: a producer has one series of them for each topic.
    fileprivate func isOfSameProducer(as other: Self) -> Bool {
        self.project == other.project && self.logstore == other.logstore && self.source == other.source
            && self.producerTags == other.producerTags
    }

    private var producerTags: [Field] { self.tags.filter { $0.name != "__pack_id__" } }
}

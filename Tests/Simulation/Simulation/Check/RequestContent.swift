// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// What a request says, as far as the checks need it.
struct RequestContent {
    /// One record of the request.
    struct Record {
        var sequence: Int
        /// The record's own number at its producer; `nil` for one that the library wrote itself.
        var number: Int?
        /// The drops that a record of the library's own tells of, and the producer whose end it tells of.
        var announced = 0
        var endOf: Int?
    }

    /// The producer that logged the records, which need not be the one that sends them.
    var owner: Int
    /// Topic and tags.
    var key: String
    /// The batch id, by which a batch that comes twice can be told.
    var batch: String
    var records: [Record]
    var size: Int
    /// Its bytes on the wire.
    var wireSize: Int

    /// The batch id without the name of a part.
    var wholeBatch: String { String(self.batch.prefix { $0 != "." }) }

    /// Takes a request apart; throws a `Violation` if it is not what the producer was given to log.
    init(_ exchange: Exchange, books: [Ledger]) throws {
        let request: RecordedRequest
        do { request = try RecordedRequest(exchange.request) } catch {
            throw Violation("request \(exchange.id) cannot be read: \(error)")
        }
        guard let owner = Self.producer(ofSource: request.source), books.indices.contains(owner) else {
            throw Violation("a request comes from \(request.source)")
        }
        let plan = books[owner].plan
        let logged = books[owner].logged
        var tags = request.tags
        guard let batch = tags.removeValue(forKey: "__pack_id__") else { throw Violation("a request has no batch id") }
        self.owner = owner
        self.batch = batch
        self.key = ([request.topic] + tags.map { "\($0.key)=\($0.value)" }.sorted()).joined(separator: "\n")
        self.size = request.rawBody.count
        self.wireSize = exchange.request.body.count
        self.records = []
        self.records.reserveCapacity(request.logs.count)
        for log in request.logs {
            guard let sequence = log["seq"].flatMap({ Int($0) }) else { throw Violation("a record has no seq") }
            if let pid = log["exit.pid"].flatMap({ Int($0) }) {
                let dead = pid - Self.firstPID
                guard books.indices.contains(dead) else { throw Violation("the end of \(pid) is told, who never was") }
                try books[dead].told(by: books[owner], sequence: sequence)
                self.records.append(Record(sequence: sequence, number: nil, endOf: dead))
                continue
            }
            if log["label"] == "webtracking" {
                guard let total = log["dropped.total"].flatMap({ Int($0) }) else {
                    throw Violation("an announcement does not say how many")
                }
                self.records.append(Record(sequence: sequence, number: nil, announced: total))
                continue
            }
            guard let number = log["n"].flatMap({ Int($0) }), number >= 1, number <= logged.count else {
                throw Violation("record \(log["n"] ?? "?") is sent, and was never logged")
            }
            let record = logged[number - 1]
            let label = plan.labels[record.label]
            let isRight =
                log["label"] == label && log["level"] == LogLevel.ranked[record.rank].rawValue
                && log["message"] == MessageText.text(number: number, size: record.size)
            guard isRight else { throw Violation("record \(number) is not as it was logged: \(log)") }
            try Self.checkPlace(
                of: record,
                label: label,
                topic: request.topic,
                tags: tags,
                log: log,
                plan: plan
            )
            self.records.append(Record(sequence: sequence, number: number))
        }
    }

    /// The source that a producer's requests name, so that it can be told who logged what is sent.
    static func source(ofProducer index: Int) -> String { "simulated-\(index)" }

    /// The number of the first producer's process.
    static let firstPID = 1000

    private static func producer(ofSource source: String) -> Int? {
        source.split(separator: "-").last.flatMap { Int($0) }
    }

    /// Checks that a record is in the topic it belongs to, or in the base topic with everything among its fields.
    private static func checkPlace(
        of record: LoggedRecord,
        label: String,
        topic: String,
        tags: [String: String],
        log: [String: String],
        plan: ProducerPlan
    ) throws {
        let value = record.key.map { "value\($0)" }
        let configuration = plan.configuration
        let own: String
        var ownTags: [String: String] = [:]
        switch configuration.topic {
        case .fixed(let topic): own = topic
        case .metadata(_, let fallback): own = value ?? fallback
        default: own = label
        }
        if configuration.promotedTags == ["k"], let value { ownTags["k"] = value }
        let isPromoted = !ownTags.isEmpty || configuration.topic != .label && own == value
        if topic == own && tags == ownTags && log["k"] == (isPromoted ? nil : value) { return }
        let base: String
        switch configuration.topic {
        case .fixed(let topic): base = topic
        case .metadata(_, let fallback): base = fallback
        default: base = ""
        }
        guard topic == base && tags.isEmpty && log["k"] == value else {
            throw Violation("a record of topic \(own) \(ownTags) is sent in topic \(topic) \(tags)")
        }
    }
}

/// A rule that was broken.
package struct Violation: Error, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The texts of the records' messages, which can be told from their number and size.
enum MessageText {
    private static let padding = Array(
        String(repeating: "The quick brown fox \"jumps\"\tover the lazy dog\\ 0123456789; ", count: 1000).utf8
    )

    static func text(number: Int, size: Int) -> String {
        "\(number) \(String(decoding: Self.padding[..<min(size, Self.padding.count)], as: UTF8.self))"
    }
}

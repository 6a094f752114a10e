// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ReferenceRecords
import WebTracking

/// What is logged, how, and by what kind of logger: one row of the gates' tables.
struct Scenario: Sendable {
    let name: String
    /// How many records make a round: about 200 KiB at the most, of the 256 KiB that a batch has.
    var roundLength = 400
    /// How many records at the beginning of a round open a batch, and may allocate: one for each topic.
    var openings = 1
    /// Whether the instructions of those are counted with the others'.
    var countsOpenings = true
    /// The labels of the loggers.
    var labels = ["shop.orders"]
    /// What the records add to a handler that does nothing, beside being taken: their error is described.
    var describesErrors = false
    /// How often each record may allocate, where that is known not to be "never".
    var allowed = 0
    /// The topic has been given up once for being idle.
    var retires = false
    /// Batches are files.
    var hasSpool = false
    /// The first record of a round is being sent while the others are logged.
    var isHeld = false
    var configure: @Sendable (inout WebTrackingConfiguration) -> Void = { _ in }
    /// Gives a logger metadata or the like.
    var prepare: @Sendable (inout Logger) -> Void = { _ in }
    /// Logs record number `index`.
    let log: @Sendable (_ index: Int, _ loggers: [Logger]) -> Void

    /// Records whose allocations are counted.
    static let allCases: [Scenario] =
        Self.reference + [
            Scenario(
                name: "handler-metadata",
                prepare: {
                    $0[metadataKey: "service"] = "order-service"
                    $0[metadataKey: "zone"] = "cn-hangzhou-h"
                },
                log: { ReferenceRecord.reference.log($0, to: $1[0]) }
            ),
            Scenario(
                name: "outranked-metadata",
                prepare: {
                    $0[metadataKey: "service"] = "order-service"
                    $0[metadataKey: "path"] = "the event has another one"
                },
                log: { ReferenceRecord.reference.log($0, to: $1[0]) }
            ),
            Scenario(
                name: "provider",
                prepare: { $0.handler.metadataProvider = ContextProvider.provider },
                log: { ReferenceRecord.reference.log($0, to: $1[0]) }
            ),
            Scenario(
                name: "error",
                describesErrors: true,
                log: { $1[0].info("the order was refused", error: OrderError.refused(code: $0 % 8)) }
            ),
            Scenario(name: "orders", log: { ReferenceRecord.logReordered($0, to: $1[0]) }),
            Scenario(name: "redacted", log: { ReferenceRecord.logSecret($0, to: $1[0]) }),
            Scenario(
                name: "dropped",
                configure: { $0.redaction.rules.insert(.suffix("token", .drop), at: 0) },
                log: { ReferenceRecord.logSecret($0, to: $1[0]) }
            ),
            Scenario(
                name: "pseudonym",
                configure: {
                    $0.redaction.rules.insert(.suffix("token", .pseudonym), at: 0)
                    $0.redaction.pseudonymKey = PseudonymKey(bytes: Array(0..<16))
                },
                log: { ReferenceRecord.logSecret($0, to: $1[0]) }
            ),
            Scenario(
                name: "sampled",
                configure: { $0.sampling.rates = Sampling.Rate.below(.error, .init(first: 1_000_000, thenOneIn: 1)) },
                log: { ReferenceRecord.reference.log($0, to: $1[0]) }
            ),
            Scenario(
                name: "folding",
                // Each record is kept, to be compared with the next one.
                allowed: 1,
                configure: { $0.sampling.suppressedRepeats = [.info] },
                log: { ReferenceRecord.reference.log($0, to: $1[0]) }
            ),
            // One override for this label, and one for another.
            Scenario(
                name: "overridden",
                configure: { $0.logLevelOverrides = ["": .info, "noisy": .error] },
                log: { ReferenceRecord.reference.log($0, to: $1[0]) }
            ),
            Scenario(name: "statements", log: { Statements.log($0, to: $1[0]) }),
            Scenario(
                name: "label-topics",
                // Eight of each topic fit into the memory that a batch starts with, so that none has to grow.
                roundLength: 80,
                openings: 10,
                labels: (0..<10).map { "shop.worker.\($0)" },
                configure: { $0.topic = .label },
                log: { ReferenceRecord.reference.log($0, to: $1[$0 % 10]) }
            ),
            Scenario(
                name: "retired-topic",
                retires: true,
                configure: {
                    $0.topic = .label
                    $0.idleTopicTimeout = .seconds(1)
                },
                log: { ReferenceRecord.reference.log($0, to: $1[0]) }
            ),
            Scenario(
                name: "in-files",
                // What a record does that begins a batch depends on whether a file is there for it yet.
                countsOpenings: false,
                hasSpool: true,
                log: { ReferenceRecord.reference.log($0, to: $1[0]) }
            ),
            Scenario(
                name: "urgent",
                openings: 2,
                isHeld: true,
                log: { $1[0].error("the ledger is not there, attempt \($0 & 7)", metadata: ["attempt": "\($0 & 7)"]) }
            ),
        ]

    /// Records whose instructions are counted as well: the four reference records, and what would show if one of the
    /// caller's short cuts no longer worked.
    static let counted: [Scenario] =
        Self.reference
        + Self.allCases.filter {
            [
                "handler-metadata", "orders", "redacted", "overridden", "statements", "retired-topic", "in-files",
            ].contains($0.name)
        }
        + [Scenario(name: "disabled", log: { ReferenceRecord.logDisabled($0, to: $1[0]) })]

    static let reference: [Scenario] = ReferenceRecord.allCases.map { record in
        Scenario(
            name: record.rawValue,
            roundLength: [.short: 1000, .reference: 400, .wide: 200, .large: 16][record] ?? 400,
            log: { record.log($0, to: $1[0]) }
        )
    }

    /// Topics in turn, for the misses of the caches that many of them bring about.
    static let topics: [Scenario] = [1, 1000].map { topics in
        Scenario(
            name: "topics-\(topics)",
            // As many of each as fit into the memory that a batch starts with; of a single topic, as usual.
            roundLength: topics == 1 ? 400 : topics * 8,
            openings: topics,
            countsOpenings: false,
            labels: (0..<topics).map { "shop.worker.\($0)" },
            configure: { $0.topic = .label },
            log: { ReferenceRecord.reference.log($0, to: $1[$0 % topics]) }
        )
    }

    static func named(_ name: String) -> Scenario? {
        (self.allCases + self.counted + self.topics).first { $0.name == name }
    }
}

/// A provider as an application has one: it hands out what is there.
private enum ContextProvider {
    static let provider = Logger.MetadataProvider { Self.context }
    private static let context: Logger.Metadata = [
        "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736", "span.id": "00f067aa0ba902b7",
    ]
}

private enum OrderError: Error {
    case refused(code: Int)
}

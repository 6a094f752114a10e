// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A process, as it is named to people. Nothing is decided by it: numbers come again, and a volume may move to another host.
package struct ProcessIdentity: Equatable, Sendable {
    package var pid: Int64
    package var host: String

    package init(pid: Int64, host: String) {
        self.pid = pid
        self.host = host
    }
}

/// A process that ended without a stop of its producer, as a later one tells of it.
struct UnexpectedExit: Equatable, Sendable {
    let process: ProcessIdentity
    /// When its producer was made, nanoseconds since 1970.
    let startedAt: Int64
    /// When its last record came, as far as is known: the last one that came back, or the first one of the last batch.
    private(set) var lastRecordAt: Int64?
    /// How many of its records came back.
    private(set) var recovered = 0
    /// The topic of a producer's records that have no other.
    private let baseTopic: String
    private var topics: Set<String> = []

    init(_ process: ProcessIdentity, startedAt: Int64, lastBatchAt: Int64?, baseTopic: String) {
        self.process = process
        self.startedAt = startedAt
        self.lastRecordAt = lastBatchAt
        self.baseTopic = baseTopic
    }

    /// Counts records that came back, of which the last one is of that time.
    mutating func note(_ records: Int, topic: String, lastAt: Int64?) {
        self.recovered += records
        self.topics.insert(topic)
        if let lastAt { self.lastRecordAt = max(self.lastRecordAt ?? .min, lastAt) }
    }

    /// The topic on which it is told: that of the records, if all have one.
    var topic: String { self.topics.count == 1 ? self.topics.first ?? self.baseTopic : self.baseTopic }
}

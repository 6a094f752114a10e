// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What became of a record that was offered to a queue.
enum AppendAnswer: Equatable {
    case accepted
    case dropped(DropReason)
    /// The queue is out of use, as its topic was idle; ``RecordQueues`` may put it into use again.
    case retired
}

/// Where the encoded records of one topic go.
protocol RecordQueue: AnyObject, Sendable {
    /// Takes one encoded record, or counts it as dropped.
    ///
    /// - Parameters:
    ///   - comparedFrom: Where in `members` the part begins that makes the record the same as another, if a record like the
    ///     one before it is to be left out.
    ///   - isSynthetic: Whether the record is one of the library's own.
    func append(
        _ members: UnsafeRawBufferPointer,
        rank: Int,
        repairs: RepairCounts,
        comparedFrom: Int?,
        isSynthetic: Bool
    ) -> AppendAnswer
}

extension RecordQueue {
    /// Takes one of the library's own records.
    func append(_ record: SyntheticRecord) -> AppendAnswer {
        record.members.withUnsafeBytes {
            self.append($0, rank: record.rank, repairs: RepairCounts(), comparedFrom: nil, isSynthetic: true)
        }
    }
}

/// The queues of all topics.
protocol RecordQueues: AnyObject, Sendable {
    /// The queue of records that find no place in their own topic's.
    var baseQueue: any RecordQueue { get }

    /// The queue of a topic, put into use if there is room for it; `nil` if there is not.
    func queue(for key: TopicKey) -> (any RecordQueue)?

    /// The queue of a topic that may have records later; it answers that it is retired until ``revive(_:)``.
    func futureQueue(for key: TopicKey) -> any RecordQueue

    /// Puts a retired queue into use again; `false` if there is no room for it.
    func revive(_ queue: any RecordQueue) -> Bool
}

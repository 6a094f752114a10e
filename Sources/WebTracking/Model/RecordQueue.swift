// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The result of an append to a queue.
enum AppendAnswer: Equatable {
    case accepted
    case dropped(DropReason)
    /// The queue is not in use, as its topic was idle. ``RecordQueues`` can put it into use again. The number, if there is one,
    /// was drawn for the record, and is to be passed with its next attempt: a number that never arrives is a drop.
    case retired(number: UInt64?)
}

/// A queue for the encoded records of one topic.
protocol RecordQueue: AnyObject, Sendable {
    /// Appends one encoded record, or counts it as dropped.
    ///
    /// - Parameters:
    ///   - number: The record's sequence number, if an earlier attempt has drawn it.
    ///   - comparedFrom: Where in `members` the part begins that is compared with the record before; `nil` if repeats
    ///     are kept.
    ///   - isSynthetic: Whether the library wrote the record itself.
    func append(
        _ members: UnsafeRawBufferPointer,
        rank: Int,
        repairs: RepairCounts,
        number: UInt64?,
        comparedFrom: Int?,
        isSynthetic: Bool
    ) -> AppendAnswer
}

extension RecordQueue {
    /// Appends one of the library's own records.
    func append(_ record: SyntheticRecord) -> AppendAnswer {
        record.members.withUnsafeBytes {
            self.append(
                $0,
                rank: record.rank,
                repairs: RepairCounts(),
                number: nil,
                comparedFrom: nil,
                isSynthetic: true
            )
        }
    }
}

/// The queues of all topics.
protocol RecordQueues: AnyObject, Sendable {
    /// The queue for records that find no place in their own topic's queue.
    var baseQueue: any RecordQueue { get }

    /// The queue of a topic, which is put into use if there is room for it; `nil` if there is none.
    func queue(for key: TopicKey) -> (any RecordQueue)?

    /// The queue of a topic that may have records later. It answers ``AppendAnswer/retired`` until ``revive(_:)``.
    func futureQueue(for key: TopicKey) -> any RecordQueue

    /// Puts a retired queue into use again. Returns `false` if there is no room for it.
    func revive(_ queue: any RecordQueue) -> Bool
}

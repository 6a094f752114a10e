// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What all topics of a producer share.
final class QueueContext: Sendable {
    let clock: any ProducerClock
    let alarm: Alarm
    let source: String
    let staticTags: [(key: String, value: String)]
    let sealPolicy: SealPolicy
    let budget: MemoryBudget
    let memoryPool = BatchMemoryPool()
    /// Where batches live that are to outlive the process; `nil` if they need not.
    let spool: SpoolStore?
    /// Where tasks run; `nil` for Swift's own pool.
    let executor: (any TaskExecutor)?
    /// What stands before a record's sequence number, or before its first member where there is none.
    let recordOpening: [UInt8]
    /// Starts delivery for a buffer; runs until the buffer lets it go.
    let startWorker: @Sendable (TopicQueue) async -> Void
    /// Encodes what tells of a record that came again and again.
    let repetition: @Sendable (RepeatedRecord) -> SyntheticRecord?
    private let hasSequence: Bool
    private let sequence = Atomic<UInt64>(0)
    /// What the batch ids of this producer are made from; `nil` for batches without one.
    private let batchIdentity: UInt64?
    private let buffers = Atomic<UInt64>(0)

    init(
        clock: any ProducerClock,
        source: String,
        staticTags: [(key: String, value: String)],
        sealPolicy: SealPolicy,
        budget: MemoryBudget,
        sequenceName: String?,
        batchIdentity: UInt64?,
        spool: SpoolStore?,
        executor: (any TaskExecutor)?,
        startWorker: @escaping @Sendable (TopicQueue) async -> Void,
        repetition: @escaping @Sendable (RepeatedRecord) -> SyntheticRecord? = { _ in nil }
    ) {
        self.clock = clock
        self.alarm = Alarm(clock: clock, executor: executor)
        self.source = source
        self.staticTags = staticTags
        self.sealPolicy = sealPolicy
        self.budget = budget
        self.hasSequence = sequenceName != nil
        self.batchIdentity = batchIdentity
        self.spool = spool
        self.executor = executor
        self.startWorker = startWorker
        self.repetition = repetition
        self.recordOpening = EncodedRecord.opening(sequenceName: sequenceName)
    }

    /// The number of the next record, from 1; called inside a topic's critical section, so that the numbers of a topic
    /// rise in the order of its records.
    @inline(__always)
    func nextSequence() -> UInt64? {
        self.hasSequence ? self.sequence.add(1, ordering: .relaxed).newValue : nil
    }

    /// Whether a record of this rank may use memory and files that are held already.
    @inline(__always)
    func admits(rank: Int) -> Bool {
        self.budget.admits(rank: rank) && self.spool?.admits(rank: rank) ?? true
    }

    /// What a new buffer's batch ids begin with: unlike those of every buffer before it, of this and other producers.
    func nextBatchPrefix() -> UInt64? {
        guard let identity = self.batchIdentity else { return nil }
        let number = self.buffers.add(1, ordering: .relaxed).newValue
        let mixed = (identity &+ number &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        return mixed ^ mixed >> 31
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The parts that all queues of a producer share.
final class QueueContext: Sendable {
    let clock: any ProducerClock
    let alarm: Alarm
    /// What the topics' tasks pass through when they are woken or started.
    let turnstile = Turnstile()
    let source: String
    let staticTags: [(key: String, value: String)]
    let sealPolicy: SealPolicy
    let budget: ByteBudget
    /// The store of batches that are to outlive the process; `nil` if none are.
    let spool: SpoolStore?
    /// The executor of tasks; `nil` for Swift's own pool.
    let executor: (any TaskExecutor)?
    /// Numbers the records.
    let numbers: RecordNumbers
    /// Runs delivery for a queue. Returns when the queue ends it.
    let startWorker: @Sendable (TopicQueue) async -> Void
    /// Encodes a record that reports repeats.
    let repetition: @Sendable (RepeatedRecord) -> SyntheticRecord?
    /// The base of this producer's batch ids; `nil` for batches without ids.
    private let batchIdentity: UInt64?
    private let queues = Atomic<UInt64>(0)

    init(
        clock: any ProducerClock,
        source: String,
        staticTags: [(key: String, value: String)],
        sealPolicy: SealPolicy,
        budget: ByteBudget,
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
        self.numbers = RecordNumbers(sequenceName: sequenceName)
        self.batchIdentity = batchIdentity
        self.spool = spool
        self.executor = executor
        self.startWorker = startWorker
        self.repetition = repetition
    }

    /// Whether a record of this rank may use memory and files that are already held.
    @inline(__always)
    func admits(rank: Int) -> Bool {
        self.budget.admits(rank: rank) && self.spool?.admits(rank: rank) ?? true
    }

    /// Gives back the memory of a batch in a file.
    func unmap(_ batch: Batch) {
        // A batch in memory only stays mapped.
        guard batch.memory.file != nil, !batch.isUnspooled else { return }
        self.budget.release(batch.memory.heldBytes)
        self.spool?.unmap(batch.memory)
    }

    /// The prefix of a new queue's batch ids. It differs from that of every earlier queue of any producer.
    func nextBatchPrefix() -> UInt64? {
        guard let identity = self.batchIdentity else { return nil }
        let number = self.queues.add(1, ordering: .relaxed).newValue
        let mixed = (identity &+ number &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        return mixed ^ mixed >> 31
    }
}

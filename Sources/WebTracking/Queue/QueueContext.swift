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
    let heap: HeapHome
    /// Where batches are.
    let home: any BatchHome
    /// What the heap and the home have room for. Beside them, as each record reads it.
    let budget: ByteBudget
    let bound: ByteBudget?
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
        heap: HeapHome,
        home: (any BatchHome)? = nil,
        sequenceName: String?,
        batchIdentity: UInt64?,
        executor: (any TaskExecutor)?,
        startWorker: @escaping @Sendable (TopicQueue) async -> Void,
        repetition: @escaping @Sendable (RepeatedRecord) -> SyntheticRecord? = { _ in nil }
    ) {
        self.clock = clock
        self.alarm = Alarm(clock: clock, executor: executor)
        self.source = source
        self.staticTags = staticTags
        self.sealPolicy = sealPolicy
        self.heap = heap
        self.home = home ?? heap
        self.budget = heap.budget
        self.bound = home?.bound
        self.numbers = RecordNumbers(sequenceName: sequenceName)
        self.batchIdentity = batchIdentity
        self.executor = executor
        self.startWorker = startWorker
        self.repetition = repetition
    }

    /// Whether a record of this rank may use what batches hold already.
    @inline(__always)
    func admits(rank: Int) -> Bool {
        self.budget.admits(rank: rank) && self.bound?.admits(rank: rank) ?? true
    }

    /// The prefix of a new queue's batch ids. It differs from that of every earlier queue of any producer.
    func nextBatchPrefix() -> UInt64? {
        guard let identity = self.batchIdentity else { return nil }
        let number = self.queues.add(1, ordering: .relaxed).newValue
        let mixed = (identity &+ number &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        return mixed ^ mixed >> 31
    }
}

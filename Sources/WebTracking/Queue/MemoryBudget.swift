// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The bytes that a producer holds, over all topics, and how many each level may bring them to.
///
/// Charged when a batch asks for memory, not for each record, which only reads the total.
final class MemoryBudget: Sendable {
    /// What a topic in use takes up beside its batches: its buffer, and the tasks that deliver it. Measured: 11 KB.
    static let topicBytes = 12 << 10

    private let held = Atomic<Int>(0)
    /// The part of that which is for topics in use.
    private let topics = Atomic<Int>(0)
    private let ceilings: [Int]
    private let topicCeiling: Int

    init(limit: Int, shedding: SheddingPolicy) {
        self.topicCeiling = limit / 2
        self.ceilings = (0..<7).map { shedding.ceiling(rank: $0, limit: limit) }
    }

    /// The bytes held now.
    var heldBytes: Int { self.held.load(ordering: .relaxed) }

    /// The bytes held for records.
    var recordBytes: Int { max(self.heldBytes - self.topics.load(ordering: .relaxed), 0) }

    /// Takes what a topic takes up that comes into use; `false` if there is no room for one more. Topics leave half of the
    /// limit to their records.
    func takeTopic() -> Bool {
        let taken = self.topics.add(Self.topicBytes, ordering: .relaxed).newValue
        if taken <= self.topicCeiling, self.charge(Self.topicBytes, rank: 6) { return true }
        self.topics.subtract(Self.topicBytes, ordering: .relaxed)
        return false
    }

    /// Gives back what a topic took up.
    func releaseTopic() {
        self.release(Self.topicBytes)
        self.topics.subtract(Self.topicBytes, ordering: .relaxed)
    }

    /// Takes `bytes` for a record of this rank; `false` if its level may not bring the total that far.
    func charge(_ bytes: Int, rank: Int) -> Bool {
        let ceiling = self.ceilings[rank]
        let total = self.held.add(bytes, ordering: .relaxed).newValue
        if total <= ceiling { return true }
        self.held.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// Takes `bytes` for what has to be held in any case, such as a compressed body on its way.
    func charge(_ bytes: Int) {
        self.held.add(bytes, ordering: .relaxed)
    }

    /// Gives `bytes` back.
    func release(_ bytes: Int) {
        self.held.subtract(bytes, ordering: .relaxed)
    }

    /// Whether a record of this rank may use memory that is held already.
    ///
    /// Without this, the memory that was found for an error would be filled up by the lesser records behind it.
    @inline(__always)
    func admits(rank: Int) -> Bool {
        self.heldBytes <= self.ceilings[rank]
    }

    /// Whether what can be kept elsewhere should be.
    var isHalfFull: Bool { self.heldBytes > self.ceilings[6] / 2 }

    /// The bytes that records of this rank may still bring the total up by.
    func room(rank: Int) -> Int { max(self.ceilings[rank] - self.heldBytes, 0) }

    /// Whether a record of this rank would find `bytes` bytes.
    func hasRoom(for bytes: Int, rank: Int) -> Bool {
        self.heldBytes + bytes <= self.ceilings[rank]
    }
}

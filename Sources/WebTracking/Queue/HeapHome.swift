// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Bytes that a producer holds over all topics, and the limit of each level: of memory, or of the spool.
///
/// They are charged when a batch asks for them. A record only reads the total.
final class ByteBudget: Sendable {
    /// The memory that a topic in use takes without its batches: its queue, and the tasks that deliver it. Measured: 11 KB.
    static let topicBytes = 12 << 10

    private let held = Atomic<Int>(0)
    /// The part of `held` for topics in use.
    private let topics = Atomic<Int>(0)
    private let ceilings: [Int]
    private let topicCeiling: Int

    init(limit: Int, shedding: SheddingPolicy = SheddingPolicy()) {
        self.topicCeiling = limit / 2
        self.ceilings = (0..<7).map { shedding.ceiling(rank: $0, limit: limit) }
    }

    /// The bytes held now.
    var heldBytes: Int { self.held.load(ordering: .relaxed) }

    /// The bytes held for records.
    var recordBytes: Int { max(self.heldBytes - self.topics.load(ordering: .relaxed), 0) }

    /// Charges the memory of a topic that comes into use. Returns `false` if there is no room for one more. Topics use
    /// at most half of the limit, and leave the rest to records.
    func chargeTopic() -> Bool {
        let taken = self.topics.add(Self.topicBytes, ordering: .relaxed).newValue
        if taken <= self.topicCeiling, self.charge(Self.topicBytes, rank: 6) { return true }
        self.topics.subtract(Self.topicBytes, ordering: .relaxed)
        return false
    }

    /// Releases the memory of a topic.
    func releaseTopic() {
        self.release(Self.topicBytes)
        self.topics.subtract(Self.topicBytes, ordering: .relaxed)
    }

    /// Charges `bytes` for a record of this rank. Returns `false` if that exceeds its level's limit.
    func charge(_ bytes: Int, rank: Int) -> Bool {
        // Add first and look then: two threads that look first could both pass. Relaxed: it guards no memory.
        if self.charge(bytes) <= self.ceilings[rank] { return true }
        self.release(bytes)
        return false
    }

    /// Charges `bytes` without a limit: they are held in any case, as the compressed body of a request. Returns all that
    /// are held then.
    @discardableResult
    func charge(_ bytes: Int) -> Int { self.held.add(bytes, ordering: .relaxed).newValue }

    /// Releases `bytes`. Returns all that are held then.
    @discardableResult
    func release(_ bytes: Int) -> Int { self.held.subtract(bytes, ordering: .relaxed).newValue }

    /// Whether a record of this rank may use what is held already.
    ///
    /// Levels share batches. Near the limit only severe records are admitted: without this, others would fill the batch
    /// that was opened for an error, and no batch with an error in it is evicted for a less severe record.
    @inline(__always)
    func admits(rank: Int) -> Bool {
        self.heldBytes <= self.ceilings[rank]
    }

    /// Whether memory should be released if its contents are in a file.
    var isHalfFull: Bool { self.heldBytes > self.ceilings[6] / 2 }

    /// How many more bytes records of this rank may take.
    func room(rank: Int) -> Int { max(self.ceilings[rank] - self.heldBytes, 0) }

    /// Whether so many bytes are free for a record of this rank.
    func hasRoom(for bytes: Int, rank: Int) -> Bool {
        self.heldBytes + bytes <= self.ceilings[rank]
    }
}

/// The home of batches that end with the process.
final class HeapHome: BatchHome {
    /// The memory that the producer holds, whatever the home of its batches is.
    let budget: ByteBudget
    /// Memory of settled batches, to be used again: it is mapped already, and may still be in the caches.
    private let spare = Lock<[BatchMemory]>([])
    /// How many are kept, and their largest size: 4 MiB that the limit does not count.
    private static let maximumSpare = 8
    private static let largestSpare = 512 << 10

    init(limit: Int) {
        self.budget = ByteBudget(limit: limit)
    }

    func hasRoom(for bytes: Int, next: Int, rank: Int) -> Bool { self.budget.hasRoom(for: bytes, rank: rank) }

    func allocate(_ demand: BatchDemand, next: inout Int) -> BatchAllocation {
        let spare = self.spare.withLock { spare in
            spare.lastIndex { $0.capacity >= demand.needed }.map { spare.remove(at: $0) }
        }
        if let spare {
            if self.budget.charge(spare.capacity, rank: demand.rank) { return .memory(spare) }
            // A smaller batch may still find room.
            self.recycle(spare)
        }
        return self.allocateNew(demand).map { .memory($0) } ?? .memoryFull
    }

    /// The same, but always new memory. It replaces `replaced` bytes, which are charged already.
    func allocateNew(_ demand: BatchDemand, inPlaceOf replaced: Int = 0) -> BatchMemory? {
        for bytes in [demand.wanted, demand.needed] {
            let capacity = BatchMemory.rounded(bytes)
            if self.budget.charge(capacity - replaced, rank: demand.rank) { return BatchMemory(capacity: capacity) }
        }
        return nil
    }

    func free(_ memory: BatchMemory) {
        self.leave(memory)
        self.recycle(memory)
    }

    func leave(_ memory: BatchMemory) { self.budget.release(memory.heldBytes) }

    /// Keeps memory, which is no longer charged, for other batches.
    private func recycle(_ memory: BatchMemory) {
        guard memory.capacity <= Self.largestSpare else { return }
        self.spare.withLock { spare in
            if spare.count < Self.maximumSpare { spare.append(memory) }
        }
    }
}

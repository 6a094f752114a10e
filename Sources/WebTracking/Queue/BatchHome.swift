// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Where batches live from their first record until they are settled: on the heap (``HeapHome``), or in the spool's files
/// (``SpoolStore``).
///
/// A queue asks for the memory of a batch, and says what becomes of it; its actor asks for the bytes when their turn comes.
/// Nothing here is called for each record. What is not `async` may be called under a topic's lock: it has to be short. (Only
/// ``free(_:)`` of a batch that is evicted may store to a mapped page there, and wait for it.)
///
/// What an extension answers below is right for a home that is memory, and nothing else.
protocol BatchHome: Sendable {
    /// What bounds the bytes in the home, beside those in memory; `nil` for nothing. Each record reads it.
    var bound: ByteBudget? { get }
    /// Whether batches outlive the process. Then there may be some of earlier processes.
    var isDurable: Bool { get }
    /// Whether a batch can be opened there, as far as the last attempt shows. Otherwise it is opened on the heap.
    var isAvailable: Bool { get }
    /// Whether a batch that had to be opened on the heap is better replaced than grown.
    var hasReadyPlace: Bool { get }

    /// Whether there is room for a batch of so many bytes, in a place of `next` bytes, for a record of this rank.
    func hasRoom(for bytes: Int, next: Int, rank: Int) -> Bool
    /// The memory of a new batch, which is charged. `next` is the size of the topic's next place: it grows with the topic,
    /// and the home limits it.
    func allocate(_ demand: BatchDemand, next: inout Int) -> BatchAllocation
    /// What says which batch it is, and where among others it stands; `nil` if nothing has to.
    func label(topic: String) -> SpoolLabel?

    /// Notes that nothing more is written to a batch. Returns whether its bytes are in the home, and can be offloaded.
    @discardableResult
    func seal(_ memory: BatchMemory) -> Bool
    /// Gives back the memory of a batch that waits, if its bytes are in the home.
    func offload(_ batch: Batch)
    /// Brings the bytes of a batch back into memory. Returns the error if that fails.
    func load(_ memory: BatchMemory) async -> FileError?
    /// Takes back a batch whose records are settled.
    func free(_ memory: BatchMemory)

    /// Whether a batch is there for the next process.
    func keeps(_ memory: BatchMemory) -> Bool
    /// Releases what is charged for a batch that this process has given up. It is kept for the next one, if it is there.
    func leave(_ memory: BatchMemory)
    /// Gives back the memory of a batch that was left.
    func unmap(_ memory: BatchMemory)

    /// Keeps what there is of a batch whose bytes were changed, for a human to look at.
    func quarantine(_ batch: Batch, reason: String) async
    /// Keeps a copy of a batch of which a record is dropped.
    func keepCopy(of batch: Batch, reason: String) async
    /// Reports that a batch cannot be loaded at present.
    func report(_ failure: String)
    /// Reports the diagnostics that wait. Only the actor calls it: a thread that logs must not report.
    func reportNotices()
}

/// What a new batch asks for.
struct BatchDemand {
    /// The bytes that it needs for its first record.
    var needed: Int
    /// The bytes to have if possible, if they cost nothing but memory.
    var wanted: Int
    /// The bytes of the largest batch that the topic fills at present.
    var largest: Int
    /// The rank of its first record.
    var rank: Int
}

/// The answer to a ``BatchDemand``.
enum BatchAllocation {
    case memory(BatchMemory)
    /// There is no memory for a record of this rank.
    case memoryFull
    /// The bound of the home is reached, and a batch has to be evicted first.
    case homeFull
}

extension BatchHome {
    var bound: ByteBudget? { nil }
    var isDurable: Bool { false }
    var isAvailable: Bool { true }
    var hasReadyPlace: Bool { false }
    func label(topic: String) -> SpoolLabel? { nil }
    func seal(_ memory: BatchMemory) -> Bool { false }
    func offload(_ batch: Batch) {}
    func load(_ memory: BatchMemory) async -> FileError? { nil }
    func keeps(_ memory: BatchMemory) -> Bool { false }
    func unmap(_ memory: BatchMemory) {}
    func quarantine(_ batch: Batch, reason: String) async {}
    func keepCopy(of batch: Batch, reason: String) async {}
    func report(_ failure: String) {}
    func reportNotices() {}
}

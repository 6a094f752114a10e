// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Keeps the memory of batches that are done with for the next ones, so that filling a batch touches memory that is
/// in the caches and mapped.
final class BatchMemoryPool: Sendable {
    /// At most this many are kept, of at most this size: 4 MiB beside the memory limit.
    private static let kept = 8
    private static let largest = 512 << 10

    private let free = Lock<[BatchMemory]>([])

    /// The memory that was given back last, if any has at least `capacity` bytes.
    func take(atLeast capacity: Int) -> BatchMemory? {
        self.free.withLock { free in
            guard let index = free.lastIndex(where: { $0.capacity >= capacity }) else { return nil }
            return free.remove(at: index)
        }
    }

    func give(_ memory: BatchMemory) {
        guard memory.capacity <= Self.largest else { return }
        self.free.withLock { free in
            if free.count < Self.kept { free.append(memory) }
        }
    }
}

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Synchronization

/// The bytes that a producer holds, over all topics, and how many each level may bring them to.
///
/// Charged when a segment asks for memory, not for each record, which only reads the total.
final class MemoryBudget: Sendable {
    private let held = Atomic<Int>(0)
    private let ceilings: [Int]

    init(limit: Int, shedding: SheddingPolicy) {
        self.ceilings = (0..<7).map { shedding.ceiling(rank: $0, limit: limit) }
    }

    /// The bytes held now.
    var heldBytes: Int { self.held.load(ordering: .relaxed) }

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

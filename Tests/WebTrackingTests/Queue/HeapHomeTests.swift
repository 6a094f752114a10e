// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

@Suite struct HeapHomeTests {
    private let budget = ByteBudget(limit: 4 << 20, shedding: SheddingPolicy())

    /// Takes memory of this size, and gives it back as a batch does that is settled.
    private func used(_ bytes: Int) throws -> BatchMemory {
        let memory = try #require(self.budget.allocate(bytes, wanted: bytes, rank: 6))
        self.budget.release(memory.capacity)
        self.budget.recycle(memory)
        return memory
    }

    @Test func memoryGivenBackIsUsedForTheNextBatchThatFits() throws {
        let memory = try self.used(64 << 10)
        #expect(self.budget.heldBytes == 0)
        let larger = try #require(self.budget.allocate(65 << 10, wanted: 65 << 10, rank: 6))
        #expect(larger !== memory)
        let smaller = try #require(self.budget.allocate(10, wanted: 128 << 10, rank: 6))
        #expect(smaller === memory)
        #expect(self.budget.heldBytes == larger.capacity + memory.capacity)
        // It is one batch's only.
        let next = try #require(self.budget.allocate(10, wanted: 64 << 10, rank: 6))
        #expect(next !== memory)
    }

    @Test func memoryOfLargeBatchesIsNotKept() throws {
        let memory = try self.used(1 << 20)
        let next = try #require(self.budget.allocate(1 << 20, wanted: 1 << 20, rank: 6))
        #expect(next !== memory)
    }

    @Test func keptMemoryThatALevelMayNotUseIsKeptForOthers() throws {
        let memory = try self.used(256 << 10)
        // Info may use a little more, but not as much as that.
        self.budget.charge(SheddingPolicy().ceiling(rank: 2, limit: 4 << 20) - (64 << 10))
        let small = try #require(self.budget.allocate(10, wanted: 10, rank: 2))
        #expect(small !== memory)
        let taken = try #require(self.budget.allocate(10, wanted: 10, rank: 6))
        #expect(taken === memory)
    }
}

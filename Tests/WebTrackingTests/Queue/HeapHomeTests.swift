// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

@Suite struct HeapHomeTests {
    private let home = HeapHome(limit: 4 << 20)

    private func allocate(_ needed: Int, wanted: Int, rank: Int = 6) throws -> BatchMemory {
        var next = 0
        let demand = BatchDemand(needed: needed, wanted: wanted, largest: 0, rank: rank)
        guard case .memory(let memory) = self.home.allocate(demand, next: &next) else { throw Full() }
        return memory
    }

    private struct Full: Error {}

    /// Memory of this size that a settled batch has given back.
    private func used(_ bytes: Int) throws -> BatchMemory {
        let memory = try self.allocate(bytes, wanted: bytes)
        self.home.free(memory)
        return memory
    }

    @Test func memoryGivenBackIsUsedForTheNextBatchThatFits() throws {
        let memory = try self.used(64 << 10)
        #expect(self.home.budget.heldBytes == 0)
        let larger = try self.allocate(65 << 10, wanted: 65 << 10)
        #expect(larger !== memory)
        let smaller = try self.allocate(10, wanted: 128 << 10)
        #expect(smaller === memory)
        #expect(self.home.budget.heldBytes == larger.capacity + memory.capacity)
        // It is one batch's only.
        let next = try self.allocate(10, wanted: 64 << 10)
        #expect(next !== memory)
    }

    @Test func memoryIsFixedOnlyByAReservation() throws {
        let memory = try self.allocate(10, wanted: 10)
        memory.reserveFile(0)
        #expect(!memory.isFixed)
        memory.reserveFile(4096)
        #expect(memory.isFixed && memory.takeReserved() == 4096)
    }

    @Test func memoryOfLargeBatchesIsNotKept() throws {
        let memory = try self.used(1 << 20)
        let next = try self.allocate(1 << 20, wanted: 1 << 20)
        #expect(next !== memory)
    }

    @Test func keptMemoryThatALevelMayNotUseIsKeptForOthers() throws {
        let memory = try self.used(256 << 10)
        // Info may use a little more, but not as much as that.
        self.home.budget.charge(SheddingPolicy().ceiling(rank: 2, limit: 4 << 20) - (64 << 10))
        let small = try self.allocate(10, wanted: 10, rank: 2)
        #expect(small !== memory)
        let taken = try self.allocate(10, wanted: 10)
        #expect(taken === memory)
    }
}

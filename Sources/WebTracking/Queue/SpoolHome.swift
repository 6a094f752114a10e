// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The spool as the home of batches: each has a file, or waits for one on the heap.
extension SpoolStore: BatchHome {
    var bound: ByteBudget? { self.files }
    var isDurable: Bool { true }

    func hasRoom(for bytes: Int, next: Int, rank: Int) -> Bool {
        self.heap.budget.hasRoom(for: bytes, rank: rank)
            && self.files.hasRoom(for: SpoolFile.bytes(capacity: next), rank: rank)
    }

    func allocate(_ demand: BatchDemand, next: inout Int) -> BatchAllocation {
        let budget = self.heap.budget
        // Before a file is taken, which would only be put back.
        guard budget.hasRoom(for: demand.needed, rank: demand.rank) else { return .memoryFull }
        // All open files are mapped, so many topics share the memory that is left.
        let share = max(budget.room(rank: demand.rank) / 8, Intake.smallestPlace)
        // A topic that falls behind fills larger batches, as it sends larger requests.
        next = min(next, demand.largest, self.largestCapacity, share)
        let capacity = max(demand.needed, next)
        switch self.take(capacity: capacity, needed: demand.needed, largest: share, rank: demand.rank) {
        case .full: return .homeFull
        case .unavailable: return self.heap.allocate(demand, next: &next)
        case .memory(let memory):
            if budget.charge(memory.capacity, rank: demand.rank) { return .memory(memory) }
            self.putBack(memory)
            return .memoryFull
        }
    }

    /// A batch in memory gets one, too. So it keeps its place in the order when it moves to a file.
    func label(topic: String) -> SpoolLabel? {
        let (seed, order) = self.state.withLock { state in
            state.batches += 1
            return (self.nextSeed(in: &state), state.batches)
        }
        return SpoolLabel(
            seed: seed,
            order: order,
            openedAt: self.clock.wallTime(),
            destination: self.destination,
            topic: topic
        )
    }

    func offload(_ batch: Batch) {
        // A batch in memory only stays mapped.
        guard batch.memory.file != nil, !batch.isUnspooled else { return }
        self.heap.budget.release(batch.memory.heldBytes)
        self.unmap(batch.memory)
    }

    func load(_ memory: BatchMemory) async -> FileError? {
        await self.worker.run { () -> FileError? in
            do throws(FileError) { try memory.map() } catch { return error }
            return nil
        }
    }

    /// Memory on the heap is not used again: a spill may be copying it right now.
    func free(_ memory: BatchMemory) {
        self.leave(memory)
        self.release(memory.origin ?? memory)
    }

    func keeps(_ memory: BatchMemory) -> Bool { memory.spoolFile != nil }

    func leave(_ memory: BatchMemory) {
        self.heap.budget.release(memory.heldBytes)
        self.cancelReservation(memory.takeReserved())
    }

    func quarantine(_ batch: Batch, reason: String) async {
        guard let file = batch.memory.spoolFile else { return }
        let hasMoved = await self.worker.run { self.quarantine(file.path, of: file.spoolFolder, reason: reason) }
        file.isQuarantined = !hasMoved
    }

    func keepCopy(of batch: Batch, reason: String) async {
        guard let file = batch.memory.spoolFile else { return }
        await self.worker.run { self.quarantineCopy(file, file.path, of: file.spoolFolder, reason: reason) }
    }
}

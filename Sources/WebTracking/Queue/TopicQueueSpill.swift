// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Moves batches to files: those that are in memory because no file was ready, and those that are still mapped although
/// their file is gone.
extension TopicQueue {
    /// Moves batches that wait in memory to files, the oldest first, as far as there are files. Returns how many
    /// records are left. Called on the spool's worker. With `isForced`, does so at once, and as if files had gone.
    ///
    /// A batch got its place in the order when it was opened. So if the process dies now, the records stay in order.
    func spill(into store: SpoolStore, isForced: Bool) -> Int {
        let now = self.context.clock.now()
        let isDue = self.state.withLock { state -> Bool in
            if isForced {
                state.hasUnspooled = true
                state.spillAt = nil
            }
            return state.hasUnspooled && !state.isAbandoned && state.spillAt.map { now >= $0 } ?? true
        }
        guard isDue else { return self.unspooled }
        // The actor goes on with what it has. A copy of a batch in flight is for the next start, if this process dies
        // first. One that was not mapped is left alone: the actor may be mapping it right now.
        self.spill(into: store) { $0.inFlight.filter { $0.isMapped && $0.isUnspooled }.map(\.batch) }
        repeat {
            self.spill(into: store) { $0.sealed.filter(\.isUnspooled) }
        } while !self.moveOpen(into: store)
        return self.state.withLock { state in
            let left = state.unspooled
            state.hasUnspooled = left > 0
            return left
        }
    }

    /// Puts copies of batches into files, the oldest first. If there is no file for one, the next one is tried: each
    /// has its place in the order already.
    private func spill(into store: SpoolStore, _ batches: (TopicLedger) -> [Batch]) {
        for batch in self.state.withLock({ batches($0.ledger) }) {
            guard let copy = self.spooled(batch, in: store) else { continue }
            // Before the ledger has it: from then on it is the actor that maps and unmaps it.
            copy.memory.unmap()
            switch self.state.withLock({ $0.ledger.adopt(copy, for: batch) }) {
            case .waiting: store.free(batch.memory)
            case .inFlight: break
            case nil: store.release(copy.memory)
            }
        }
    }

    /// The number of records that are in memory although they should be in files.
    var unspooled: Int { self.state.withLock { $0.unspooled } }

    /// Moves the open batch to a file, in which it is filled further. Returns `false` if it is not open any more. Most
    /// of it is copied outside of the critical section, which then copies only the records that came in between.
    private func moveOpen(into store: SpoolStore) -> Bool {
        let open = self.state.withLock { state -> OpenBatch? in
            state.intake.open?.findCommits()
            guard !state.isAbandoned, let open = state.intake.open, open.isUnspooled else { return nil }
            guard open.isWhole else {
                // A caller is copying a record into it, which must not move. It is copied as a whole when it is sealed.
                self.sealOpen(in: &state)
                return nil
            }
            return open
        }
        // It may still be filled until its memory is full, so the file must be as large.
        guard let open, let label = open.label,
            let memory = self.file(
                for: open.memory,
                capacity: max(open.memory.capacity, open.bytesForCopy),
                rank: open.levels(of: [open.all]).highestRank,
                in: store
            )
        else { return true }
        var copy = OpenBatch(copying: open, to: memory, label: label)
        let old = self.state.withLock { state -> BatchMemory? in
            state.intake.open?.findCommits()
            guard !state.isAbandoned, let present = state.intake.open, present.memory === open.memory else {
                return nil
            }
            guard present.isWhole else {
                // A caller is copying a record into it, which must not move. It is copied as a whole when it is sealed.
                self.sealOpen(in: &state)
                return nil
            }
            copy.append(recordsOf: present)
            state.intake.open = copy
            self.context.budget.charge(memory.heldBytes)
            return present.memory
        }
        guard let old else {
            let bytes = memory.file?.bytes ?? 0
            // Notes how much was written, so that all of it is wiped.
            _ = copy.sealed()
            store.release(memory)
            // It was sealed, or will be, and is copied as a whole then.
            self.state.withLock { state in
                guard self.isHeld(open.memory, in: state) else { return }
                store.reserveFile(bytes)
                open.memory.reserveFile(bytes)
            }
            return false
        }
        store.free(old)
        return true
    }

    /// A copy of a batch in a file; `nil` if there is no file for it.
    private func spooled(_ batch: Batch, in store: SpoolStore) -> Batch? {
        guard let label = batch.label,
            let memory = self.file(
                for: batch.memory,
                capacity: batch.bytesForCopy,
                rank: batch.highestRank,
                in: store
            )
        else { return nil }
        return store.fill(memory) { OpenBatch(copying: batch, to: memory, label: label).sealed() }
    }

    /// A file for the batch in this memory. If there is none, this topic asks again after ``SpoolStore/pause``. Other
    /// topics do not wait for that.
    private func file(for old: BatchMemory, capacity: Int, rank: Int, in store: SpoolStore) -> BatchMemory? {
        let isFirst = self.state.withLock { $0.spillAt == nil }
        // The reserved file, or another one.
        let reserved = old.takeReserved()
        switch store.takeForSpill(capacity: capacity, rank: rank, reserved: reserved, isReported: isFirst) {
        case .memory(let memory):
            self.state.withLock { $0.spillAt = nil }
            return memory
        case .full, .unavailable:
            let next = self.context.clock.now() + SpoolStore.pause
            self.state.withLock { state in
                state.spillAt = next
                // If it was delivered in the meantime, it needs no file.
                if self.isHeld(old, in: state) {
                    old.reserveFile(reserved)
                } else {
                    store.cancelReservation(reserved)
                }
            }
            return nil
        }
    }

    private func isHeld(_ memory: BatchMemory, in state: State) -> Bool {
        state.intake.holds(memory) || state.ledger.holds(memory)
    }
}

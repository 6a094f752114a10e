// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// Where the next record goes: a batch that has room, on the heap or in a file, or none.
extension TopicQueue {
    /// Why there is no place for a record.
    enum NoRoom {
        case memory
        case spool

        var reason: DropReason {
            switch self {
            case .memory: .memoryFull
            case .spool: .spoolFull
            }
        }
    }

    /// Makes sure that the open batch takes the record: seals it if it is full, and asks for memory.
    ///
    /// Where the spool is full, batches whose records are at most of rank `evicting` go for it.
    func ensureRoom(
        for record: EncodedRecord,
        rank: Int,
        evicting: Int?,
        in state: inout State
    ) -> NoRoom? {
        var hasEvicted = false
        while true {
            switch self.step(for: record, rank: rank, in: state) {
            case .use:
                return nil
            case .refuse:
                return .memory
            case .evict:
                guard !hasEvicted, self.evict(atMost: evicting, in: &state) else {
                    return self.noSpoolRoom(evicting, in: &state)
                }
                hasEvicted = true
            case .replace(let isGrowing):
                if isGrowing { state.spoolBytes *= 2 }
                self.sealOpen(in: &state)
                return self.open(for: record, rank: rank, evicting: evicting, in: &state)
            case .grow:
                guard let open = state.open else { return .memory }
                return self.grow(open, adding: open.cost(of: record), rank: rank, in: &state) ? nil : .memory
            case .open:
                return self.open(for: record, rank: rank, evicting: evicting, in: &state)
            }
        }
    }

    private func step(for record: EncodedRecord, rank: Int, in state: State) -> RoomPolicy.Step {
        let spool = self.context.spool
        let backlog = state.backlog
        return RoomPolicy.step(
            admitsMemory: self.context.budget.admits(rank: rank),
            admitsFiles: spool?.admits(rank: rank) ?? true,
            open: state.open.map { open in
                let cost = open.cost(of: record)
                return RoomPolicy.Open(
                    isInFile: open.memory.file != nil || open.memory.isForFile,
                    isFull: self.context.sealPolicy.isFull(open, adding: cost, backlog: backlog),
                    hasRoom: open.hasRoom(for: cost)
                )
            },
            isFileReady: { spool?.hasReadyFile ?? false }
        )
    }

    /// Notes that other topics may have to make room.
    func noSpoolRoom(_ evicting: Int?, in state: inout State) -> NoRoom {
        state.spoolPressure.note(evicting)
        return .spool
    }

    /// Completes the open batch, if there is one.
    func sealOpen(in state: inout State) {
        guard let sealed = state.sealOpen() else { return }
        guard let spool = self.context.spool, sealed.memory.file != nil else { return }
        spool.seal(sealed.memory)
        // What waits in a file need not wait in memory, least of all where that is short.
        if state.sealed.count > Self.mappedBacklog { self.unmap(sealed, in: spool) }
        guard self.context.budget.isHalfFull else { return }
        for batch in state.sealed.prefix(Self.mappedBacklog) { self.unmap(batch, in: spool) }
    }

    private func unmap(_ batch: Batch, in spool: SpoolStore) {
        // What is in memory only stays there.
        guard batch.memory.file != nil, !batch.isUnspooled else { return }
        self.context.budget.release(batch.heldBytes)
        spool.unmap(batch.memory)
    }

    /// How many sealed batches of a topic stay in memory although they are in files.
    private static let mappedBacklog = 2
    /// The memory of a file that is small enough for a topic of few records.
    static let smallestFile = 32 << 10

    func grow(_ batch: Batch, adding cost: Int, rank: Int, in state: inout State) -> Bool {
        let needed = batch.bytes(adding: cost)
        guard
            let memory = self.memory(needed, current: batch.heldBytes, rank: rank, backlog: state.backlog)
        else { return false }
        state.open?.move(to: memory)
        return true
    }

    /// Opens a batch that the record fits in: in a file if records are to outlive the process and one is ready, and on
    /// the heap otherwise.
    func open(for record: EncodedRecord, rank: Int, evicting: Int?, in state: inout State) -> NoRoom? {
        let header = self.envelope.header(batch: state.nextBatch)
        let needed = Batch.bytes(header: header.bytes, with: record)
        var reserved = 0
        if let spool = self.context.spool {
            // A topic that lags behind fills larger ones, as it sends larger requests.
            let largest = self.context.sealPolicy.capacity(for: 0, current: .max / 4, backlog: state.backlog)
            // All open files are in memory: many topics share what is left of it.
            let share = max(self.context.budget.room(rank: rank) / 8, Self.smallestFile)
            state.spoolBytes = min(state.spoolBytes, largest, spool.largestCapacity, share)
            switch spool.take(capacity: max(needed, state.spoolBytes), needed: needed, largest: share, rank: rank) {
            case .memory(let memory):
                guard self.context.budget.charge(memory.capacity, rank: rank) else {
                    spool.putBack(memory)
                    return .memory
                }
                self.open(header, in: memory, label: self.label(in: spool), &state)
                return nil
            case .full:
                // Room for the next batch; this record's own may be among what is too much.
                guard self.evict(atMost: evicting, in: &state) else { return self.noSpoolRoom(evicting, in: &state) }
                return self.open(for: record, rank: rank, evicting: evicting, in: &state)
            case .reserved(let bytes):
                reserved = bytes
            case .unavailable:
                break
            }
        }
        if reserved > 0 {
            // As large as its file will be.
            let memory = BatchMemory(capacity: reserved - SpoolFormat.headerBytes)
            guard self.context.budget.charge(memory.capacity, rank: rank) else {
                self.context.spool?.cancelReservation(reserved)
                return .memory
            }
            memory.reserveFile(reserved)
            self.open(header, in: memory, label: self.context.spool.map { self.label(in: $0) }, &state)
            state.hasUnspooled = true
            return nil
        }
        var memory = self.context.memoryPool.take(atLeast: needed)
        if let recycled = memory, !self.context.budget.charge(recycled.capacity, rank: rank) {
            // Less fresh memory may still find room.
            self.context.memoryPool.give(recycled)
            memory = nil
        }
        guard
            let memory = memory ?? self.memory(needed, current: 0, rank: rank, backlog: state.backlog)
        else { return .memory }
        // Its place among the batches in files is kept for it.
        self.open(header, in: memory, label: self.context.spool.map { self.label(in: $0) }, &state)
        state.hasUnspooled = self.context.spool != nil
        return nil
    }

    /// What a file says of the next batch.
    private func label(in spool: SpoolStore) -> SpoolLabel {
        let (seed, order) = spool.nextBatch()
        return SpoolLabel(
            seed: seed,
            order: order,
            openedAt: self.context.clock.wallTime(),
            destination: spool.destination,
            topic: self.key.topic
        )
    }

    func open(
        _ header: (bytes: [UInt8], batchIDEnd: Int),
        in memory: BatchMemory,
        label: SpoolLabel?,
        _ state: inout State
    ) {
        state.nextBatch += 1
        state.open = Batch(
            header: header.bytes,
            batchIDEnd: header.batchIDEnd,
            openedAt: self.context.clock.now(),
            memory: memory,
            label: label
        )
    }

    /// Drops the oldest of those spooled batches whose most severe record is the least severe, and at most of this rank.
    func evict(atMost rank: Int?, in state: inout State) -> Bool {
        guard let rank, let index = state.evictable(atMost: rank) else { return false }
        let batch = state.removeWaiting(at: index)
        let all = batch.allLevels
        let own = batch.ownLevels
        state.tally.pending -= all
        state.tally.dropped[.spoolFull] += all
        if own.total > 0 {
            state.unannounced[.spoolFull] += own
            state.unreported[.spoolFull] += own
        }
        self.free(batch)
        return true
    }

    /// The rank and age of what ``evict(atMost:)`` would drop.
    func evictable(atMost rank: Int) -> (rank: Int, openedAt: MonotonicInstant)? {
        self.state.withLock { state in
            state.evictable(atMost: rank).map { (state.sealed[$0].highestRank, state.sealed[$0].openedAt) }
        }
    }

    /// The batches that wait in files.
    var spooled: [EvictionPolicy.Candidate] {
        self.state.withLock { state in
            state.sealed.compactMap { batch in
                batch.spoolFile.map {
                    .init(rank: batch.highestRank, age: batch.openedAt.nanoseconds, bytes: $0.bytes)
                }
            }
        }
    }

    /// Makes room in the spool; `false` if nothing here may go for a record of this rank.
    func evict(atMost rank: Int) -> Bool {
        defer { self.wakeSettled() }
        return self.state.withLock { self.evict(atMost: rank, in: &$0) }
    }

    /// Wakes flushes whose records are all settled by now: an eviction on a caller's thread does not.
    func wakeSettled() {
        for waiter in self.state.withLock({ $0.takeReadyWaiters() }) { waiter.resume() }
    }

    /// The rank of a record that found the spool full since this was last asked.
    func takeSpoolPressure() -> Int? {
        self.state.withLock { $0.spoolPressure.take() }
    }

    /// Memory on the heap in place of `current` bytes of it, if the budget has it.
    func memory(_ needed: Int, current: Int, rank: Int, backlog: Int) -> BatchMemory? {
        let wanted = self.context.sealPolicy.capacity(for: needed, current: current, backlog: backlog)
        for bytes in [wanted, needed] {
            let capacity = BatchMemory.rounded(bytes)
            if self.context.budget.charge(capacity - current, rank: rank) { return BatchMemory(capacity: capacity) }
        }
        return nil
    }
}

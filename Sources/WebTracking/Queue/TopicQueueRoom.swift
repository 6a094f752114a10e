// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// Finds the place of the next record: a batch with room, on the heap or in a file, or none.
extension TopicQueue {
    /// Appends a record that does not fit into the open batch. Returns whether the actor must be woken.
    @inline(never)
    func appendToNewBatch(
        _ record: EncodedRecord,
        rank: Int,
        isSynthetic: Bool,
        isUrgent: Bool,
        in state: inout State
    ) -> (AppendAnswer, Bool) {
        guard state.takesRecords || (isSynthetic && !state.isAbandoned) else {
            state.ledger.drop(.afterShutdown, rank: rank, isSynthetic: isSynthetic)
            return (.dropped(.afterShutdown), false)
        }
        let wasIdle = state.intake.open == nil
        let wasSealed = state.waitingBatches
        let wasSettled = state.ledger.settled
        // A record that reports drops may use any free room, but nothing is dropped for it.
        let evicted = isSynthetic ? nil : rank
        if let reason = self.ensureRoom(for: record, rank: isSynthetic ? 6 : rank, evicting: evicted, in: &state) {
            state.ledger.drop(reason, rank: rank, isSynthetic: isSynthetic)
            // The actor announces drops, so it has to know of the first one.
            let isFirst = state.drops.note(reason, rank: rank, isSynthetic: isSynthetic)
            // Other topics may have to make room.
            if reason == .spoolFull { state.spoolPressure.note(evicted) }
            guard !isSynthetic else { return (.dropped(reason), false) }
            return (.dropped(reason), isFirst || self.hasNews(wasSealed, wasSettled, in: state))
        }
        assert(state.intake.open != nil, "room was made")
        state.intake.open?.append(record, rank: rank, isSynthetic: isSynthetic)
        let rings = isUrgent && state.intake.becomesUrgent()
        return (.accepted, rings || wasIdle || self.hasNews(wasSealed, wasSettled, in: state))
    }

    /// Whether the numbers of sealed batches and settled records are not what they were.
    private func hasNews(_ wasSealed: Int, _ wasSettled: Int, in state: State) -> Bool {
        state.waitingBatches != wasSealed || state.ledger.settled != wasSettled
    }

    /// Makes room for the record in the open batch, in more memory, or in a new batch. Returns the reason if there is
    /// no room.
    ///
    /// If the spool is full, batches whose records are at most of rank `evicting` are evicted.
    func ensureRoom(
        for record: EncodedRecord,
        rank: Int,
        evicting: Int?,
        in state: inout State
    ) -> DropReason? {
        var hasEvicted = false
        let spool = self.context.spool
        state.intake.open?.findCommits()
        while let open = state.intake.open {
            let cost = open.cost(of: record)
            let backlog = state.ledger.backlog
            let step = RoomPolicy.step(
                admitsMemory: self.context.budget.admits(rank: rank),
                admitsFiles: spool?.admits(rank: rank) ?? true,
                open: RoomPolicy.Open(
                    isInFile: open.memory.file != nil || open.memory.isForFile,
                    isFull: open.isFull(self.context.sealPolicy, adding: cost, backlog: backlog),
                    hasRoom: open.hasRoom(for: cost)
                ),
                isFileReady: { spool?.hasReadyFile ?? false }
            )
            switch step {
            case .use:
                return nil
            case .refuse:
                return .memoryFull
            case .evict:
                guard !hasEvicted, self.evict(atMost: evicting, in: &state) else { return .spoolFull }
                hasEvicted = true
            case .replace(let isGrowing):
                if isGrowing { state.intake.spoolBytes *= 2 }
                self.sealOpen(in: &state)
            case .grow where !open.isWhole:
                // A caller is copying a record into it, which must not move.
                self.sealOpen(in: &state)
            case .grow:
                let needed = open.bytes(adding: cost)
                let held = open.memory.heldBytes
                let wanted = self.context.sealPolicy.capacity(for: needed, current: held, backlog: backlog)
                let budget = self.context.budget
                guard let memory = budget.allocateNew(needed, wanted: wanted, inPlaceOf: held, rank: rank) else {
                    return .memoryFull
                }
                state.intake.open?.move(to: memory)
                return nil
            }
        }
        return self.open(for: record, rank: rank, evicting: evicting, in: &state)
    }

    /// Opens a batch for the record: in a ready file if records are to outlive the process, and otherwise on the heap.
    func open(for record: EncodedRecord, rank: Int, evicting: Int?, in state: inout State) -> DropReason? {
        let budget = self.context.budget
        let backlog = state.ledger.backlog
        let headerCount = self.envelope.headerCount(batch: state.intake.nextBatch)
        let needed = OpenBatch.bytes(header: headerCount, with: record)
        let wanted = self.context.sealPolicy.capacity(for: needed, current: 0, backlog: backlog)
        var place: BatchMemory?
        if let spool = self.context.spool {
            guard budget.admits(rank: rank) else { return .memoryFull }
            // A topic that falls behind fills larger batches, as it sends larger requests.
            let largest = self.context.sealPolicy.capacity(for: 0, current: .max / 4, backlog: backlog)
            // All open files are mapped, so many topics share the memory that is left.
            let share = max(budget.room(rank: rank) / 8, Intake.smallestFile)
            state.intake.spoolBytes = min(state.intake.spoolBytes, largest, spool.largestCapacity, share)
            let capacity = max(needed, state.intake.spoolBytes)
            switch spool.take(capacity: capacity, needed: needed, largest: share, rank: rank) {
            case .memory(let memory):
                guard budget.charge(memory.capacity, rank: rank) else {
                    spool.putBack(memory)
                    return .memoryFull
                }
                place = memory
            case .full:
                // Only a batch of this topic, whose lock is held. The actor evicts those of others (`SpoolPressure`).
                guard self.evict(atMost: evicting, in: &state) else { return .spoolFull }
                return self.open(for: record, rank: rank, evicting: evicting, in: &state)
            case .reserved(let bytes):
                // As large as its file will be.
                let memory = BatchMemory(capacity: bytes - SpoolFormat.headerBytes)
                guard budget.charge(memory.capacity, rank: rank) else {
                    spool.cancelReservation(bytes)
                    return .memoryFull
                }
                memory.reserveFile(bytes)
                place = memory
            case .unavailable:
                break
            }
        }
        guard let memory = place ?? budget.allocate(needed, wanted: wanted, rank: rank) else { return .memoryFull }
        let header = self.envelope.header(batch: state.intake.nextBatch)
        state.intake.nextBatch += 1
        state.intake.open = OpenBatch(
            header: header.bytes,
            batchIDEnd: header.batchIDEnd,
            openedAt: self.context.clock.now(),
            memory: memory,
            // A batch in memory gets one, too. So it keeps its place in the order when it moves to a file.
            label: self.context.spool.map { self.label(in: $0) }
        )
        if memory.file == nil { state.hasUnspooled = self.context.spool != nil }
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

    /// Drops the oldest spooled batch whose most severe record is the least severe, and at most of this rank.
    func evict(atMost rank: Int?, in state: inout State) -> Bool {
        guard let rank, let index = state.ledger.evictable(atMost: rank) else { return false }
        let batch = state.ledger.evict(at: index)
        let own = batch.levels.own
        if own.total > 0 {
            state.drops.unannounced[.spoolFull] += own
            state.drops.unreported[.spoolFull] += own
        }
        self.free(batch.memory)
        return true
    }

    /// The rank and age of the batch that ``evict(atMost:)`` would drop.
    func evictable(atMost rank: Int) -> (rank: Int, openedAt: MonotonicInstant)? {
        self.state.withLock { state in
            state.ledger.evictable(atMost: rank).map {
                (state.ledger.sealed[$0].highestRank, state.ledger.sealed[$0].openedAt)
            }
        }
    }

    /// The batches that wait in files.
    var spooled: [EvictionPolicy.Candidate] {
        self.state.withLock { state in
            state.ledger.sealed.compactMap { batch in
                batch.spoolFile.map {
                    .init(rank: batch.highestRank, age: batch.openedAt.nanoseconds, bytes: $0.bytes)
                }
            }
        }
    }

    /// Makes room in the spool. Returns `false` if no batch of this topic may be evicted for a record of this rank.
    func evict(atMost rank: Int) -> Bool {
        defer { self.wakeSettled() }
        return self.state.withLock { self.evict(atMost: rank, in: &$0) }
    }

    /// Wakes flushes whose records are settled. An eviction on a caller's thread does not wake them itself.
    func wakeSettled() {
        for waiter in self.state.besideLane({ $0.takeReadyWaiters() }) { waiter.resume() }
    }

    /// The rank of the most severe record that found the spool full. Resets it.
    func takeSpoolPressure() -> Int? {
        self.state.besideLane { $0.spoolPressure.take() }
    }
}

/// Decides where a record goes that does not simply fit into the open batch.
enum RoomPolicy {
    enum Step: Equatable {
        /// There is no memory for a record of this level.
        case refuse
        /// A batch in a file has to be evicted first.
        case evict
        /// Put the record into the open batch as it is.
        case use
        /// Seal the open batch, and put the record into a new one. If `growing`, that gets a larger file.
        case replace(growing: Bool)
        /// Put the record into the open batch, with more memory.
        case grow
    }

    /// What is known of the open batch.
    struct Open {
        var isInFile: Bool
        /// Whether a request cannot hold one more record.
        var isFull: Bool
        /// Whether its memory has room for the record.
        var hasRoom: Bool
    }

    /// The next step for a record. `admitsMemory` and `admitsFiles` say what its level may use. `isFileReady` is asked
    /// only if the open batch is in memory and has no room.
    static func step(admitsMemory: Bool, admitsFiles: Bool, open: Open, isFileReady: () -> Bool) -> Step {
        guard admitsMemory else { return .refuse }
        if open.isInFile && !admitsFiles { return .evict }
        if open.isFull { return .replace(growing: false) }
        if open.hasRoom { return .use }
        // A file does not grow: its records would be in two files for a moment. The next file is larger.
        if open.isInFile { return .replace(growing: true) }
        // No file was ready when this batch was opened. If one is ready now, it is better than more memory.
        return isFileReady() ? .replace(growing: false) : .grow
    }
}

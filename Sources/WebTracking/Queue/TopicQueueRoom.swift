// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
    /// If the home is full, batches whose records are at most of rank `evicting` are evicted.
    func ensureRoom(
        for record: EncodedRecord,
        rank: Int,
        evicting: Int?,
        in state: inout State
    ) -> DropReason? {
        var hasEvicted = false
        state.intake.open?.findCommits()
        while let open = state.intake.open {
            let cost = open.cost(of: record)
            let backlog = state.ledger.backlog
            let step = RoomPolicy.step(
                admitsMemory: self.context.budget.admits(rank: rank),
                admitsHome: self.context.bound?.admits(rank: rank) ?? true,
                open: RoomPolicy.Open(
                    isFixed: open.memory.isFixed,
                    isFull: open.isFull(self.context.sealPolicy, adding: cost, backlog: backlog),
                    hasRoom: open.hasRoom(for: cost)
                ),
                isPlaceReady: { self.context.home.hasReadyPlace }
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
                if isGrowing { state.intake.nextBytes *= 2 }
                self.sealOpen(in: &state)
            case .grow where !open.isWhole:
                // A caller is copying a record into it, which must not move.
                self.sealOpen(in: &state)
            case .grow:
                let needed = open.bytes(adding: cost)
                let held = open.memory.heldBytes
                let wanted = self.context.sealPolicy.capacity(for: needed, current: held, backlog: backlog)
                let demand = BatchDemand(needed: needed, wanted: wanted, largest: wanted, rank: rank)
                guard let memory = self.context.heap.allocateNew(demand, inPlaceOf: held) else { return .memoryFull }
                state.intake.open?.move(to: memory)
                return nil
            }
        }
        return self.open(for: record, rank: rank, evicting: evicting, in: &state)
    }

    /// Opens a batch for the record.
    func open(for record: EncodedRecord, rank: Int, evicting: Int?, in state: inout State) -> DropReason? {
        let backlog = state.ledger.backlog
        let policy = self.context.sealPolicy
        let needed = OpenBatch.bytes(header: self.envelope.headerCount(batch: state.intake.nextBatch), with: record)
        let demand = BatchDemand(
            needed: needed,
            wanted: policy.capacity(for: needed, current: 0, backlog: backlog),
            largest: policy.capacity(for: 0, current: .max / 4, backlog: backlog),
            rank: rank
        )
        guard self.context.budget.admits(rank: rank) else { return .memoryFull }
        let memory: BatchMemory
        switch self.context.home.allocate(demand, next: &state.intake.nextBytes) {
        case .memory(let allocated): memory = allocated
        case .memoryFull: return .memoryFull
        case .homeFull:
            // Only a batch of this topic, whose lock is held. The actor evicts those of others (`SpoolPressure`).
            guard self.evict(atMost: evicting, in: &state) else { return .spoolFull }
            return self.open(for: record, rank: rank, evicting: evicting, in: &state)
        }
        let header = self.envelope.header(batch: state.intake.nextBatch)
        state.intake.nextBatch += 1
        state.intake.open = OpenBatch(
            header: header.bytes,
            batchIDEnd: header.batchIDEnd,
            openedAt: self.context.clock.now(),
            memory: memory,
            label: self.context.home.label(topic: self.key.topic)
        )
        if memory.label != nil { state.hasUnspooled = true }
        return nil
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
        self.context.home.free(batch.memory)
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
                batch.memory.spoolFile.map {
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
        /// A batch has to be evicted from the home first.
        case evict
        /// Put the record into the open batch as it is.
        case use
        /// Seal the open batch, and put the record into a new one. If `growing`, that gets a larger place.
        case replace(growing: Bool)
        /// Put the record into the open batch, with more memory.
        case grow
    }

    /// What is known of the open batch.
    struct Open {
        /// Whether its memory cannot grow.
        var isFixed: Bool
        /// Whether a request cannot hold one more record.
        var isFull: Bool
        /// Whether its memory has room for the record.
        var hasRoom: Bool
    }

    /// The next step for a record. `admitsMemory` and `admitsHome` say what its level may use. `isPlaceReady` is asked
    /// only if the open batch can grow and has no room.
    static func step(admitsMemory: Bool, admitsHome: Bool, open: Open, isPlaceReady: () -> Bool) -> Step {
        guard admitsMemory else { return .refuse }
        if open.isFixed && !admitsHome { return .evict }
        if open.isFull { return .replace(growing: false) }
        if open.hasRoom { return .use }
        // A file does not grow: its records would be in two files for a moment. The next one is larger.
        if open.isFixed { return .replace(growing: true) }
        // No place was ready when this batch was opened. If one is ready now, it is better than more memory.
        return isPlaceReady() ? .replace(growing: false) : .grow
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What became of a topic's sealed batches: which wait, which are in flight, and how many of their records are settled.
///
/// A value: its input is what happens to batches, and it only counts. It frees no memory and wakes no task. At every
/// moment accepted = delivered + dropped + pending, see ``Tally``.
struct TopicLedger {
    /// A batch in flight.
    struct InFlight {
        let batch: Batch
        /// Whether it was mapped when it was taken.
        let isMapped: Bool
        /// Its copy in a file, if it had no file of its own.
        var copy: Batch?
        /// Whether its memory is just being released, so that no spill copies it any more.
        var isReleased = false
        /// Its records that are not settled.
        var left: BatchLevels

        /// The memory that stays when it is given up.
        var memory: BatchMemory { (self.copy ?? self.batch).memory }
        /// Whether it is in memory only.
        var isUnspooled: Bool { !self.isReleased && self.copy == nil && self.batch.isUnspooled }
    }

    /// The result of records.
    enum Settlement {
        case delivered(rawBytes: Int, wireBytes: Int)
        case dropped(DropReason)
    }

    /// Without the records of batches that are not sealed. They are counted then.
    var tally = Tally()
    /// Sealed batches, the oldest first.
    var sealed: [Batch] = []
    /// The batches that the actor has taken.
    var inFlight: [InFlight] = []
    /// How many of their records are being sent.
    private(set) var recordsInFlight = 0
    /// The number of records in all batches sealed so far, and how many of them are settled, counted from the first one
    /// up to a gap.
    private(set) var enqueued = 0
    private(set) var settled = 0
    /// How many records in flight are settled while others before them are not.
    private var settledAhead = 0
    /// The records dropped behind those in flight, see ``Batch/evictedBehind``.
    private var evictedBehindInFlight = 0
    /// At most the rank of the least severe batch in a file. Nothing below it can be evicted.
    private var lowestSpooledRank = 7
    /// Whether requests take so long that a backlog must not make batches larger.
    private var isSlow = false

    // MARK: What there is

    /// Whether no batch waits or is in flight.
    var isEmpty: Bool { self.sealed.isEmpty && self.inFlight.isEmpty }

    /// The number of sealed batches that count as a backlog, which makes the next ones larger.
    @inline(__always)
    var backlog: Int { self.isSlow ? 0 : self.sealed.count }

    /// When the oldest record came.
    var oldest: MonotonicInstant? { self.inFlight.map(\.batch.openedAt).min() ?? self.sealed.first?.openedAt }

    /// The tally with the records of batches that are not sealed.
    func tally(with open: BatchLevels) -> Tally {
        var tally = self.tally
        tally.accepted += open.all
        tally.pending += open.all
        tally.synthetic += open.synthetic
        return tally
    }

    /// How many records are in memory only.
    var unspooled: Int {
        self.inFlight.reduce(0) { $0 + ($1.isUnspooled ? $1.left.all.total : 0) }
            + self.sealed.reduce(0) { $0 + ($1.isUnspooled ? $1.count : 0) }
    }

    /// Whether the batch in this memory waits or is in flight, and its memory is not being released.
    func holds(_ memory: BatchMemory) -> Bool {
        // What a spill then gives back to the memory, the release would no longer see.
        self.place(of: memory).map { !self.inFlight[$0].isReleased } ?? (self.waitingPlace(of: memory) != nil)
    }

    private func place(of memory: BatchMemory) -> Int? {
        self.inFlight.firstIndex { $0.batch.memory === memory }
    }

    private func waitingPlace(of memory: BatchMemory) -> Int? {
        self.sealed.firstIndex { $0.memory === memory }
    }

    // MARK: What comes

    /// Completes the open batch, if there is one and no caller is copying a record into it. It waits, or with `isTaken` is
    /// in flight at once.
    mutating func seal(_ intake: inout Intake, isTaken: Bool) -> Batch? {
        guard let batch = intake.seal() else { return nil }
        self.count(batch.levels)
        if isTaken {
            self.enqueued += batch.count
            self.inFlight.append(InFlight(batch: batch, isMapped: batch.memory.isResident, left: batch.levels))
        } else {
            self.enqueue(batch)
        }
        return batch
    }

    /// Seals the oldest batch that was waiting for callers, if they have copied their records now.
    mutating func sealClosing(_ intake: inout Intake) -> Batch? {
        guard let batch = intake.sealClosing() else { return nil }
        self.count(batch.levels)
        self.enqueue(batch)
        return batch
    }

    /// Takes the batches that are not sealed, which are not to be sent, and counts their records.
    mutating func takeUnsent(_ intake: inout Intake) -> [UnsentBatch] {
        intake.takeUnsent().map { batch in
            var batch = batch
            // Behind one that waits for a caller, nobody has looked at it since it was set aside.
            batch.findCommits()
            let levels = batch.levels(of: [batch.all])
            self.count(levels)
            self.enqueued += batch.count
            return UnsentBatch(batch: batch, counted: levels)
        }
    }

    /// Counts records that callers have copied into a batch after it was given up. If it `isKept`, they are there for the
    /// next start, as this process keeps its folder until then.
    mutating func countLate(_ unsent: inout UnsentBatch, isKept: Bool) {
        var late = unsent.batch.levels(of: [unsent.batch.all])
        late.all -= unsent.counted.all
        late.own -= unsent.counted.own
        guard late.all.total > 0 else { return }
        unsent.counted = unsent.counted + late
        self.tally.accepted += late.all
        self.tally.synthetic += late.synthetic
        if isKept { self.tally.pending += late.all } else { self.tally.dropped[.shutdownDeadline] += late.all }
    }

    /// A batch that was given up before it was sealed.
    struct UnsentBatch {
        var batch: OpenBatch
        /// Its records that are counted: not those that callers were still copying.
        var counted: BatchLevels
    }

    private mutating func count(_ levels: BatchLevels) {
        self.tally.accepted += levels.all
        self.tally.pending += levels.all
        self.tally.synthetic += levels.synthetic
    }

    /// Takes a batch of an earlier process.
    mutating func recover(_ batch: Batch) {
        self.tally.accepted += batch.levels.all
        self.tally.pending += batch.levels.all
        self.tally.recovered += batch.count
        self.enqueue(batch)
    }

    /// Counts the records of a batch of an earlier process that is given up.
    mutating func dropRecovered(_ batch: Batch, _ reason: DropReason) {
        self.tally.accepted += batch.levels.all
        self.tally.recovered += batch.count
        self.tally.dropped[reason] += batch.levels.all
    }

    /// Counts a record that found no place.
    mutating func drop(_ reason: DropReason, rank: Int, isSynthetic: Bool) {
        self.tally.accepted.countOne(rank)
        self.tally.dropped[reason][rank] += 1
        if isSynthetic { self.tally.synthetic += 1 }
    }

    private mutating func enqueue(_ batch: Batch) {
        self.enqueued += batch.count
        self.sealed.append(batch)
        self.noteSpooled(batch)
    }

    private mutating func noteSpooled(_ batch: Batch) {
        if batch.isInSpool { self.lowestSpooledRank = min(self.lowestSpooledRank, batch.highestRank) }
    }

    // MARK: What goes

    /// Takes the oldest sealed batch. It is in flight from then on.
    mutating func take() -> Batch? {
        guard !self.sealed.isEmpty else { return nil }
        let batch = self.sealed.removeFirst()
        self.inFlight.append(InFlight(batch: batch, isMapped: batch.memory.isResident, left: batch.levels))
        self.evictedBehindInFlight += batch.evictedBehind
        return batch
    }

    /// Puts a batch that was just taken back to where it was.
    mutating func putBack(_ batch: Batch) {
        guard let place = self.place(of: batch.memory) else { return assertionFailure("it is not in flight") }
        self.inFlight.remove(at: place)
        var waiting = batch
        waiting.evictedBehind = self.evictedBehindInFlight
        self.evictedBehindInFlight = 0
        self.sealed.insert(waiting, at: 0)
        self.noteSpooled(waiting)
    }

    /// Notes that the memory of a batch in flight is about to be released.
    mutating func noteReleased(_ batch: Batch) {
        if let place = self.place(of: batch.memory) { self.inFlight[place].isReleased = true }
    }

    /// Notes that so many records are being sent.
    mutating func begin(_ count: Int) { self.recordsInFlight = count }

    /// Counts one request that has ended; `isQuick` says whether exchanges are.
    mutating func count(_ outcome: RequestOutcome, isRetry: Bool, isQuick: Bool, duration: Duration) {
        self.recordsInFlight = 0
        self.isSlow = !isQuick
        self.tally.requestTime += duration
        self.tally.longestRequest = max(self.tally.longestRequest, duration)
        self.tally.requests[outcome] += 1
        if isRetry { self.tally.retries += 1 }
    }

    /// Counts records of a batch in flight that are settled. `isInOrder` says whether all settled records come before
    /// all that are still in flight.
    ///
    /// - Returns: The counts without the library's own records. With the last record, also the batch's copy in a file,
    ///   which is to be released.
    mutating func settle(
        _ part: BatchRange<Batch>,
        as settlement: Settlement,
        isInOrder: Bool
    ) -> (own: LevelCounts, copy: Batch?) {
        guard let place = self.place(of: part.batch.memory) else {
            assertionFailure("it is not in flight")
            return (LevelCounts(), nil)
        }
        let last = part.isLast ? self.inFlight.remove(at: place) : nil
        let levels = last?.left ?? part.batch.levels(of: part.ranges)
        let all = levels.all
        assert(all.total == part.count, "each record is settled once")
        if last == nil {
            self.inFlight[place].left.all -= all
            self.inFlight[place].left.own -= levels.own
            assert(self.inFlight[place].left.all.total > 0, "the last record goes with its batch")
        }
        self.tally.pending -= all
        switch settlement {
        case .delivered(let rawBytes, let wireBytes):
            self.tally.delivered += all
            self.tally.rawBytes += rawBytes
            self.tally.wireBytes += wireBytes
        case .dropped(let reason):
            self.tally.dropped[reason] += all
        }
        self.settledAhead += all.total
        if isInOrder {
            self.settled += self.settledAhead
            self.settledAhead = 0
        }
        if self.inFlight.isEmpty {
            self.settled += self.evictedBehindInFlight
            self.evictedBehindInFlight = 0
        }
        return (levels.own, last?.copy)
    }

    // MARK: What has to go

    /// The index of the oldest spooled batch whose most severe record is the least severe, and at most of this
    /// rank.
    mutating func evictable(atMost rank: Int) -> Int? {
        // A full spool asks for this with every record that it refuses.
        guard self.lowestSpooledRank <= rank else { return nil }
        // They are in the order of age, so of equal ranks the first one is the oldest.
        let waiting = self.sealed.lazy.map { (rank: $0.isInSpool ? $0.highestRank : 7, age: 0) }
        let best = EvictionPolicy.first(of: waiting, atMost: 6)
        self.lowestSpooledRank = best?.rank ?? 7
        return best.flatMap { $0.rank <= rank ? $0.index : nil }
    }

    /// Gives up the batch that waits at `index`. Its records count as settled when those before it are.
    mutating func evict(at index: Int) -> Batch {
        let batch = self.sealed.remove(at: index)
        self.tally.pending -= batch.levels.all
        self.tally.dropped[.spoolFull] += batch.levels.all
        let count = batch.count + batch.evictedBehind
        if index > 0 {
            self.sealed[index - 1].evictedBehind += count
        } else if !self.inFlight.isEmpty {
            self.evictedBehindInFlight += count
        } else {
            self.settled += count
        }
        return batch
    }

    // MARK: Copies in files

    /// Where a batch is.
    enum Place {
        case waiting
        case inFlight
    }

    /// Adds the copy of a batch in a file. It replaces a batch that waits, and is kept beside one in flight. Returns
    /// `nil` if the batch is neither, or has a copy already.
    mutating func adopt(_ copy: Batch, for batch: Batch) -> Place? {
        if let index = self.waitingPlace(of: batch.memory) {
            var copy = copy
            copy.evictedBehind = self.sealed[index].evictedBehind
            self.sealed[index] = copy
            self.lowestSpooledRank = min(self.lowestSpooledRank, copy.highestRank)
            return .waiting
        }
        guard let place = self.place(of: batch.memory), self.inFlight[place].copy == nil,
            !self.inFlight[place].isReleased
        else { return nil }
        self.inFlight[place].copy = copy
        return .inFlight
    }
}

/// The actor's way to the ledger.
extension TopicQueue {
    /// Takes the oldest batch. Seals the open one if there is no other. The batch may be unmapped.
    func take() -> Batch? {
        self.state.withLock { state in
            if let batch = state.ledger.take() { return batch }
            self.appendRepeatCount(in: &state)
            // That record may not have found room in the open batch.
            let isNext = state.ledger.sealed.isEmpty
            let sealed = self.sealOpen(in: &state, isTaken: isNext)
            return isNext ? sealed : state.ledger.take()
        }
    }

    /// Puts a batch that was just taken back to its place, as its file cannot be read at present.
    func requeue(_ batch: Batch) {
        self.state.withLock { state in
            if !state.isAbandoned { state.ledger.putBack(batch) }
        }
    }

    /// Completes the open batch, if there is one. It waits, or with `isTaken` is in flight at once. While a caller is copying
    /// a record into it, it is sealed later, by whoever takes the lock next.
    @discardableResult
    func sealOpen(in state: inout State, isTaken: Bool = false) -> Batch? {
        guard let sealed = state.ledger.seal(&state.intake, isTaken: isTaken) else { return nil }
        if isTaken { self.context.home.seal(sealed.memory) } else { state.noteSealed(sealed, self.context) }
        return sealed
    }

    /// Counts the result of records of a batch in flight. Releases the batch's memory with the last of them, and wakes
    /// flushes that waited for them.
    ///
    /// `isInOrder` says whether all settled records come before all records in flight.
    func settle(_ part: BatchRange<Batch>, as settlement: TopicLedger.Settlement, isInOrder: Bool = true) {
        // The memory first: a program that has flushed finds it given back. Not under the lock: a file's header is written
        // to, which may wait for the disk, and budget and spool have locks of their own.
        if part.isLast {
            self.state.besideLane { $0.ledger.noteReleased(part.batch) }
            self.context.home.free(part.batch.memory)
        }
        let waiters = self.state.besideLane { state -> [CheckedContinuation<Void, Never>] in
            // Abandoned records have been counted. A late answer does not change that.
            guard !state.isAbandoned else { return [] }
            let (own, copy) = state.ledger.settle(part, as: settlement, isInOrder: isInOrder)
            // Not mapped, so no header is written to here.
            if let copy { self.context.home.free(copy.memory) }
            if case .dropped(let reason) = settlement, own.total > 0 { state.drops.unannounced[reason] += own }
            return state.takeReadyWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }
}

extension TopicQueue.State {
    /// Removes and returns the flushes whose records are settled.
    mutating func takeReadyWaiters() -> [CheckedContinuation<Void, Never>] {
        let settled = self.ledger.settled
        guard self.waiters.contains(where: { $0.target <= settled }) else { return [] }
        let ready = self.waiters.filter { $0.target <= settled }
        self.waiters.removeAll { $0.target <= settled }
        return ready.map(\.continuation)
    }
}

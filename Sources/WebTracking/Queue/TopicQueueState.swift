// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension TopicQueue {
    /// What the lock of a topic's buffer guards.
    struct State {
        var open: Batch?
        /// The last record of the open batch, if another one like it would be folded into it.
        var lastRecord: RepeatedRecord?
        /// Sealed batches, the oldest first.
        var sealed: [Batch] = []
        /// The number of the next batch.
        var nextBatch: UInt64 = 0
        /// The size of the next spool file's memory: small for a topic of few records.
        var spoolBytes = TopicQueue.smallestFile
        /// The records in the hands of the actor.
        var inFlightLevels = LevelCounts()
        /// The batches in the hands of the actor, and how many of their records are on their way.
        var inFlight: [InFlightBatch] = []
        var recordsInFlight = 0
        /// How many records of the hand are settled while others before them are not.
        var settledAhead = 0
        /// The records given up behind what is in flight, see ``Batch/evictedBehind``.
        var evictedBehindInFlight = 0
        /// At most the rank of the least severe batch in a file: below it there is nothing to give up.
        var lowestSpooledRank = 7
        var spoolPressure = SpoolPressure()
        /// Whether there may be batches in memory because files could not be had.
        var hasUnspooled = false
        /// When files are asked for again for those, after there was none for one of them.
        var spillAt: MonotonicInstant?
        /// Without the records of the open batch, which are counted when it is sealed.
        var tally = Tally()
        /// Drops that no synthetic record has told of yet, without those of synthetic records.
        var unannounced = DropCounts()
        /// Drops on the callers' side that no diagnostic has told of yet.
        var unreported = DropCounts()
        /// Records ever put into a batch that is sealed, and how many of them are settled, in their order: all records
        /// up to that one are.
        var enqueued = 0
        var settled = 0
        /// Whether a record has come that shall not linger.
        var isUrgent = false
        /// Records up to this one shall not linger.
        var flushTarget = 0
        /// Whether a flush asks the actor not to wait for its backoff.
        var skipsBackoff = false
        var waiters: [Waiter] = []
        var nextWaiter = 0
        var worker: Task<Void, Never>?
        /// Whether exchanges take so long that a backlog must not make larger batches.
        var isSlow = false
        var isClosed = false
        var isAbandoned = false
        var isRetired = false

        /// When the oldest record in the hands of the actor came.
        var inFlightSince: MonotonicInstant? { self.inFlight.map(\.batch.openedAt).min() }

        /// Whether all that the actor has in its hands is in spool files.
        var isInFlightSpooled: Bool { !self.inFlight.isEmpty && self.inFlight.allSatisfy { $0.file != nil } }

        /// Whether something in the hands of the actor is in memory only.
        var isInFlightUnspooled: Bool { self.inFlight.contains(where: \.isUnspooled) }

        /// Where a batch is among those in the hands of the actor.
        func place(of batch: Batch) -> Int? {
            self.inFlight.firstIndex { $0.batch.memory === batch.memory }
        }

        /// Notes that all of a batch is done with, and says what copy of it there is.
        mutating func markDone(with batch: Batch) -> Batch? {
            guard let place = self.place(of: batch) else { return nil }
            self.inFlight[place].isDone = true
            return self.inFlight[place].copy
        }

        /// Takes a batch out of the hands of the actor.
        mutating func removeInFlight(of batch: Batch) -> InFlightBatch? {
            self.place(of: batch).map { self.inFlight.remove(at: $0) }
        }

        /// How many sealed batches wait that may make the next ones larger.
        @inline(__always)
        var backlog: Int { self.isSlow ? 0 : self.sealed.count }

        /// Whether records from outside are taken.
        @inline(__always)
        var takesRecords: Bool { !self.isClosed && !self.isAbandoned }

        /// Puts a record into the open batch, if there is one with room for it.
        @inline(__always)
        mutating func put(_ record: EncodedRecord, rank: Int, isSynthetic: Bool, policy: SealPolicy) -> Bool {
            guard self.takesRecords else { return false }
            let backlog = self.backlog
            return self.open?.put(record, rank: rank, isSynthetic: isSynthetic, policy: policy, backlog: backlog)
                ?? false
        }

        /// Counts a record that found no place.
        mutating func drop(_ reason: DropReason, rank: Int, isSynthetic: Bool) {
            self.tally.accepted.countOne(rank)
            self.tally.dropped[reason][rank] += 1
            if isSynthetic { self.tally.synthetic += 1 }
        }

        /// The tally with the records of the open batch.
        var wholeTally: Tally {
            var tally = self.tally
            if let levels = self.open?.countLevels() { tally.take(levels) }
            return tally
        }

        /// The number of records ever put into a batch, with those of the open one.
        var allEnqueued: Int { self.enqueued + (self.open?.count ?? 0) }

        /// Notes that a record has come that shall not linger; `true` if it is the first one.
        mutating func becomesUrgent() -> Bool {
            defer { self.isUrgent = true }
            return !self.isUrgent
        }

        /// Completes the open batch, if there is one, and returns it.
        mutating func sealOpen() -> Batch? {
            guard var batch = self.open.take() else { return nil }
            self.lastRecord = nil
            batch.seal()
            if let levels = batch.levels { self.tally.take(levels) }
            self.enqueued += batch.count
            self.enqueue(batch)
            self.isUrgent = false
            return batch
        }

        /// Appends a sealed batch.
        mutating func enqueue(_ batch: Batch) {
            self.sealed.append(batch)
            if batch.isInSpool { self.lowestSpooledRank = min(self.lowestSpooledRank, batch.highestRank) }
        }

        /// Where the oldest of those spooled batches is whose most severe record is the least severe, and at most of this
        /// rank.
        mutating func evictable(atMost rank: Int) -> Int? {
            // Asked for every record that a full spool refuses.
            guard self.lowestSpooledRank <= rank else { return nil }
            // In the order of their age.
            let waiting = self.sealed.lazy.map { (rank: $0.isInSpool ? $0.highestRank : 7, age: 0) }
            let best = EvictionPolicy.first(of: waiting, atMost: 6)
            self.lowestSpooledRank = best?.rank ?? 7
            return best.flatMap { $0.rank <= rank ? $0.index : nil }
        }

        /// Whether a batch is open, waits, or is in flight.
        func isHeld(_ batch: Batch) -> Bool {
            self.place(of: batch) != nil || self.open?.memory === batch.memory
                || self.sealed.contains { $0.memory === batch.memory }
        }

        /// Takes out a batch that waits, and sees to it that its records count as settled when those before it are.
        mutating func removeWaiting(at index: Int) -> Batch {
            let batch = self.sealed.remove(at: index)
            let count = batch.allLevels.total + batch.evictedBehind
            if index > 0 {
                self.sealed[index - 1].evictedBehind += count
            } else if self.inFlightSince != nil {
                self.evictedBehindInFlight += count
            } else {
                self.settled += count
            }
            return batch
        }

        /// Takes out the flushes whose records are settled.
        mutating func takeReadyWaiters() -> [CheckedContinuation<Void, Never>] {
            let settled = self.settled
            guard self.waiters.contains(where: { $0.target <= settled }) else { return [] }
            let ready = self.waiters.filter { $0.target <= settled }
            self.waiters.removeAll { $0.target <= settled }
            return ready.map(\.continuation)
        }
    }

    /// A batch in the hands of the actor.
    struct InFlightBatch {
        let batch: Batch
        /// Whether it was in memory when it was taken.
        let isMapped: Bool
        /// A copy of it in a file, if it had none of its own.
        var copy: Batch?
        /// Whether all its records are done with.
        var isDone = false
        /// Its records that are not settled.
        var left: LevelCounts

        init(batch: Batch, isMapped: Bool) {
            self.batch = batch
            self.isMapped = isMapped
            self.left = batch.allLevels
        }

        /// The file that holds it.
        var file: SpoolFile? { (self.copy ?? self.batch).spoolFile }
        /// Whether it is in memory only.
        var isUnspooled: Bool { !self.isDone && self.copy == nil && self.batch.isUnspooled }
    }

    /// A flush that waits until the first `target` records are settled.
    struct Waiter {
        var id: Int
        var target: Int
        var continuation: CheckedContinuation<Void, Never>
    }
}

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

extension TopicBuffer {
    /// What the lock of a topic's buffer guards.
    struct State {
        var open: Segment?
        /// The last record of the open segment, if another one like it would be folded into it.
        var fold: RecordFold?
        /// Sealed segments, the oldest first.
        var sealed: [Segment] = []
        /// The number of the next batch.
        var nextBatch: UInt64 = 0
        /// The size of the next spool file's memory: small for a topic of few records.
        var spoolBytes = TopicBuffer.smallestFile
        /// The records in the hands of the actor.
        var inHand = LevelCounts()
        /// The batches in the hands of the actor, and how many of their records are on their way.
        var hands: [Hand] = []
        var underWay = 0
        /// How many records of the hand are settled while others before them are not.
        var settledAhead = 0
        /// The records given up behind what is in hand, see ``Segment/evictedBehind``.
        var evictedBehindHand = 0
        /// At most the rank of the least severe batch in a file: below it there is nothing to give up.
        var lowestSpooledRank = 7
        var spoolPressure = SpoolPressure()
        /// Whether there may be segments in memory because files could not be had.
        var hasUnspooled = false
        /// When files are asked for again for those, after there was none for one of them.
        var returnAt: MonotonicInstant?
        /// Without the records of the open segment, which are counted when it is sealed.
        var tally = Tally()
        /// Drops that no synthetic record has told of yet, without those of synthetic records.
        var unannounced = DropCounts()
        /// Drops on the callers' side that no diagnostic has told of yet.
        var unreported = DropCounts()
        /// Records ever put into a segment that is sealed, and how many of them are settled, in their order: all records
        /// up to that one are.
        var enqueued = 0
        var settled = 0
        /// Whether a record has come that shall not linger.
        var isUrgent = false
        /// Records up to this one shall not linger.
        var flushTarget = 0
        /// Whether a flush asks the actor not to wait for its backoff.
        var isNudged = false
        var waiters: [Waiter] = []
        var nextWaiter = 0
        var worker: Task<Void, Never>?
        /// Whether exchanges take so long that a backlog must not make larger batches.
        var isSlow = false
        var isClosed = false
        var isAbandoned = false
        var isRetired = false

        /// When the oldest record in the hands of the actor came.
        var inHandSince: MonotonicInstant? { self.hands.map(\.segment.openedAt).min() }

        /// Whether all that the actor has in its hands is in spool files.
        var isHandSpooled: Bool { !self.hands.isEmpty && self.hands.allSatisfy { $0.file != nil } }

        /// Whether something in the hands of the actor is in memory only.
        var isHandUnspooled: Bool { self.hands.contains(where: \.isUnspooled) }

        /// Where a batch is among those in the hands of the actor.
        func place(of segment: Segment) -> Int? {
            self.hands.firstIndex { $0.segment.memory === segment.memory }
        }

        /// Notes that all of a batch is done with, and says what copy of it there is.
        mutating func finishHand(with segment: Segment) -> Segment? {
            guard let place = self.place(of: segment) else { return nil }
            self.hands[place].isDone = true
            return self.hands[place].copy
        }

        /// Takes a batch out of the hands of the actor.
        mutating func takeHand(of segment: Segment) -> Hand? {
            self.place(of: segment).map { self.hands.remove(at: $0) }
        }

        /// How many sealed segments wait that may make the next ones larger.
        @inline(__always)
        var backlog: Int { self.isSlow ? 0 : self.sealed.count }

        /// Whether records from outside are taken.
        @inline(__always)
        var takesRecords: Bool { !self.isClosed && !self.isAbandoned }

        /// Puts a record into the open segment, if there is one with room for it.
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

        /// The tally with the records of the open segment.
        var wholeTally: Tally {
            var tally = self.tally
            if let levels = self.open?.countLevels() { tally.take(levels) }
            return tally
        }

        /// The number of records ever put into a segment, with those of the open one.
        var allEnqueued: Int { self.enqueued + (self.open?.count ?? 0) }

        /// Notes that a record has come that shall not linger; `true` if it is the first one.
        mutating func becomesUrgent() -> Bool {
            defer { self.isUrgent = true }
            return !self.isUrgent
        }

        /// Completes the open segment, if there is one, and returns it.
        mutating func sealOpen() -> Segment? {
            guard var segment = self.open.take() else { return nil }
            self.fold = nil
            segment.seal()
            if let levels = segment.levels { self.tally.take(levels) }
            self.enqueued += segment.count
            self.enqueue(segment)
            self.isUrgent = false
            return segment
        }

        /// Appends a sealed segment.
        mutating func enqueue(_ segment: Segment) {
            self.sealed.append(segment)
            if segment.isInSpool { self.lowestSpooledRank = min(self.lowestSpooledRank, segment.highestRank) }
        }

        /// Where the oldest of those spooled segments is whose most severe record is the least severe, and at most of this
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

        /// Whether a segment is open, waits, or is in hand.
        func isHeld(_ segment: Segment) -> Bool {
            self.place(of: segment) != nil || self.open?.memory === segment.memory
                || self.sealed.contains { $0.memory === segment.memory }
        }

        /// Takes out a segment that waits, and sees to it that its records count as settled when those before it are.
        mutating func removeWaiting(at index: Int) -> Segment {
            let segment = self.sealed.remove(at: index)
            let count = segment.allLevels.total + segment.evictedBehind
            if index > 0 {
                self.sealed[index - 1].evictedBehind += count
            } else if self.inHandSince != nil {
                self.evictedBehindHand += count
            } else {
                self.settled += count
            }
            return segment
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
    struct Hand {
        let segment: Segment
        /// Whether it was in memory when it was taken.
        let isMapped: Bool
        /// A copy of it in a file, if it had none of its own.
        var copy: Segment?
        /// Whether all its records are done with.
        var isDone = false
        /// Its records that are not settled.
        var left: LevelCounts

        init(segment: Segment, isMapped: Bool) {
            self.segment = segment
            self.isMapped = isMapped
            self.left = segment.allLevels
        }

        /// The file that holds it.
        var file: SpoolFile? { (self.copy ?? self.segment).spoolFile }
        /// Whether it is in memory only.
        var isUnspooled: Bool { !self.isDone && self.copy == nil && self.segment.isUnspooled }
    }

    /// A flush that waits until the first `target` records are settled.
    struct Waiter {
        var id: Int
        var target: Int
        var continuation: CheckedContinuation<Void, Never>
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The queue between the threads that log to one topic and the topic's actor.
///
/// A record takes its lock, or passes it by the ``AppendLane``. (If a record's topic depends on its metadata, it takes the
/// table's lock as well.)
///
/// Callers append encoded records to the open batch. When it is full, they seal it, open another one, and ring for the
/// actor. The actor takes sealed batches from the front, and settles them when their result is known. Nothing in here
/// waits: a critical section copies one record, and sometimes grows or replaces a batch.
final class TopicQueue: RecordQueue {
    let key: TopicKey
    let context: QueueContext
    let envelope: Envelope
    let bell: Doorbell
    let state: QueueState
    /// The queue that reports this queue's drops in the log, if that is another one.
    let announcer: TopicQueue?

    init(key: TopicKey, context: QueueContext, announcer: TopicQueue? = nil) {
        self.key = key
        self.context = context
        self.announcer = announcer
        self.bell = Doorbell(turnstile: context.turnstile)
        self.envelope = Envelope(
            key: key,
            source: context.source,
            staticTags: context.staticTags,
            batchPrefix: context.nextBatchPrefix()
        )
        self.state = QueueState(context: context)
    }

    // MARK: The callers' side

    /// Appends one encoded record, or counts it as dropped.
    ///
    /// A synthetic record is one that the library writes itself. It is also accepted after the close, as long as there
    /// is any room.
    ///
    /// - Parameter comparedFrom: Where the part of `members` begins that is compared with the record before; `nil` if
    ///   repeats are kept.
    @inline(__always)
    func append(
        _ members: UnsafeRawBufferPointer,
        rank: Int,
        repairs: RepairCounts,
        number: UInt64? = nil,
        comparedFrom: Int? = nil,
        isSynthetic: Bool = false
    ) -> AppendAnswer {
        let isUrgent = rank >= self.context.sealPolicy.urgentRank && !DeliveryScope.isInside
        var number = number
        // The usual case: a record goes to the open batch, and there is nothing else to do.
        if !isUrgent, !isSynthetic, comparedFrom == nil, repairs.isEmpty, self.state.lane.isOpen,
            self.context.admits(rank: rank)
        {
            let record = self.context.numbers.record(members, number: number)
            if let claim = self.state.lane.claim(record.count) {
                // The memory is the queue's.
                withExtendedLifetime(self) {
                    record.write(to: claim.start, isFirst: false)
                    // The mark last: whoever sees it sees the record.
                    claim.commit(rank: rank)
                }
                return .accepted
            }
            number = record.sequence
        }
        let (answer, rings) = self.state.withLock { state -> (AppendAnswer, Bool) in
            // Under the lock in which `retire` sets it: a record comes before that, or revives the queue first.
            guard !state.isRetired else { return (.retired(number: number), false) }
            if isSynthetic && !self.hasRoomForSynthetic(members, in: state) {
                return (.dropped(.memoryFull), false)
            }
            if state.intake.lastRecord != nil
                && self.isRepeated(members, rank: rank, comparedFrom: comparedFrom, in: &state)
            {
                return (.dropped(.repeated), false)
            }
            if !repairs.isEmpty { state.ledger.tally.repaired += repairs }
            let record = self.context.numbers.record(members, number: number)
            let backlog = state.ledger.backlog
            let policy = self.context.sealPolicy
            // There is an open batch, and the record fits in.
            if state.takesRecords, state.intake.open != nil, self.context.admits(rank: isSynthetic ? 6 : rank),
                state.intake.open?.put(record, rank: rank, isSynthetic: isSynthetic, policy: policy, backlog: backlog)
                    ?? false
            {
                if let comparedFrom { state.intake.remember(record, from: comparedFrom, rank: rank) }
                return (.accepted, isUrgent && state.intake.becomesUrgent())
            }
            let result = self.appendToNewBatch(
                record,
                rank: rank,
                isSynthetic: isSynthetic,
                isUrgent: isUrgent,
                in: &state
            )
            if let comparedFrom, result.0 == .accepted { state.intake.remember(record, from: comparedFrom, rank: rank) }
            return result
        }
        // Outside of the lock, which `wakeWorker` takes, too.
        if rings { self.wakeWorker() }
        return answer
    }

    /// Whether a record of the library's own would find room. If not, it is not even counted: a report of drops must
    /// not cause more drops to report.
    func hasRoomForSynthetic(_ members: UnsafeRawBufferPointer, in state: State) -> Bool {
        let size = self.context.numbers.longestOpening + members.count
        if let open = state.intake.open, open.hasRoom(for: size) { return true }
        // What a new batch would ask for, or the open one when it grows.
        let needed = self.envelope.longestHeader + size + 8192
        let home: any BatchHome = self.context.home.isAvailable ? self.context.home : self.context.heap
        return home.hasRoom(for: needed, next: max(needed, state.intake.nextBytes), rank: 6)
    }

    func wakeWorker() {
        let needsWorker = self.state.besideLane { state -> Bool in
            guard state.worker == nil, !state.isWorkerDue, !state.isAbandoned, !state.isRetired else { return false }
            state.isWorkerDue = true
            return true
        }
        if needsWorker { self.context.turnstile.enter(.start(self)) } else { self.bell.ring() }
    }

    // MARK: Numbers

    var tally: Tally { self.state.withLock { $0.tally } }

    func add(to overview: inout QueueOverview) {
        self.state.withLock { state in
            overview.tally += state.tally
            overview.unspooled += state.unspooled
            let oldest = state.ledger.oldest ?? state.intake.oldest
            if let oldest { overview.oldest = min(overview.oldest ?? oldest, oldest) }
        }
    }

    func add(to outcome: inout Outcome) { self.state.withLock { $0.add(to: &outcome) } }
}

extension TopicQueue: TurnstileUser {
    func startTask() -> Bool {
        self.state.withLock { state in
            state.isWorkerDue = false
            guard !state.isAbandoned else { return false }
            // Detached: the worker must not inherit the task-local values of the caller that logged first.
            // Under the lock: `abandon` comes before, and no task is made, or after, and finds this one to cancel.
            let start = self.context.startWorker
            state.worker = Task.detached(executorPreference: self.context.executor) {
                self.context.turnstile.next()
                await start(self)
            }
            return true
        }
    }
}

extension TopicQueue {
    /// What the lock of a topic's queue guards: three values, and the state of the queue itself.
    struct State {
        var ledger = TopicLedger()
        var intake = Intake()
        var drops = Drops()

        var spoolPressure = SpoolPressure()
        /// Whether batches may be in memory because there was no file for them.
        var hasUnspooled = false
        /// When to ask for files again for those batches.
        var spillAt: MonotonicInstant?
        /// Records up to this one must not linger.
        var flushTarget = 0
        /// Whether a flush asks the actor not to wait for its backoff.
        var skipsBackoff = false
        var waiters: [Waiter] = []
        var nextWaiter = 0
        /// Batches that were given up while callers were copying records into them. Their memory is kept for that.
        var unsent: [TopicLedger.UnsentBatch] = []
        var worker: Task<Void, Never>?
        /// Whether the worker is about to start, and waits at the turnstile.
        var isWorkerDue = false
        var isClosed = false
        var isAbandoned = false
        var isRetired = false

        /// Whether callers' records are accepted.
        @inline(__always)
        var takesRecords: Bool { !self.isClosed && !self.isAbandoned }

        /// The number of records ever put into a batch, with those of batches that are not sealed.
        var allEnqueued: Int { self.ledger.enqueued + self.intake.count }

        /// The tally with the records of batches that are not sealed.
        var tally: Tally { self.ledger.tally(with: self.intake.levels) }

        /// The number of batches that wait for the actor, with those that wait for callers first.
        var waitingBatches: Int { self.ledger.sealed.count + self.intake.closing.count }

        /// Adds this topic's part of a report.
        func add(to outcome: inout Outcome) {
            outcome.delivered += self.ledger.tally.delivered.total
            outcome.dropped += self.ledger.tally.dropped
            outcome.pending += self.ledger.tally.pending.total + self.intake.levels.all.total
        }

        /// How many records are in memory only, although they should be in a file.
        var unspooled: Int {
            guard self.hasUnspooled, !self.isAbandoned else { return 0 }
            return self.ledger.unspooled + self.intake.unspooled
        }
    }

    /// The drops that are still to be reported: once in the log, and once as diagnostics.
    struct Drops {
        /// Drops that no synthetic record has reported yet, without drops of synthetic records.
        var unannounced = DropCounts()
        /// Drops on the callers' side that no diagnostic has reported yet.
        var unreported = DropCounts()

        /// Counts a record that found no room. Returns `true` if it is the first one to announce in the log.
        mutating func note(_ reason: DropReason, rank: Int, isSynthetic: Bool) -> Bool {
            self.unreported[reason][rank] += 1
            guard !isSynthetic else { return false }
            defer { self.unannounced[reason][rank] += 1 }
            return self.unannounced.isEmpty
        }

        /// Returns one of the two counts, and sets it to zero. The caller reports it.
        mutating func take(_ counts: WritableKeyPath<Drops, DropCounts>) -> DropCounts {
            defer { self[keyPath: counts] = DropCounts() }
            return self[keyPath: counts]
        }
    }

    /// A flush that waits until the first `target` records are settled.
    struct Waiter {
        var id: Int
        var target: Int
        var continuation: CheckedContinuation<Void, Never>
    }
}

extension TopicQueue {
    /// Whether a record repeats the last one. If so, counts it. If not, first reports the repeats that were counted.
    @inline(never)
    func isRepeated(
        _ members: UnsafeRawBufferPointer,
        rank: Int,
        comparedFrom start: Int?,
        in state: inout State
    ) -> Bool {
        if let start, state.takesRecords {
            let text = UnsafeRawBufferPointer(rebasing: members[start...])
            if state.intake.lastRecord?.countIfRepeated(text, rank: rank) == true {
                state.ledger.drop(.repeated, rank: rank, isSynthetic: false)
                return true
            }
        }
        self.appendRepeatCount(in: &state)
        return false
    }

    /// Appends a record that reports how often the last one was repeated, if it was.
    func appendRepeatCount(in state: inout State) {
        guard let lastRecord = state.intake.lastRecord.take(), lastRecord.repeats > 0,
            let reported = self.context.repetition(lastRecord)
        else { return }
        reported.members.withUnsafeBytes { members in
            guard self.hasRoomForSynthetic(members, in: state) else {
                // They are reported with other drops, once there is room.
                state.drops.unannounced[.repeated][lastRecord.rank] += lastRecord.repeats
                return
            }
            let record = self.context.numbers.record(members)
            let backlog = state.ledger.backlog
            let policy = self.context.sealPolicy
            let rank = reported.rank
            if state.takesRecords,
                state.intake.open?.put(record, rank: rank, isSynthetic: true, policy: policy, backlog: backlog) ?? false
            {
                return
            }
            _ = self.appendToNewBatch(record, rank: rank, isSynthetic: true, isUrgent: false, in: &state)
        }
    }
}

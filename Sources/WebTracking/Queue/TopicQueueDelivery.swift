// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// The actor's side.
extension TopicQueue {
    /// What the actor can do next.
    enum Work: Equatable {
        /// A batch can be taken now.
        case ready
        /// The open batch is due at this time.
        case due(MonotonicInstant)
        /// There is nothing.
        case none
    }

    /// What there is to take at `now`.
    func work(at now: MonotonicInstant) -> Work {
        self.state.withLock { state in
            if !state.sealed.isEmpty { return .ready }
            guard let open = state.open else { return .none }
            let due = self.context.sealPolicy.dueTime(openedAt: open.openedAt)
            if state.isUrgent || state.isClosed || state.settled < state.flushTarget || due <= now { return .ready }
            return .due(due)
        }
    }

    /// Takes the oldest batch, sealing the open one if there is no other. It may be parked.
    func take() -> Batch? {
        self.state.withLock { state in
            if state.sealed.isEmpty {
                self.appendRepeatCount(in: &state)
                self.sealOpen(in: &state)
            }
            guard !state.sealed.isEmpty else { return nil }
            let batch = state.sealed.removeFirst()
            state.inFlight.append(InFlightBatch(batch: batch, isMapped: batch.memory.isResident))
            state.inFlightLevels += batch.allLevels
            state.evictedBehindInFlight += batch.evictedBehind
            return batch
        }
    }

    /// Puts a batch that was just taken back to where it was, since its file cannot be read at present.
    func requeue(_ batch: consuming Batch) {
        let batch = batch
        self.state.withLock { state in
            guard !state.isAbandoned else { return }
            var waiting = batch
            waiting.evictedBehind = state.evictedBehindInFlight
            state.sealed.insert(waiting, at: 0)
            state.lowestSpooledRank = min(state.lowestSpooledRank, waiting.highestRank)
            state.inFlightLevels -= batch.allLevels
            _ = state.removeInFlight(of: batch)
            state.evictedBehindInFlight = 0
        }
    }

    /// Waits until something may have changed, at the longest until `deadline`.
    func wait(until deadline: MonotonicInstant) async {
        guard deadline > self.context.clock.now() else { return }
        await self.bell.wait(until: deadline, alarm: self.context.alarm)
    }

    /// What became of records in the end.
    enum Settlement {
        case delivered(rawBytes: Int, wireBytes: Int)
        case dropped(DropReason)
    }

    /// Counts records of a batch that was taken, gives back its memory once the last of them is settled, and wakes flushes
    /// that waited for it.
    ///
    /// `isInOrder` says whether no record that is in flight still is before a settled one.
    func settle(_ part: BatchRange<Batch>, as settlement: Settlement, isInOrder: Bool = true) {
        let levels = part.batch.levels(of: part.ranges)
        if part.isLast {
            // From here on it is not copied any more.
            let copy = self.state.withLock { state in state.markDone(with: part.batch) }
            // The memory first: who waits for the records to be settled finds it given back.
            if let copy { self.free(copy) }
            self.free(part.batch)
        }
        let waiters = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            // What was abandoned has been counted; an answer that comes after that changes nothing.
            guard !state.isAbandoned else { return [] }
            state.tally.pending -= levels.all
            state.inFlightLevels -= levels.all
            if part.isLast {
                _ = state.removeInFlight(of: part.batch)
            } else if let place = state.place(of: part.batch) {
                state.inFlight[place].left -= levels.all
            }
            switch settlement {
            case .delivered(let rawBytes, let wireBytes):
                state.tally.delivered += levels.all
                state.tally.rawBytes += rawBytes
                state.tally.wireBytes += wireBytes
            case .dropped(let reason):
                state.tally.dropped[reason] += levels.all
                if levels.own.total > 0 { state.unannounced[reason] += levels.own }
            }
            state.settledAhead += levels.all.total
            if isInOrder {
                state.settled += state.settledAhead
                state.settledAhead = 0
            }
            if state.inFlight.isEmpty {
                state.settled += state.evictedBehindInFlight
                state.evictedBehindInFlight = 0
            }
            return state.takeReadyWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Gives back the memory of a batch whose records are done with.
    func free(_ batch: Batch) {
        self.context.budget.release(batch.heldBytes)
        for memory in [batch.memory] + (batch.origin.map { [$0] } ?? []) {
            if memory.file != nil {
                self.context.spool?.release(memory)
            } else if memory.label == nil {
                self.context.memoryPool.give(memory)
            } else {
                // May be copied right now, so it is not used again.
                self.context.spool?.cancelReservation(memory.takeReserved())
            }
        }
    }

    /// Notes that so many records are on their way.
    func begin(_ count: Int) { self.state.withLock { $0.recordsInFlight = count } }

    /// Counts one request that has ended; `isQuick` says whether exchanges are.
    func count(_ outcome: RequestOutcome, isRetry: Bool, isQuick: Bool, duration: Duration) {
        self.state.withLock { state in
            state.recordsInFlight = 0
            state.isSlow = !isQuick
            state.tally.requestTime += duration
            state.tally.longestRequest = max(state.tally.longestRequest, duration)
            state.tally.requests[outcome] += 1
            if isRetry { state.tally.retries += 1 }
        }
    }

    /// Whether a flush has asked for an attempt at once; asking takes the wish back.
    func takeSkipBackoff() -> Bool {
        self.state.withLock { state in
            defer { state.skipsBackoff = false }
            return state.skipsBackoff
        }
    }

    /// Whether the producer is shutting down.
    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    /// Puts a record into the log that tells of drops, if records of the least severe dropped level would find room
    /// again, or if the buffer is closed.
    func announceDrops(_ encode: (DropCounts) -> SyntheticRecord?) {
        if let announcer = self.announcer { return self.handOverDrops(to: announcer) }
        let drops = self.state.withLock { state -> DropCounts? in
            guard !state.unannounced.isEmpty else { return nil }
            let lowest = state.unannounced.lowestRank
            let hasRoom =
                self.context.budget.hasRoom(for: 8192, rank: lowest)
                && self.context.spool?.hasRoom(for: state.spoolBytes, rank: lowest) ?? true
            guard state.isClosed || hasRoom else { return nil }
            defer { state.unannounced = DropCounts() }
            return state.unannounced
        }
        guard let drops, let record = encode(drops) else { return }
        if self.append(record) != .accepted { self.state.withLock { $0.unannounced += drops } }
    }

    /// Hands over the drops that no record has told of yet, for another buffer to announce.
    private func handOverDrops(to other: TopicQueue) {
        let drops = self.state.withLock { state in
            defer { state.unannounced = DropCounts() }
            return state.unannounced
        }
        guard !drops.isEmpty else { return }
        other.state.withLock { $0.unannounced += drops }
        other.wakeWorker()
    }

    /// Tells the diagnostics of the drops on the callers' side since this was last done; nothing may be written there.
    func reportDrops(to diagnostics: (ProducerDiagnostic) -> Void) {
        let drops = self.state.withLock { state -> DropCounts in
            guard !state.unreported.isEmpty else { return DropCounts() }
            defer { state.unreported = DropCounts() }
            return state.unreported
        }
        for reason in DropReason.allCases where drops[reason].total > 0 {
            diagnostics(
                .recordsDropped(topic: self.key.topic, reason: reason, count: drops[reason].total, failure: nil)
            )
        }
    }

    /// Whether there are drops to tell of.
    var hasAnnouncement: Bool { self.state.withLock { !$0.unannounced.isEmpty } }

    /// Ends the worker's duty if nothing is left to do; `true` if it may go.
    ///
    /// With `forGood`, the buffer takes no records until it is revived, and its tally is handed out.
    func retire(forGood: Bool) -> (mayGo: Bool, tally: Tally?) {
        self.state.withLock { state in
            guard state.open == nil, state.sealed.isEmpty, state.unannounced.isEmpty, state.inFlightSince == nil else {
                return (false, nil)
            }
            state.worker = nil
            guard forGood, state.waiters.isEmpty else { return (true, nil) }
            state.isRetired = true
            defer { state.tally = Tally() }
            return (true, state.tally)
        }
    }

    /// Takes records again.
    func revive() { self.state.withLock { $0.isRetired = false } }
}

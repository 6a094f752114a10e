// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The actor's side.
extension TopicQueue {
    /// What the actor can do next.
    enum Work: Equatable {
        /// A batch can be taken now.
        case ready
        /// A caller is copying a record into the batch that is next.
        case copying
        /// The open batch is due at this time.
        case due(MonotonicInstant)
        /// There is nothing.
        case none
    }

    /// What the actor can take at `now`.
    func work(at now: MonotonicInstant) -> Work {
        self.state.withLock { state in
            if !state.ledger.sealed.isEmpty { return .ready }
            if !state.intake.closing.isEmpty { return .copying }
            guard let open = state.intake.open else { return .none }
            let due = open.openedAt + self.context.sealPolicy.linger
            if state.intake.isUrgent || state.isClosed || state.ledger.settled < state.flushTarget || due <= now {
                return .ready
            }
            return .due(due)
        }
    }

    /// Waits until something may have changed, at most until `deadline`.
    func wait(until deadline: MonotonicInstant) async {
        guard deadline > self.context.clock.now() else { return }
        await self.bell.wait(until: deadline, alarm: self.context.alarm)
    }

    /// Waits for a caller that is copying a record, and rings no bell when it is done.
    ///
    /// By the system's clock: the caller has lost its processor, which is nothing to the program's own time.
    func waitForCopy() async { try? await Task.sleep(nanoseconds: 1_000_000) }

    /// Whether a flush has asked for an attempt at once. Resets the request.
    func takeSkipBackoff() -> Bool {
        self.state.besideLane { state in
            defer { state.skipsBackoff = false }
            return state.skipsBackoff
        }
    }

    /// Whether the producer is shutting down.
    var isClosed: Bool { self.state.besideLane { $0.isClosed } }

    /// Appends a record that reports drops to the log, if records of the least severe dropped level would find room
    /// again, or if the queue is closed.
    func announceDrops(_ encode: (DropCounts) -> SyntheticRecord?) {
        if let announcer = self.announcer { return self.handOverDrops(to: announcer) }
        // Taken now and encoded outside of the lock: drops that come meanwhile are for the next record.
        let drops = self.state.besideLane { state -> DropCounts? in
            guard !state.drops.unannounced.isEmpty else { return nil }
            let lowest = state.drops.unannounced.lowestRank
            let hasRoom = self.context.home.hasRoom(for: 8192, next: state.intake.nextBytes, rank: lowest)
            guard state.isClosed || hasRoom else { return nil }
            return state.drops.take(\.unannounced)
        }
        guard let drops, let record = encode(drops) else { return }
        if self.append(record) != .accepted { self.state.withLock { $0.drops.unannounced += drops } }
    }

    /// Returns the drops that no record has reported yet, for another queue to announce.
    private func handOverDrops(to other: TopicQueue) {
        // One lock after the other, never both: so there is no order of locks to keep.
        let drops = self.state.besideLane { $0.drops.take(\.unannounced) }
        guard !drops.isEmpty else { return }
        other.state.withLock { $0.drops.unannounced += drops }
        other.wakeWorker()
    }

    /// Reports the drops on the callers' side since the last call as diagnostics. The callers' threads must not write
    /// them.
    func reportDrops(to diagnostics: (ProducerDiagnostic) -> Void) {
        let drops = self.state.besideLane { $0.drops.take(\.unreported) }
        for reason in DropReason.allCases where drops[reason].total > 0 {
            diagnostics(
                .recordsDropped(topic: self.key.topic, reason: reason, count: drops[reason].total, failure: nil)
            )
        }
    }

    /// Whether there are drops to report in the log.
    var hasAnnouncement: Bool { self.state.besideLane { !$0.drops.unannounced.isEmpty } }

    /// Ends the worker if nothing is left to do. Returns whether it may end.
    ///
    /// With `forGood`, the queue accepts no records until it is revived, and returns its tally.
    func retire(forGood: Bool) -> (mayGo: Bool, tally: Tally?) {
        self.state.withLock { state in
            guard state.intake.open == nil, state.intake.closing.isEmpty, state.ledger.isEmpty,
                state.drops.unannounced.isEmpty
            else {
                return (false, nil)
            }
            // From here on a ring starts another worker: this one does not look again.
            state.worker = nil
            guard forGood, state.waiters.isEmpty else { return (true, nil) }
            state.isRetired = true
            defer { state.ledger.tally = Tally() }
            return (true, state.ledger.tally)
        }
    }

    /// Accepts records again.
    func revive() { self.state.withLock { $0.isRetired = false } }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The state of a topic's queue behind its lock, and the lane past the lock.
struct QueueState: ~Copyable, Sendable {
    let lane = AppendLane()
    private let lock = Lock(TopicQueue.State())
    /// When batches are full; `nil` if every record takes the lock. In a file, a record counts from the store of its mark
    /// on, and a recovery ends at the first mark that is missing: so there is no lane while one may be missing.
    private let policy: SealPolicy?

    init(policy: SealPolicy?) { self.policy = policy }

    /// Calls `body` with the state while no one else has it, and no one takes places in the open batch.
    @inline(__always)
    borrowing func withLock<Result>(_ body: (inout sending TopicQueue.State) -> sending Result) -> sending Result {
        self.lock.withLock { state in
            if let (used, count) = self.lane.close() { state.intake.open?.takeClaims(used: used, count: count) }
            if !state.isFreeOfClaims { state.finishClaims() }
            let result = body(&state)
            if let policy = self.policy, let target = state.laneTarget(policy), let open = state.intake.open {
                self.lane.open(target, used: open.used, count: open.count)
            }
            return result
        }
    }
}

extension QueueState {
    /// Calls `body` with the state while no one else has it, but callers may be appending to the open batch: so `body` looks
    /// at nothing that they change, and changes nothing that says whether they may.
    @inline(__always)
    borrowing func besideLane<Result>(_ body: (inout sending TopicQueue.State) -> sending Result) -> sending Result {
        self.lock.withLock(body)
    }
}

extension TopicQueue.State {
    /// Whether no batch that is not open any more waits for callers that are copying a record into it.
    @inline(__always)
    var isFreeOfClaims: Bool { self.intake.closing.isEmpty && self.unsent.isEmpty }

    /// Seals or counts the batches that have waited for callers, as far as these have copied their records.
    @inline(never)
    mutating func finishClaims() {
        self.ledger.sealClosing(&self.intake)
        for index in self.unsent.indices {
            self.unsent[index].batch.findCommits()
            self.ledger.countLate(&self.unsent[index], as: .shutdownDeadline)
        }
        self.unsent.removeAll(where: \.batch.isWhole)
    }

    /// Where callers may claim places; `nil` if the next record has to take the lock.
    mutating func laneTarget(_ policy: SealPolicy) -> AppendLane.Target? {
        guard self.takesRecords, !self.isRetired, self.intake.lastRecord == nil, self.intake.open != nil else {
            return nil
        }
        let bodyLimit = policy.sizeLimit(backlog: self.ledger.backlog) - Envelope.footerCount
        return self.intake.open?.laneTarget(bodyLimit: bodyLimit, countLimit: policy.maximumRecords)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The state of a topic's queue behind its lock, and the lane past the lock.
struct QueueState: ~Copyable, Sendable {
    let lane = AppendLane()
    private let lock = Lock(TopicQueue.State())
    private let context: QueueContext
    /// When batches are full.
    private let policy: SealPolicy

    init(context: QueueContext) {
        self.context = context
        self.policy = context.sealPolicy
    }

    /// Calls `body` with the state while no one else has it, and no one takes places in the open batch.
    @inline(__always)
    borrowing func withLock<Result>(_ body: (inout sending TopicQueue.State) -> sending Result) -> sending Result {
        self.lock.withLock { state in
            if let (used, count) = self.lane.close() { state.intake.open?.takeClaims(used: used, count: count) }
            if !state.isFreeOfClaims { state.finishClaims(self.context) }
            let result = body(&state)
            if let target = state.laneTarget(self.policy), let open = state.intake.open {
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
    mutating func finishClaims(_ context: QueueContext) {
        while let sealed = self.ledger.sealClosing(&self.intake) { self.noteSealed(sealed, context) }
        for index in self.unsent.indices {
            self.unsent[index].batch.findCommits()
            let memory = self.unsent[index].batch.memory
            self.ledger.countLate(&self.unsent[index], isKept: context.home.keeps(memory))
            // Nothing is written to it any more.
            if self.unsent[index].batch.isWhole { context.home.unmap(memory) }
        }
        self.unsent.removeAll(where: \.batch.isWhole)
    }

    /// Notes that a batch was sealed, and waits: it needs no memory, least of all when that is short.
    mutating func noteSealed(_ batch: Batch, _ context: QueueContext) {
        guard context.home.seal(batch.memory) else { return }
        if self.ledger.sealed.count > Self.residentBacklog { context.home.offload(batch) }
        guard context.budget.isHalfFull else { return }
        for batch in self.ledger.sealed.prefix(Self.residentBacklog) { context.home.offload(batch) }
    }

    /// The number of sealed batches of a topic that stay in memory although their home has them.
    private static let residentBacklog = 2

    /// Where callers may claim places; `nil` if the next record has to take the lock.
    mutating func laneTarget(_ policy: SealPolicy) -> AppendLane.Target? {
        guard self.takesRecords, !self.isRetired, self.intake.lastRecord == nil, self.intake.open != nil else {
            return nil
        }
        let bodyLimit = policy.sizeLimit(backlog: self.ledger.backlog) - Envelope.footerCount
        return self.intake.open?.laneTarget(bodyLimit: bodyLimit, countLimit: policy.maximumRecords)
    }
}

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if SwiftLog
import Logging
#endif

/// Where the callers' records of one topic wait for the topic's actor.
///
/// Its lock is the one that every record takes. (Records whose topic depends on their metadata take the table's as well.)
///
/// Callers put encoded records into the open segment. When it is full they seal it and open another, and ring for the
/// actor, which takes sealed segments from the front and settles them once it knows what became of them. Nothing in here
/// waits; a critical section is the copy of one record and, now and then, the growth or the change of a segment.
final class TopicBuffer: Sendable {
    /// What became of a record that was offered.
    enum Answer: Equatable {
        case accepted
        case dropped(DropReason)
        /// The buffer is out of use, as its topic was idle; another one has to be looked up.
        case retired
    }

    let key: TopicKey
    private let context: BufferContext
    private let header: [UInt8]
    private let bell = Doorbell()
    private let state: Lock<State>

    private struct State {
        var open: Segment?
        /// Sealed segments, the oldest first.
        var sealed: [Segment] = []
        /// When the oldest record in the hands of the actor came.
        var inHandSince: MonotonicInstant?
        var tally = Tally()
        /// Drops that no synthetic record has told of yet, without those of synthetic records.
        var unannounced = DropCounts()
        /// Drops on the callers' side that no diagnostic has told of yet.
        var unreported = DropCounts()
        /// Records ever put into a segment, and how many of them are settled; they are settled in order.
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
        var isClosed = false
        var isAbandoned = false
        var isRetired = false
    }

    /// A flush that waits until the first `target` records are settled.
    private struct Waiter {
        var id: Int
        var target: Int
        var continuation: CheckedContinuation<Void, Never>
    }

    init(key: TopicKey, context: BufferContext) {
        self.key = key
        self.context = context
        self.header = Envelope(key: key, source: context.source, staticTags: context.staticTags).header
        self.state = Lock(State())
    }

    // MARK: The callers' side

    /// Takes one encoded record, or counts it as dropped.
    ///
    /// A synthetic record is one of the library's own: it is taken after the close too, and finds room as long as there
    /// is any.
    func append(
        _ members: UnsafeBufferPointer<UInt8>,
        rank: Int,
        repairs: RepairCounts,
        isSynthetic: Bool = false
    ) -> Answer {
        let isUrgent = rank >= self.context.sealPolicy.urgentRank && !DeliveryScope.isInside
        let (answer, rings) = self.state.withLock { state -> (Answer, Bool) in
            if state.isRetired { return (.retired, false) }
            if isSynthetic, !self.hasRoomForSynthetic(members, in: state) { return (.dropped(.memoryFull), false) }
            state.tally.accepted[rank] += 1
            if isSynthetic { state.tally.synthetic += 1 }
            if !repairs.isEmpty { state.tally.repaired += repairs }
            let record = EncodedRecord(
                prefix: self.context.recordPrefix,
                sequence: self.context.nextSequence(),
                members: members
            )
            guard !state.isClosed || isSynthetic, !state.isAbandoned else {
                state.tally.dropped[.afterShutdown][rank] += 1
                return (.dropped(.afterShutdown), false)
            }
            let wasIdle = state.open == nil
            let wasSealed = state.sealed.count
            guard self.makeRoom(for: record, rank: isSynthetic ? 6 : rank, in: &state) else {
                state.tally.dropped[.memoryFull][rank] += 1
                guard !isSynthetic else { return (.dropped(.memoryFull), false) }
                // The actor announces drops; it has to learn of the first one.
                let isFirst = state.unannounced.isEmpty
                state.unannounced[.memoryFull][rank] += 1
                state.unreported[.memoryFull][rank] += 1
                return (.dropped(.memoryFull), isFirst || state.sealed.count != wasSealed)
            }
            state.open?.append(record, mark: .init(rank: rank, isSynthetic: isSynthetic))
            state.tally.pending[rank] += 1
            state.enqueued += 1
            let isUrgent = isUrgent && !state.isUrgent
            if isUrgent { state.isUrgent = true }
            return (.accepted, wasIdle || isUrgent || state.sealed.count != wasSealed)
        }
        if rings { self.wakeWorker() }
        return answer
    }

    /// Whether a record of the library's own would find room. One that would not is not even counted: telling of drops
    /// must not make drops to tell of.
    private func hasRoomForSynthetic(_ members: UnsafeBufferPointer<UInt8>, in state: State) -> Bool {
        let size = self.context.recordPrefix.count + 32 + members.count
        if let open = state.open, open.hasRoom(for: open.cost(of: size)) { return true }
        // What a new segment would ask for, or the open one when it grows.
        return self.context.budget.hasRoom(for: self.header.count + size + 8192, rank: 6)
    }

    /// Makes sure that the open segment takes the record: seals it if it is full, and asks the budget for memory.
    private func makeRoom(for record: EncodedRecord, rank: Int, in state: inout State) -> Bool {
        let policy = self.context.sealPolicy
        if let open = state.open, policy.isFull(open, adding: open.cost(of: record.count), backlog: state.sealed.count)
        {
            self.sealOpen(in: &state)
        }
        if let open = state.open, open.hasRoom(for: open.cost(of: record.count)) { return true }
        return self.grow(for: record, rank: rank, in: &state)
    }

    private func grow(for record: EncodedRecord, rank: Int, in state: inout State) -> Bool {
        let policy = self.context.sealPolicy
        let isNew = state.open == nil
        // Taken out of the state, so that the segment is not copied when it grows.
        var segment: Segment
        if let open = state.open.take() {
            segment = open
        } else {
            var memory = self.context.recycler.take()
            if !self.context.budget.hasRoom(for: memory.capacity, rank: rank) {
                // Smaller fresh memory may still find room.
                self.context.recycler.give(memory)
                memory = []
            }
            segment = Segment(header: self.header, openedAt: self.context.clock.now(), reusing: memory)
        }
        let held = isNew ? 0 : segment.heldBytes
        let needed = segment.rawBytes + segment.cost(of: record.count)
        let records = segment.count + 1
        let capacity = policy.capacity(for: needed, current: segment.bytes.capacity, backlog: state.sealed.count)
        for bytes in [capacity, needed] {
            // What the segment will hold, as far as it can be told before the allocator rounds up.
            let marks = max(records, segment.marks.capacity * (segment.hasMarkRoom ? 1 : 2), 16)
            let estimate = max(bytes, segment.bytes.capacity) + marks - held
            guard self.context.budget.charge(estimate, rank: rank) else { continue }
            segment.reserve(bytes: bytes, records: marks)
            self.context.budget.charge(segment.heldBytes - held - estimate)
            state.open = segment
            return true
        }
        if isNew { self.context.recycler.give(segment.recycled()) } else { state.open = segment }
        return false
    }

    private func sealOpen(in state: inout State) {
        guard var segment = state.open.take() else { return }
        let held = segment.heldBytes
        segment.seal()
        if segment.heldBytes != held { self.context.budget.charge(segment.heldBytes - held) }
        state.sealed.append(segment)
        state.isUrgent = false
    }

    private func wakeWorker() {
        let needsWorker = self.state.withLock { state -> Bool in
            guard state.worker == nil, !state.isAbandoned, !state.isRetired else { return false }
            // Detached: the worker must not inherit the task-local values of whoever happened to log first.
            let start = self.context.startWorker
            state.worker = Task.detached { await start(self) }
            return true
        }
        if !needsWorker { self.bell.ring() }
    }

    // MARK: The actor's side

    /// What the actor can do next.
    enum Work: Equatable {
        /// A segment can be taken now.
        case ready
        /// The open segment is due at this time.
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

    /// Takes the oldest segment, sealing the open one if there is no other.
    func take() -> Segment? {
        self.state.withLock { state in
            if state.sealed.isEmpty { self.sealOpen(in: &state) }
            guard !state.sealed.isEmpty else { return nil }
            let segment = state.sealed.removeFirst()
            state.inHandSince = segment.openedAt
            return segment
        }
    }

    /// Waits until something may have changed, at the longest until `deadline`.
    func wait(until deadline: MonotonicInstant?) async {
        await self.bell.wait(until: deadline, clock: self.context.clock)
    }

    /// What became of a segment's records in the end.
    enum Settlement {
        case delivered(wireBytes: Int)
        case dropped(DropReason)
    }

    /// Counts the records of a segment that was taken, gives back its memory, and wakes flushes that waited for it.
    ///
    /// `isLast` is false for a part of a split segment of which more is in hand.
    func settle(_ segment: consuming Segment, as settlement: Settlement, isLast: Bool = true) {
        let levels = segment.levels
        let waiters = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            // What was abandoned has been counted; an answer that comes after that changes nothing.
            guard !state.isAbandoned else { return [] }
            state.tally.pending -= levels
            switch settlement {
            case .delivered(let wireBytes):
                state.tally.delivered += levels
                state.tally.rawBytes += segment.rawBytes
                state.tally.wireBytes += wireBytes
            case .dropped(let reason):
                state.tally.dropped[reason] += levels
                let own = segment.ownLevels
                if own.total > 0 { state.unannounced[reason] += own }
            }
            state.settled += levels.total
            if isLast { state.inHandSince = nil }
            return Self.takeWaiters(from: &state)
        }
        let held = segment.heldBytes
        self.context.recycler.give(segment.recycled())
        self.context.budget.release(held)
        for waiter in waiters { waiter.resume() }
    }

    /// Replaces a segment in hand by its halves: what they hold beyond it is charged.
    func countSplit(of segment: Segment, into first: Segment, _ second: Segment) {
        self.context.budget.charge(first.heldBytes + second.heldBytes - segment.heldBytes)
    }

    /// Counts one request.
    func count(_ outcome: RequestOutcome, isRetry: Bool, duration: Duration) {
        self.state.withLock { state in
            state.tally.requestTime += duration
            state.tally.longestRequest = max(state.tally.longestRequest, duration)
            state.tally.requests[outcome] += 1
            if isRetry { state.tally.retries += 1 }
        }
    }

    /// Whether a flush has asked for an attempt at once; asking takes the wish back.
    func takeNudge() -> Bool {
        self.state.withLock { state in
            defer { state.isNudged = false }
            return state.isNudged
        }
    }

    /// Whether the producer is shutting down.
    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    /// Puts a record into the log that tells of drops, if records of the least severe dropped level would find room
    /// again, or if the buffer is closed.
    func announceDrops(_ encode: (DropCounts) -> SyntheticRecord?) {
        let drops = self.state.withLock { state -> DropCounts? in
            guard !state.unannounced.isEmpty else { return nil }
            let lowest = state.unannounced.lowestRank
            guard state.isClosed || self.context.budget.hasRoom(for: 8192, rank: lowest) else { return nil }
            defer { state.unannounced = DropCounts() }
            return state.unannounced
        }
        guard let drops, let record = encode(drops) else { return }
        let answer = record.members.withUnsafeBufferPointer {
            self.append($0, rank: record.rank, repairs: RepairCounts(), isSynthetic: true)
        }
        if answer != .accepted { self.state.withLock { $0.unannounced += drops } }
    }

    /// The drops on the callers' side since this was last asked.
    func takeUnreported() -> DropCounts {
        self.state.withLock { state in
            guard !state.unreported.isEmpty else { return DropCounts() }
            defer { state.unreported = DropCounts() }
            return state.unreported
        }
    }

    /// Whether there are drops to tell of.
    var hasAnnouncement: Bool { self.state.withLock { !$0.unannounced.isEmpty } }

    /// Ends the worker's duty if nothing is left to do; `true` if it may go.
    ///
    /// With `forGood`, the buffer takes no more records after that, and its tally is handed out.
    func retire(forGood: Bool) -> (mayGo: Bool, tally: Tally?) {
        self.state.withLock { state in
            guard state.open == nil, state.sealed.isEmpty, state.unannounced.isEmpty, state.inHandSince == nil else {
                return (false, nil)
            }
            state.worker = nil
            guard forGood, state.waiters.isEmpty else { return (true, nil) }
            state.isRetired = true
            return (true, state.tally)
        }
    }

    // MARK: Flush and shutdown

    /// Asks for everything that was accepted so far to be sent without lingering or backing off; `nil` if nothing is
    /// pending, and otherwise the number of records to wait for.
    func requestFlush() -> Int? {
        let target = self.state.withLock { state -> Int? in
            guard state.settled < state.enqueued else { return nil }
            state.flushTarget = state.enqueued
            state.isNudged = true
            return state.enqueued
        }
        if target != nil { self.wakeWorker() }
        return target
    }

    /// Waits until the first `target` records are settled, or the task is cancelled.
    func waitUntilSettled(_ target: Int) async {
        let id = self.state.withLock { state -> Int in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSettled = self.state.withLock { state -> Bool in
                    if state.settled >= target || state.isAbandoned || Task.isCancelled { return true }
                    state.waiters.append(Waiter(id: id, target: target, continuation: continuation))
                    return false
                }
                if isSettled { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index).continuation
            }?.resume()
        }
    }

    private static func takeWaiters(from state: inout State) -> [CheckedContinuation<Void, Never>] {
        let settled = state.settled
        guard state.waiters.contains(where: { $0.target <= settled }) else { return [] }
        let ready = state.waiters.filter { $0.target <= settled }
        state.waiters.removeAll { $0.target <= settled }
        return ready.map(\.continuation)
    }

    /// Takes no more records, except the library's own, and sends what is there without lingering.
    func close() {
        let hasWork = self.state.withLock { state -> Bool in
            state.isClosed = true
            state.isNudged = true
            return state.settled < state.enqueued || !state.unannounced.isEmpty
        }
        if hasWork { self.wakeWorker() }
    }

    /// Gives up what is still pending, counts it, stops the worker, and says how many records that were.
    func abandon() -> Int {
        let (worker, waiters, held, count) = self.state.withLock {
            state -> (Task<Void, Never>?, [CheckedContinuation<Void, Never>], Int, Int) in
            guard !state.isAbandoned else { return (nil, [], 0, 0) }
            state.isAbandoned = true
            let count = state.tally.pending.total
            state.tally.dropped[.shutdownDeadline] += state.tally.pending
            state.tally.pending = LevelCounts()
            let held = (state.open?.heldBytes ?? 0) + state.sealed.reduce(0) { $0 + $1.heldBytes }
            state.open = nil
            state.sealed = []
            state.inHandSince = nil
            defer { state.waiters = [] }
            return (state.worker, state.waiters.map(\.continuation), held, count)
        }
        self.context.budget.release(held)
        worker?.cancel()
        for waiter in waiters { waiter.resume() }
        return count
    }

    // MARK: Numbers

    var tally: Tally { self.state.withLock { $0.tally } }

    /// When the oldest record that is still held came.
    var oldest: MonotonicInstant? {
        self.state.withLock { $0.inHandSince ?? $0.sealed.first?.openedAt ?? $0.open?.openedAt }
    }
}

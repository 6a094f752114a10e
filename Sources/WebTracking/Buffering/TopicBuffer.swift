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
        /// The buffer is out of use, as its topic was idle; the table may put it into use again.
        case retired
    }

    let key: TopicKey
    let context: BufferContext
    private let envelope: Envelope
    private let bell = Doorbell()
    let state: Lock<State>

    init(key: TopicKey, context: BufferContext) {
        self.key = key
        self.context = context
        self.envelope = Envelope(
            key: key,
            source: context.source,
            staticTags: context.staticTags,
            batchPrefix: context.nextBatchPrefix()
        )
        self.state = Lock(State())
    }

    // MARK: The callers' side

    /// Takes one encoded record, or counts it as dropped.
    ///
    /// A synthetic record is one of the library's own: it is taken after the close too, and finds room as long as there
    /// is any.
    ///
    /// - Parameter foldedFrom: Where in `members` the part begins that makes the record the same as another, if a record
    ///   like the one before it is to be left out.
    @inline(__always)
    func append(
        _ members: UnsafeRawBufferPointer,
        rank: Int,
        repairs: RepairCounts,
        foldedFrom: Int? = nil,
        isSynthetic: Bool = false
    ) -> Answer {
        let isUrgent = rank >= self.context.sealPolicy.urgentRank && !DeliveryScope.isInside
        let (answer, rings) = self.state.withLock { state -> (Answer, Bool) in
            guard !state.isRetired else { return (.retired, false) }
            if isSynthetic && !self.hasRoomForSynthetic(members, in: state) {
                return (.dropped(.memoryFull), false)
            }
            if state.fold != nil && self.isRepeated(members, rank: rank, foldedFrom: foldedFrom, in: &state) {
                return (.dropped(.repeated), false)
            }
            if !repairs.isEmpty { state.tally.repaired += repairs }
            let record = EncodedRecord(
                opening: self.context.recordOpening,
                sequence: self.context.nextSequence(),
                members: members
            )
            // The usual case: there is an open segment, and the record fits in.
            if self.context.admits(rank: isSynthetic ? 6 : rank),
                state.put(record, rank: rank, isSynthetic: isSynthetic, policy: self.context.sealPolicy)
            {
                if let foldedFrom { state.remember(record, from: foldedFrom, rank: rank) }
                return (.accepted, isUrgent && state.becomesUrgent())
            }
            let result = self.appendElsewhere(
                record,
                rank: rank,
                isSynthetic: isSynthetic,
                isUrgent: isUrgent,
                in: &state
            )
            if let foldedFrom, result.0 == .accepted { state.remember(record, from: foldedFrom, rank: rank) }
            return result
        }
        if rings { self.wakeWorker() }
        return answer
    }

    /// Takes one of the library's own records.
    func append(_ record: SyntheticRecord) -> Answer {
        record.members.withUnsafeBytes {
            self.append($0, rank: record.rank, repairs: RepairCounts(), isSynthetic: true)
        }
    }

    /// Takes a record that does not fit into an open segment, and says whether the actor has to be told.
    @inline(never)
    func appendElsewhere(
        _ record: EncodedRecord,
        rank: Int,
        isSynthetic: Bool,
        isUrgent: Bool,
        in state: inout State
    ) -> (Answer, Bool) {
        guard state.takesRecords || (isSynthetic && !state.isAbandoned) else {
            state.drop(.afterShutdown, rank: rank, isSynthetic: isSynthetic)
            return (.dropped(.afterShutdown), false)
        }
        let wasIdle = state.open == nil
        let wasSealed = state.sealed.count
        let wasSettled = state.settled
        // A record that tells of drops finds room where there is any, but nothing is dropped for it.
        let evicted = isSynthetic ? nil : rank
        if let shortage = self.makeRoom(for: record, rank: isSynthetic ? 6 : rank, evicting: evicted, in: &state) {
            let reason = shortage.reason
            state.drop(reason, rank: rank, isSynthetic: isSynthetic)
            guard !isSynthetic else { return (.dropped(reason), false) }
            // The actor announces drops; it has to learn of the first one.
            let isFirst = state.unannounced.isEmpty
            state.unannounced[reason][rank] += 1
            state.unreported[reason][rank] += 1
            return (.dropped(reason), isFirst || state.sealed.count != wasSealed || state.settled != wasSettled)
        }
        state.open?.append(record, rank: rank, isSynthetic: isSynthetic)
        let rings = isUrgent && state.becomesUrgent()
        return (.accepted, rings || wasIdle || state.sealed.count != wasSealed || state.settled != wasSettled)
    }

    /// Whether a record of the library's own would find room. One that would not is not even counted: telling of drops
    /// must not make drops to tell of.
    func hasRoomForSynthetic(_ members: UnsafeRawBufferPointer, in state: State) -> Bool {
        let size = self.context.recordOpening.count + EncodedRecord.longestSequence + members.count
        if let open = state.open, open.hasRoom(for: size) { return true }
        // What a new segment would ask for, or the open one when it grows.
        let needed = self.envelope.longestHeader + size + 8192
        let isSpooled = self.context.spool?.isWorthATry ?? false
        guard !isSpooled || self.context.spool?.hasRoom(for: max(needed, state.spoolBytes)) ?? true else {
            return false
        }
        return self.context.budget.hasRoom(for: needed, rank: 6)
    }

    /// Why there is no place for a record.
    private enum Shortage {
        case memory
        case spool

        var reason: DropReason {
            switch self {
            case .memory: .memoryFull
            case .spool: .spoolFull
            }
        }
    }

    /// Makes sure that the open segment takes the record: seals it if it is full, and asks for memory.
    ///
    /// Where the spool is full, batches whose records are at most of rank `evicting` go for it.
    private func makeRoom(
        for record: EncodedRecord,
        rank: Int,
        evicting: Int?,
        in state: inout State
    ) -> Shortage? {
        guard self.context.budget.admits(rank: rank) else { return .memory }
        if state.open?.memory.file != nil, let spool = self.context.spool, !spool.admits(rank: rank) {
            guard self.evict(atMost: evicting, in: &state), spool.admits(rank: rank) else {
                return self.spoolShortage(evicting, in: &state)
            }
        }
        let policy = self.context.sealPolicy
        let backlog = state.sealed.count
        if let open = state.open {
            let cost = open.cost(of: record)
            if policy.isFull(open, adding: cost, backlog: backlog) {
                self.sealOpen(in: &state)
            } else if !open.hasRoom(for: cost) {
                // A file does not grow, since its records would for a moment be in two; the next one is larger.
                guard open.memory.file == nil else {
                    state.spoolBytes *= 2
                    self.sealOpen(in: &state)
                    return self.open(for: record, rank: rank, evicting: evicting, in: &state)
                }
                // Files could not be had when this one was opened. Before it takes up more memory, they are asked for again.
                if let spool = self.context.spool, spool.isWorthATry {
                    self.sealOpen(in: &state)
                    return self.open(for: record, rank: rank, evicting: evicting, in: &state)
                }
                return self.grow(open, adding: cost, rank: rank, in: &state) ? nil : .memory
            }
        }
        return state.open == nil ? self.open(for: record, rank: rank, evicting: evicting, in: &state) : nil
    }

    /// Notes that other topics may have to make room.
    private func spoolShortage(_ evicting: Int?, in state: inout State) -> Shortage {
        if let evicting { state.spoolPressure = max(state.spoolPressure ?? 0, evicting) }
        return .spool
    }

    /// Completes the open segment, if there is one.
    func sealOpen(in state: inout State) {
        guard let sealed = state.sealOpen() else { return }
        guard let spool = self.context.spool, sealed.memory.file != nil else { return }
        spool.seal(sealed.memory)
        // What waits in a file need not wait in memory, least of all where that is short.
        guard state.sealed.count > Self.mappedBacklog || self.context.budget.isHalfFull else { return }
        self.context.budget.release(sealed.heldBytes)
        sealed.memory.park()
    }

    /// How many sealed segments of a topic stay in memory although they are in files.
    private static let mappedBacklog = 2

    private func grow(_ segment: Segment, adding cost: Int, rank: Int, in state: inout State) -> Bool {
        let needed = segment.bytes(adding: cost)
        guard
            let memory = self.memory(needed, current: segment.heldBytes, rank: rank, backlog: state.sealed.count)
        else { return false }
        state.open?.move(to: memory)
        return true
    }

    /// Opens a segment that the record fits in: in a file if records are to outlive the process and there is one to be
    /// had, and on the heap otherwise.
    private func open(for record: EncodedRecord, rank: Int, evicting: Int?, in state: inout State) -> Shortage? {
        let header = self.envelope.header(batch: state.nextBatch)
        let needed = Segment.bytes(header: header.bytes, with: record)
        if let spool = self.context.spool {
            // A topic that lags behind fills larger ones, as it sends larger requests.
            let largest = self.context.sealPolicy.capacity(for: 0, current: .max / 4, backlog: state.sealed.count)
            state.spoolBytes = min(state.spoolBytes, largest, spool.largestCapacity)
            switch spool.take(capacity: max(needed, state.spoolBytes), rank: rank) {
            case .memory(let memory):
                guard self.context.budget.charge(memory.capacity, rank: rank) else {
                    spool.finish(memory)
                    return .memory
                }
                let (seed, order) = spool.nextBatch()
                let label = SpoolLabel(
                    seed: seed,
                    order: order,
                    openedAt: self.context.clock.wallTime(),
                    destination: spool.destination,
                    topic: self.key.topic
                )
                self.open(header, in: memory, label: label, &state)
                return nil
            case .full:
                // Room for the next segment; this record's own may be among what is too much.
                guard self.evict(atMost: evicting, in: &state) else { return self.spoolShortage(evicting, in: &state) }
                return self.open(for: record, rank: rank, evicting: evicting, in: &state)
            case .unavailable:
                break
            }
        }
        var memory = self.context.recycler.take(atLeast: needed)
        if let recycled = memory, !self.context.budget.charge(recycled.capacity, rank: rank) {
            // Less fresh memory may still find room.
            self.context.recycler.give(recycled)
            memory = nil
        }
        guard
            let memory = memory ?? self.memory(needed, current: 0, rank: rank, backlog: state.sealed.count)
        else { return .memory }
        self.open(header, in: memory, label: nil, &state)
        return nil
    }

    private func open(
        _ header: (bytes: [UInt8], batchIDEnd: Int),
        in memory: SegmentMemory,
        label: SpoolLabel?,
        _ state: inout State
    ) {
        state.nextBatch += 1
        state.open = Segment(
            header: header.bytes,
            batchIDEnd: header.batchIDEnd,
            openedAt: self.context.clock.now(),
            memory: memory,
            label: label
        )
    }

    /// Drops the oldest of those spooled segments whose most severe record is the least severe, and at most of this rank.
    private func evict(atMost rank: Int?, in state: inout State) -> Bool {
        guard let rank, let index = state.evictable(atMost: rank) else { return false }
        let segment = state.removeWaiting(at: index)
        let all = segment.levels?.all ?? LevelCounts()
        let own = segment.levels?.own ?? LevelCounts()
        state.tally.pending -= all
        state.tally.dropped[.spoolFull] += all
        if own.total > 0 {
            state.unannounced[.spoolFull] += own
            state.unreported[.spoolFull] += own
        }
        self.giveBack(segment)
        return true
    }

    /// The rank and age of what ``evict(atMost:)`` would drop.
    func evictable(atMost rank: Int) -> (rank: Int, openedAt: MonotonicInstant)? {
        self.state.withLock { state in
            state.evictable(atMost: rank).map { (state.sealed[$0].highestRank, state.sealed[$0].openedAt) }
        }
    }

    /// Makes room in the spool; `false` if nothing here may go for a record of this rank.
    func evict(atMost rank: Int) -> Bool {
        defer { self.wakeSettled() }
        return self.state.withLock { self.evict(atMost: rank, in: &$0) }
    }

    /// Wakes flushes whose records are all settled by now: an eviction on a caller's thread does not.
    func wakeSettled() {
        for waiter in self.state.withLock({ $0.takeReadyWaiters() }) { waiter.resume() }
    }

    /// The rank of a record that found the spool full since this was last asked.
    func takeSpoolPressure() -> Int? {
        self.state.withLock { $0.spoolPressure.take() }
    }

    /// Memory on the heap in place of `current` bytes of it, if the budget has it.
    private func memory(_ needed: Int, current: Int, rank: Int, backlog: Int) -> SegmentMemory? {
        let wanted = self.context.sealPolicy.capacity(for: needed, current: current, backlog: backlog)
        for bytes in [wanted, needed] {
            let capacity = SegmentMemory.rounded(bytes)
            if self.context.budget.charge(capacity - current, rank: rank) { return SegmentMemory(capacity: capacity) }
        }
        return nil
    }

    func wakeWorker() {
        let needsWorker = self.state.withLock { state -> Bool in
            guard state.worker == nil, !state.isAbandoned, !state.isRetired else { return false }
            // Detached: the worker must not inherit the task-local values of whoever happened to log first.
            let start = self.context.startWorker
            state.worker = Task.detached(executorPreference: self.context.executor) { await start(self) }
            return true
        }
        if !needsWorker { self.bell.ring() }
    }

    // MARK: What earlier processes left

    /// Takes over a segment of an earlier process.
    func adopt(_ segment: Segment) {
        guard let levels = segment.levels?.all else { return }
        let isAbandoned = self.state.withLock { state -> Bool in
            guard !state.isAbandoned else { return true }
            state.tally.accepted += levels
            state.tally.recovered += levels.total
            state.tally.pending += levels
            state.enqueued += levels.total
            // What was salvaged has no file that it could wait in.
            self.context.budget.charge(segment.heldBytes)
            state.enqueue(segment)
            return false
        }
        guard isAbandoned else { return self.wakeWorker() }
        segment.memory.park()
        segment.origin?.park()
    }

    /// Counts the records of a segment of an earlier process that is too old, and gives up its file.
    func adoptExpired(_ segment: Segment) {
        guard let levels = segment.levels?.all else { return }
        self.state.withLock { state in
            state.tally.accepted += levels
            state.tally.recovered += levels.total
            state.tally.dropped[.expired] += levels
        }
        self.context.budget.charge(segment.heldBytes)
        self.giveBack(segment)
    }

    /// How many records have been settled.
    var settledCount: Int { self.state.withLock { $0.settled } }

    /// How many records there have been; `nil` if all are settled.
    var enqueuedCount: Int? { self.state.withLock { $0.settled < $0.enqueued ? $0.enqueued : nil } }

    /// How many segments wait for the actor.
    var backlog: Int { self.state.withLock { $0.sealed.count } }

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

    /// Takes the oldest segment, sealing the open one if there is no other. It may be parked.
    func take() -> Segment? {
        self.state.withLock { state in
            if state.sealed.isEmpty {
                self.tellRepeats(in: &state)
                self.sealOpen(in: &state)
            }
            guard !state.sealed.isEmpty else { return nil }
            let segment = state.sealed.removeFirst()
            state.inHandSince = segment.openedAt
            state.inHand = segment.levels?.all ?? LevelCounts()
            state.isHandSpooled = segment.spoolFile != nil
            state.evictedBehindHand = segment.evictedBehind
            return segment
        }
    }

    /// Puts a segment that was just taken back to where it was, since its file cannot be read at present.
    func putBack(_ segment: consuming Segment) {
        let segment = segment
        self.state.withLock { state in
            guard !state.isAbandoned else { return }
            var waiting = segment
            waiting.evictedBehind = state.evictedBehindHand
            state.sealed.insert(waiting, at: 0)
            state.lowestSpooledRank = min(state.lowestSpooledRank, waiting.highestRank)
            state.inHandSince = nil
            state.inHand = LevelCounts()
            state.isHandSpooled = false
            state.evictedBehindHand = 0
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
        let levels = segment.levels?.all ?? LevelCounts()
        let own = segment.levels?.own ?? LevelCounts()
        let rawBytes = segment.rawBytes
        // The memory first: who waits for the records to be settled finds it given back.
        self.giveBack(segment)
        let waiters = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            // What was abandoned has been counted; an answer that comes after that changes nothing.
            guard !state.isAbandoned else { return [] }
            state.tally.pending -= levels
            state.inHand -= levels
            switch settlement {
            case .delivered(let wireBytes):
                state.tally.delivered += levels
                state.tally.rawBytes += rawBytes
                state.tally.wireBytes += wireBytes
            case .dropped(let reason):
                state.tally.dropped[reason] += levels
                if own.total > 0 { state.unannounced[reason] += own }
            }
            state.settled += levels.total
            if isLast {
                state.inHandSince = nil
                state.settled += state.evictedBehindHand
                state.evictedBehindHand = 0
            }
            return state.takeReadyWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Gives back the memory of a segment whose records are done with.
    func giveBack(_ segment: Segment) {
        self.context.budget.release(segment.heldBytes)
        for memory in [segment.memory] + (segment.origin?.finishPart() ?? []) {
            if memory.file != nil {
                self.context.spool?.finish(memory)
            } else {
                self.context.recycler.give(memory)
            }
        }
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
    /// With `forGood`, the buffer takes no records until it is revived, and its tally is handed out.
    func retire(forGood: Bool) -> (mayGo: Bool, tally: Tally?) {
        self.state.withLock { state in
            guard state.open == nil, state.sealed.isEmpty, state.unannounced.isEmpty, state.inHandSince == nil else {
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

    // MARK: Numbers

    var tally: Tally { self.state.withLock { $0.wholeTally } }

    /// When the oldest record that is still held came.
    var oldest: MonotonicInstant? {
        self.state.withLock { $0.inHandSince ?? $0.sealed.first?.openedAt ?? $0.open?.openedAt }
    }
}

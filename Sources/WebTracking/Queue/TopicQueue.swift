// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// Where the callers' records of one topic wait for the topic's actor.
///
/// Its lock is the one that every record takes. (Records whose topic depends on their metadata take the table's as well.)
///
/// Callers put encoded records into the open batch. When it is full they seal it and open another, and ring for the
/// actor, which takes sealed batches from the front and settles them once it knows what became of them. Nothing in here
/// waits; a critical section is the copy of one record and, now and then, the growth or the change of a batch.
final class TopicQueue: RecordQueue {
    let key: TopicKey
    let context: QueueContext
    let envelope: Envelope
    let bell = Doorbell()
    let state: Lock<State>
    /// The buffer that tells of this one's drops, if that is another one.
    let announcer: TopicQueue?

    init(key: TopicKey, context: QueueContext, announcer: TopicQueue? = nil) {
        self.key = key
        self.context = context
        self.announcer = announcer
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
    /// - Parameter comparedFrom: Where in `members` the part begins that makes the record the same as another, if a record
    ///   like the one before it is to be left out.
    @inline(__always)
    func append(
        _ members: UnsafeRawBufferPointer,
        rank: Int,
        repairs: RepairCounts,
        comparedFrom: Int? = nil,
        isSynthetic: Bool = false
    ) -> AppendAnswer {
        let isUrgent = rank >= self.context.sealPolicy.urgentRank && !DeliveryScope.isInside
        let (answer, rings) = self.state.withLock { state -> (AppendAnswer, Bool) in
            guard !state.isRetired else { return (.retired, false) }
            if isSynthetic && !self.hasRoomForSynthetic(members, in: state) {
                return (.dropped(.memoryFull), false)
            }
            if state.lastRecord != nil && self.isRepeated(members, rank: rank, comparedFrom: comparedFrom, in: &state) {
                return (.dropped(.repeated), false)
            }
            if !repairs.isEmpty { state.tally.repaired += repairs }
            let record = EncodedRecord(
                opening: self.context.recordOpening,
                sequence: self.context.nextSequence(),
                members: members
            )
            // The usual case: there is an open batch, and the record fits in.
            if self.context.admits(rank: isSynthetic ? 6 : rank),
                state.put(record, rank: rank, isSynthetic: isSynthetic, policy: self.context.sealPolicy)
            {
                if let comparedFrom { state.remember(record, from: comparedFrom, rank: rank) }
                return (.accepted, isUrgent && state.becomesUrgent())
            }
            let result = self.appendToNewBatch(
                record,
                rank: rank,
                isSynthetic: isSynthetic,
                isUrgent: isUrgent,
                in: &state
            )
            if let comparedFrom, result.0 == .accepted { state.remember(record, from: comparedFrom, rank: rank) }
            return result
        }
        if rings { self.wakeWorker() }
        return answer
    }

    /// Takes a record that does not fit into an open batch, and says whether the actor has to be told.
    @inline(never)
    func appendToNewBatch(
        _ record: EncodedRecord,
        rank: Int,
        isSynthetic: Bool,
        isUrgent: Bool,
        in state: inout State
    ) -> (AppendAnswer, Bool) {
        guard state.takesRecords || (isSynthetic && !state.isAbandoned) else {
            state.drop(.afterShutdown, rank: rank, isSynthetic: isSynthetic)
            return (.dropped(.afterShutdown), false)
        }
        let wasIdle = state.open == nil
        let wasSealed = state.sealed.count
        let wasSettled = state.settled
        // A record that tells of drops finds room where there is any, but nothing is dropped for it.
        let evicted = isSynthetic ? nil : rank
        if let noRoom = self.ensureRoom(for: record, rank: isSynthetic ? 6 : rank, evicting: evicted, in: &state) {
            let reason = noRoom.reason
            state.drop(reason, rank: rank, isSynthetic: isSynthetic)
            state.unreported[reason][rank] += 1
            guard !isSynthetic else { return (.dropped(reason), false) }
            // The actor announces drops; it has to learn of the first one.
            let isFirst = state.unannounced.isEmpty
            state.unannounced[reason][rank] += 1
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
        // What a new batch would ask for, or the open one when it grows.
        let needed = self.envelope.longestHeader + size + 8192
        let isSpooled = self.context.spool?.isAvailable ?? false
        guard !isSpooled || self.context.spool?.hasRoom(for: max(needed, state.spoolBytes)) ?? true else {
            return false
        }
        return self.context.budget.hasRoom(for: needed, rank: 6)
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

    // MARK: Numbers

    var tally: Tally { self.state.withLock { $0.wholeTally } }

    /// When the oldest record that is still held came.
    var oldest: MonotonicInstant? {
        self.state.withLock { $0.inFlightSince ?? $0.sealed.first?.openedAt ?? $0.open?.openedAt }
    }
}

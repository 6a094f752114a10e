// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The queues of a producer by topic and promoted tags. Their number is limited.
final class TopicTable: RecordQueues {
    /// The queue for records whose own topic finds no place.
    let base: TopicQueue
    /// The queue for records that earlier processes left in the spool. It takes no records of this process. Its drops
    /// are announced by the base queue.
    let recovery: TopicQueue?
    private let context: QueueContext
    private let maximum: Int
    private let state: Lock<State>

    private struct State {
        var queues: [TopicKey: Entry] = [:]
        /// The same queues, the oldest first. A dictionary has another order in each process, and no result must depend
        /// on that.
        var order = NumberedList<TopicQueue>()
        /// Queues without records that handlers may still hold: no longer in use, or not yet.
        var idle: [TopicKey: Idle] = [:]
        /// The number of idle queues at which those are removed that no handler holds.
        var sweepAt = 256
        /// The counts of queues that were removed.
        var retired = Tally()
        /// From then on no queue is removed, as their results are added up without the table's lock.
        var isClosed = false
        var isAbandoned = false

        mutating func insert(_ queue: TopicQueue) {
            let number = self.order.takeNumber()
            self.order.insert(queue, number: number)
            self.queues[queue.key] = Entry(number: number, queue: queue)
        }

        mutating func remove(_ queue: TopicQueue) -> Bool {
            guard let entry = self.queues.removeValue(forKey: queue.key) else { return false }
            self.order.remove(entry.number)
            return true
        }
    }

    private struct Entry {
        var number: Int
        var queue: TopicQueue
    }

    private struct Idle {
        weak var queue: TopicQueue?
    }

    init(base: TopicKey, maximum: Int, context: QueueContext) {
        self.context = context
        self.maximum = maximum
        let queue = TopicQueue(key: base, context: context)
        self.base = queue
        self.recovery = context.home.isDurable ? TopicQueue(key: base, context: context, announcer: queue) : nil
        var state = State()
        state.insert(self.base)
        self.state = Lock(state)
    }

    var baseQueue: any RecordQueue { self.base }

    /// What bounds how many topics wait for a thread.
    var turnstile: Turnstile { self.context.turnstile }

    func queue(for key: TopicKey) -> (any RecordQueue)? {
        self.state.withLock { state in
            if let entry = state.queues[key] { return entry.queue }
            guard self.hasRoom(in: state) else { return nil }
            let queue = state.idle[key]?.queue ?? TopicQueue(key: key, context: self.context)
            self.use(queue, in: &state)
            return queue
        }
    }

    /// The queue of `key` for a handler that may log later. Until then it does not count as in use.
    func futureQueue(for key: TopicKey) -> any RecordQueue {
        self.state.withLock { state in
            if let queue = state.queues[key]?.queue ?? state.idle[key]?.queue { return queue }
            let queue = TopicQueue(key: key, context: self.context)
            _ = queue.retire(forGood: true)
            self.keepIdle(queue, in: &state)
            return queue
        }
    }

    func revive(_ queue: any RecordQueue) -> Bool {
        guard let queue = queue as? TopicQueue else { return false }
        return self.state.withLock { state in
            if let entry = state.queues[queue.key] { return entry.queue === queue }
            guard self.hasRoom(in: state) else { return false }
            self.use(queue, in: &state)
            return true
        }
    }

    /// Whether one more topic may come into use. If so, charges its memory.
    private func hasRoom(in state: State) -> Bool {
        state.queues.count < self.maximum && self.context.budget.chargeTopic()
    }

    private func use(_ queue: TopicQueue, in state: inout State) {
        state.idle[queue.key] = nil
        // Before it takes records.
        if state.isClosed { queue.close() }
        if state.isAbandoned {
            var outcome = Outcome()
            queue.abandon(addingTo: &outcome)
        }
        queue.revive()
        state.insert(queue)
    }

    private func keepIdle(_ queue: TopicQueue, in state: inout State) {
        if state.idle.count >= state.sweepAt {
            state.idle = state.idle.filter { $0.value.queue != nil }
            state.sweepAt = max(256, state.idle.count * 2)
        }
        state.idle[queue.key] = Idle(queue: queue)
    }

    /// Ends the worker of an idle queue. Also removes the queue, unless it is the base or the recovery queue, or the
    /// table is closed. Returns `false` if the queue is not idle.
    func retire(_ queue: TopicQueue) -> Bool {
        self.state.withLock { state in
            // A queue's lock is taken inside of the table's, never the other way round.
            let isForGood = queue !== self.base && queue !== self.recovery && !state.isClosed
            let (mayGo, tally) = queue.retire(forGood: isForGood)
            if let tally {
                state.retired += tally
                if state.remove(queue) { self.context.budget.releaseTopic() }
                self.keepIdle(queue, in: &state)
            }
            return mayGo
        }
    }

    /// Calls `body` with all queues for records of this process, the oldest first, and then with the one for records of
    /// earlier processes, until `isOver`. Returns whether that was with all.
    @discardableResult
    private func visit(until isOver: () -> Bool = { false }, _ body: (TopicQueue) -> Void) -> Bool {
        // On a copy, without the lock: a spill waits for the disk, and callers need the table meanwhile.
        for queue in self.state.withLock({ $0.order }) {
            if isOver() { return false }
            body(queue)
        }
        if let recovery = self.recovery { body(recovery) }
        return true
    }

    /// Makes room in the spool for a record of this rank: evicts from the topic with the least severe and oldest batch.
    func evict(atMost rank: Int) {
        var candidates: [(queue: TopicQueue, rank: Int, openedAt: MonotonicInstant)] = []
        self.visit { queue in
            if let (rank, openedAt) = queue.evictable(atMost: rank) { candidates.append((queue, rank, openedAt)) }
        }
        let first = EvictionPolicy.first(of: candidates.lazy.map { (rank: $0.rank, age: $0.openedAt) }, atMost: rank)
        _ = first.map { candidates[$0.index].queue.evict(atMost: rank) }
    }

    /// Moves records that wait in memory to files of the spool. Returns how many are still in memory.
    func spill(into store: SpoolStore, isForced: Bool, isOver: () -> Bool) -> Int {
        var left = 0
        let isWhole = self.visit(until: isOver) { left += $0.spill(into: store, isForced: isForced) }
        // Of the others it is not known.
        return isWhole ? left : max(left, 1)
    }

    /// All batches that wait in files of the spool.
    var spooled: [EvictionPolicy.Candidate] {
        var spooled: [EvictionPolicy.Candidate] = []
        self.visit { spooled += $0.spooled }
        return spooled
    }

    /// The number of queues.
    var count: Int { self.state.withLock { $0.queues.count } }

    // MARK: Sums

    /// The sums over all queues, with those that were removed.
    var overview: QueueOverview {
        self.state.withLock { state in
            // Under the lock in which queues retire: one that does so meanwhile would count twice or not at all.
            var overview = QueueOverview(tally: state.retired)
            for queue in state.order { queue.add(to: &overview) }
            self.recovery?.add(to: &overview)
            return overview
        }
    }

    /// The sums that reports need.
    var outcome: Outcome {
        self.state.withLock { state in
            var outcome = Outcome(state.retired)
            for queue in state.order { queue.add(to: &outcome) }
            self.recovery?.add(to: &outcome)
            return outcome
        }
    }

    // MARK: Flush and shutdown

    /// Announces drops. Returns the queues with unsettled records, and for each the number of records that must be
    /// settled.
    func flushTargets(announcing announcement: ((DropCounts) -> SyntheticRecord?)? = nil) -> [(TopicQueue, Int)] {
        if let announcement {
            // The others announce theirs through the base.
            self.recovery?.announceDrops(announcement)
            self.visit { if $0 !== self.recovery { $0.announceDrops(announcement) } }
        }
        var targets: [(TopicQueue, Int)] = []
        self.visit { queue in
            if let target = queue.flushTarget() { targets.append((queue, target)) }
        }
        return targets
    }

    /// Closes all queues, and those made later.
    func close() {
        self.state.withLock { $0.isClosed = true }
        // Not the queue for earlier processes: delivery keeps its waits there.
        self.visit { if $0 !== self.recovery { $0.close() } }
    }

    /// Abandons what the closed queues hold. Returns the results of all records.
    func abandon(_ body: (TopicQueue, TopicQueue.Rest) -> Void) -> Outcome {
        var outcome = self.state.withLock { state in
            state.isAbandoned = true
            return Outcome(state.retired)
        }
        self.visit { body($0, $0.abandon(addingTo: &outcome)) }
        return outcome
    }
}

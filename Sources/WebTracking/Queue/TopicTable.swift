// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The buffers of a producer by topic and promoted tags; how many there are is bounded.
final class TopicTable: Sendable {
    /// The buffer for records whose own topic finds no place.
    let base: TopicQueue
    /// The buffer for what earlier processes left in the spool; takes no records of this one. What is dropped of those is
    /// announced by the base.
    let recovery: TopicQueue?
    private let context: QueueContext
    private let maximum: Int
    private let state: Lock<State>

    private struct State {
        var buffers: [TopicKey: Entry] { didSet { self.order = nil } }
        /// Buffers without records that handlers may still hold: no longer in use, or not yet.
        var idle: [TopicKey: Idle] = [:]
        /// How many of those there may be before the ones that nobody holds are looked for.
        var sweepAt = 256
        var nextNumber = 1
        /// What became of the records of buffers that are gone.
        var retired = Tally()
        var isClosed = false

        /// All buffers, the oldest first, if none has come or gone since they were asked for: a shutdown asks for them
        /// several times, and 100,000 are not sorted in no time.
        private var order: [TopicQueue]?

        init(buffers: [TopicKey: Entry]) { self.buffers = buffers }

        /// All buffers, the oldest first: what is done to one after the other must not depend on the order in which a
        /// dictionary has them.
        var inOrder: [TopicQueue] {
            mutating get {
                if let order = self.order { return order }
                let order = self.buffers.values.sorted { $0.number < $1.number }.map(\.buffer)
                self.order = order
                return order
            }
        }
    }

    private struct Entry {
        var number: Int
        var buffer: TopicQueue
    }

    private struct Idle {
        weak var buffer: TopicQueue?
    }

    init(base: TopicKey, maximum: Int, context: QueueContext) {
        self.context = context
        self.maximum = maximum
        let buffer = TopicQueue(key: base, context: context)
        self.base = buffer
        self.recovery = context.spool.map { _ in TopicQueue(key: base, context: context, announcer: buffer) }
        self.state = Lock(State(buffers: [base: Entry(number: 0, buffer: self.base)]))
    }

    /// The buffer of `key`, put into use if there is room for it; `nil` if there is not.
    func buffer(for key: TopicKey) -> TopicQueue? {
        self.state.withLock { state in
            if let entry = state.buffers[key] { return entry.buffer }
            guard self.hasRoom(in: state) else { return nil }
            let buffer = state.idle[key]?.buffer ?? TopicQueue(key: key, context: self.context)
            self.use(buffer, in: &state)
            return buffer
        }
    }

    /// The buffer of `key` for somebody who may have records for it later; it counts as one in use only then. Until then it
    /// answers that it is retired, and ``revive(_:)`` puts it into use.
    func handle(for key: TopicKey) -> TopicQueue {
        self.state.withLock { state in
            if let buffer = state.buffers[key]?.buffer ?? state.idle[key]?.buffer { return buffer }
            let buffer = TopicQueue(key: key, context: self.context)
            _ = buffer.retire(forGood: true)
            self.keepIdle(buffer, in: &state)
            return buffer
        }
    }

    /// Puts a retired buffer into use again; `false` if there is no room for it.
    func revive(_ buffer: TopicQueue) -> Bool {
        self.state.withLock { state in
            if let entry = state.buffers[buffer.key] { return entry.buffer === buffer }
            guard self.hasRoom(in: state) else { return false }
            self.use(buffer, in: &state)
            return true
        }
    }

    /// Whether one more topic may come into use; then its memory is taken.
    private func hasRoom(in state: State) -> Bool {
        state.buffers.count < self.maximum && self.context.budget.takeTopic()
    }

    private func use(_ buffer: TopicQueue, in state: inout State) {
        state.idle[buffer.key] = nil
        buffer.revive()
        if state.isClosed { buffer.close() }
        state.buffers[buffer.key] = Entry(number: state.nextNumber, buffer: buffer)
        state.nextNumber += 1
    }

    private func keepIdle(_ buffer: TopicQueue, in state: inout State) {
        if state.idle.count >= state.sweepAt {
            state.idle = state.idle.filter { $0.value.buffer != nil }
            state.sweepAt = max(256, state.idle.count * 2)
        }
        state.idle[buffer.key] = Idle(buffer: buffer)
    }

    /// Lets an idle buffer's worker go, and the buffer too unless it is the base; `false` if it is not idle.
    func retire(_ buffer: TopicQueue) -> Bool {
        self.state.withLock { state in
            let (mayGo, tally) = buffer.retire(forGood: buffer !== self.base && buffer !== self.recovery)
            if let tally {
                state.retired += tally
                if state.buffers.removeValue(forKey: buffer.key) != nil { self.context.budget.releaseTopic() }
                self.keepIdle(buffer, in: &state)
            }
            return mayGo
        }
    }

    /// All buffers of records of this process, the oldest first.
    var buffers: [TopicQueue] { self.state.withLock { $0.inOrder } }

    /// These, and the one for what earlier processes left.
    var allQueues: [TopicQueue] { self.buffers + (self.recovery.map { [$0] } ?? []) }

    /// Makes room in the spool for a record of this rank, in whichever topic has the least severe and oldest records.
    func evict(atMost rank: Int) {
        let candidates = self.allQueues.compactMap { buffer in
            buffer.evictable(atMost: rank).map { (buffer: buffer, rank: $0.rank, openedAt: $0.openedAt) }
        }
        let first = EvictionPolicy.first(of: candidates.lazy.map { (rank: $0.rank, age: $0.openedAt) }, atMost: rank)
        _ = first.map { candidates[$0.index].buffer.evict(atMost: rank) }
    }

    /// Moves to files of the spool what waits in memory, and says how many records are still there.
    func spillToFiles(isForced: Bool) -> Int {
        self.allQueues.reduce(0) { $0 + $1.spillToFiles(isForced: isForced) }
    }

    /// How many records are in memory only, although they belong into files.
    var unspooled: Int { self.allQueues.reduce(0) { $0 + $1.unspooled } }

    /// All batches that wait in files of the spool.
    var spooled: [EvictionPolicy.Candidate] {
        self.allQueues.flatMap(\.spooled)
    }

    /// How many buffers there are.
    var count: Int { self.state.withLock { $0.buffers.count } }

    /// Closes all buffers, and those yet to come.
    func close() {
        let buffers = self.state.withLock { state -> [TopicQueue] in
            state.isClosed = true
            return state.inOrder
        }
        for buffer in buffers { buffer.close() }
    }

    /// The sums over all buffers there are and have been.
    var tally: Tally {
        self.state.withLock { state in
            let buffers = state.buffers.values.map(\.buffer) + (self.recovery.map { [$0] } ?? [])
            return buffers.reduce(into: state.retired) { $0 += $1.tally }
        }
    }
}

extension TopicTable: RecordQueues {
    var baseQueue: any RecordQueue { self.base }

    func queue(for key: TopicKey) -> (any RecordQueue)? { self.buffer(for: key) }

    func futureQueue(for key: TopicKey) -> any RecordQueue { self.handle(for: key) }

    func revive(_ queue: any RecordQueue) -> Bool { (queue as? TopicQueue).map { self.revive($0) } ?? false }
}

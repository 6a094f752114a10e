// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The backlog of one stream, between the thread that reads it and the task that ships it.
final class SharedBacklog: Sendable {
    private let backlog: Mutex<Backlog>
    private let finished = Atomic(false)
    private let wakes: AsyncStream<Void>.Continuation
    /// Yields whenever there may be something to do; ends once the stream has.
    let events: AsyncStream<Void>

    init(limit: Int) {
        self.backlog = Mutex(Backlog(limit: limit))
        (self.events, self.wakes) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Whether the stream has ended.
    var isFinished: Bool { self.finished.load(ordering: .relaxed) }
    /// Whether more than half of the room is in use.
    var isBehind: Bool { self.backlog.withLock { $0.heldBytes > $0.limit / 2 } }
    var counts: LineCounts { self.backlog.withLock { $0.counts } }

    /// Never waits for the one that ships.
    func append(_ bytes: [UInt8], time: Int64) {
        self.backlog.withLock { $0.append(bytes, time: time) }
        self.wakes.yield()
    }

    func take() -> Backlog.Block? { self.backlog.withLock { $0.take() } }
    func takeGap() -> Bool { self.backlog.withLock { $0.takeGap() } }

    func dropAll() { self.backlog.withLock { $0.dropAll() } }

    /// Lets the one that ships look at what it holds.
    func wake() { self.wakes.yield() }

    func finish() {
        self.backlog.withLock { $0.finish() }
        self.finished.store(true, ordering: .relaxed)
        self.wakes.finish()
    }
}

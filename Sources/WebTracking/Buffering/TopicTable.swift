//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// The buffers of a producer by topic and promoted tags; how many there are is bounded.
final class TopicTable: Sendable {
    /// The buffer for records whose own topic finds no place.
    let base: TopicBuffer
    private let context: BufferContext
    private let maximum: Int
    private let state: Lock<State>

    private struct State {
        var entries: [TopicKey: Entry]
        /// What became of the records of buffers that are gone.
        var retired = Tally()
        var isClosed = false
    }

    private struct Entry {
        var buffer: TopicBuffer
        /// Whether a handler holds on to the buffer, so that it must stay in use.
        var isPinned: Bool
    }

    init(base: TopicKey, maximum: Int, context: BufferContext) {
        self.context = context
        self.maximum = maximum
        self.base = TopicBuffer(key: base, context: context)
        self.state = Lock(State(entries: [base: Entry(buffer: self.base, isPinned: true)]))
    }

    /// The buffer of `key`, a new one if there is room for it, and `nil` if there is not.
    ///
    /// A pinned buffer is never retired; it holds no memory for records while it is idle.
    func buffer(for key: TopicKey, pinned: Bool = false) -> TopicBuffer? {
        self.state.withLock { state in
            if let entry = state.entries[key] {
                if pinned && !entry.isPinned { state.entries[key]?.isPinned = true }
                return entry.buffer
            }
            guard state.entries.count < self.maximum else { return nil }
            let buffer = TopicBuffer(key: key, context: self.context)
            if state.isClosed { buffer.close() }
            state.entries[key] = Entry(buffer: buffer, isPinned: pinned)
            return buffer
        }
    }

    /// Lets an idle buffer's worker go, and the buffer too unless a handler holds on to it; `false` if it is not idle.
    func retire(_ buffer: TopicBuffer) -> Bool {
        self.state.withLock { state in
            let isPinned = state.entries[buffer.key]?.isPinned ?? true
            let (mayGo, tally) = buffer.retire(forGood: !isPinned)
            if let tally {
                state.retired += tally
                state.entries[buffer.key] = nil
            }
            return mayGo
        }
    }

    /// All buffers there are.
    var buffers: [TopicBuffer] { self.state.withLock { $0.entries.values.map(\.buffer) } }

    /// How many buffers there are.
    var count: Int { self.state.withLock { $0.entries.count } }

    /// Closes all buffers, and those yet to come.
    func close() {
        let buffers = self.state.withLock { state -> [TopicBuffer] in
            state.isClosed = true
            return state.entries.values.map(\.buffer)
        }
        for buffer in buffers { buffer.close() }
    }

    /// The sums over all buffers there are and have been.
    var tally: Tally {
        self.state.withLock { state in
            state.entries.values.reduce(into: state.retired) { $0 += $1.buffer.tally }
        }
    }
}

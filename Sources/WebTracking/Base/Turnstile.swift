// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Bounds how many woken tasks wait for a thread at a time: each lets the next one in as soon as it runs.
///
/// Swift's pool serves tasks in the order in which they were woken. Without a bound, a task that is to keep a deadline would
/// run behind each of 100,000 topics that were woken just before it.
final class Turnstile: Sendable {
    /// A task that is to run.
    enum Turn {
        /// One that waits. It is resumed with `true`, and then calls ``next()``.
        case resume(CheckedContinuation<Bool, Never>)
        /// One that is not there yet.
        case start(any TurnstileUser)
    }

    private struct State {
        /// How many were let in and do not run yet.
        var inside = 0
        /// Those before `head` were let in. They are not kept: a turn may hold, over others, what holds this turnstile.
        var waiting: [Turn?] = []
        var head = 0
        var isHeld = false

        /// The turn to let in, if there is one and room for it.
        mutating func take(limit: Int) -> Turn? {
            guard !self.isHeld, self.inside < limit, self.head < self.waiting.count else { return nil }
            self.inside += 1
            let turn = self.waiting[self.head].take()
            self.head += 1
            if self.head == self.waiting.count {
                self.waiting.removeAll(keepingCapacity: self.head <= limit)
                self.head = 0
            } else if self.head > limit, 2 * self.head > self.waiting.count {
                self.waiting.removeSubrange(..<self.head)
                self.head = 0
            }
            return turn
        }
    }

    /// Many more than processors, so that topics that are woken together run together even if the program keeps Swift's
    /// threads busy. Few enough that a task behind them waits for some milliseconds only.
    static let limit = 128

    private let limit: Int
    private let state = Lock(State())

    init(limit: Int = Turnstile.limit) { self.limit = limit }

    /// How many were let in and do not run yet, and how many are to follow.
    var counts: (inside: Int, waiting: Int) {
        self.state.withLock { ($0.inside, $0.waiting.count - $0.head) }
    }

    /// Lets a task run once those before it do.
    func enter(_ turn: Turn) {
        let first = self.state.withLock { state in
            state.waiting.append(turn)
            return state.take(limit: self.limit)
        }
        // Outside of the lock: to start a task takes the lock of its topic.
        self.letIn(first)
    }

    /// Lets the next task in; called by each that was let in, as the first thing that it does.
    func next() {
        self.letIn(self.leave())
    }

    /// Lets no task in until ``release()``, so that the processors are left to what has a deadline.
    func hold() { self.state.withLock { $0.isHeld = true } }

    /// Lets tasks in again. Runs through those in a row that are not needed any more, so this can take its time.
    func release() {
        var turn = self.state.withLock { state in
            state.isHeld = false
            return state.take(limit: self.limit)
        }
        while let current = turn {
            self.letIn(current)
            turn = self.state.withLock { $0.take(limit: self.limit) }
        }
    }

    /// Notes that one of those inside runs, or need not. Returns the turn to let in.
    private func leave() -> Turn? {
        self.state.withLock { state in
            state.inside -= 1
            return state.take(limit: self.limit)
        }
    }

    private func letIn(_ first: Turn?) {
        var turn = first
        // A loop and not `next()`: many topics in a row may need no task, and each call would deepen the stack.
        while let current = turn {
            switch current {
            case .resume(let continuation):
                continuation.resume(returning: true)
                return
            case .start(let user):
                if user.startTask() { return }
            }
            // It needs no task any more.
            turn = self.leave()
        }
    }
}

/// What starts a task once a ``Turnstile`` lets it.
protocol TurnstileUser: AnyObject, Sendable {
    /// Starts a task that calls ``Turnstile/next()`` as soon as it runs; `false` if none is needed any more.
    func startTask() -> Bool
}

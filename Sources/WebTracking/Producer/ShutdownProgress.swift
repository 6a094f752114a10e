// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// The state of a shutdown, for the task that carries it out and for threads that wait for its end.
final class ShutdownProgress: Sendable {
    /// The records that were not delivered: dropped ones, those in files for the next producer, and those of both that
    /// were in flight.
    struct Rest {
        var dropped = 0
        var spooled = 0
        var inFlight = 0
        /// What became of all records.
        var outcome = Outcome()
    }

    private struct State {
        var rest: Rest?
        var report: DeliveryReport?
        var isOver = false
        var waiters: [DispatchSemaphore] = []
    }

    let start: MonotonicInstant
    let deadline: MonotonicInstant
    /// The counts at the beginning.
    let before: Outcome
    private let state = Lock(State())
    private let giving = Lock<Void>(())

    init(start: MonotonicInstant, deadline: MonotonicInstant, before: Outcome) {
        self.start = start
        self.deadline = deadline
        self.before = before
    }

    /// What was left when the rest was dropped; `nil` before that.
    var rest: Rest? { self.state.withLock { $0.rest } }

    /// Drops the rest, unless that was done before.
    func abandon(_ body: () -> Rest) {
        // A second caller waits for the result of the first.
        self.giving.withLock { _ in
            guard self.rest == nil else { return }
            let rest = body()
            self.state.withLock { $0.rest = rest }
        }
    }

    /// These records that were left in files have gone with them.
    func countLost(_ levels: LevelCounts) {
        self.state.withLock { state in
            state.rest?.spooled -= levels.total
            state.rest?.dropped += levels.total
            state.rest?.outcome.dropped[.spoolDamaged] += levels
        }
    }

    var report: DeliveryReport? { self.state.withLock { $0.report } }

    /// Sets the report, unless there is one already. Returns the report, and whether it is the new one.
    func conclude(_ report: DeliveryReport) -> (report: DeliveryReport, isFirst: Bool) {
        self.state.withLock { state in
            if let first = state.report { return (first, false) }
            state.report = report
            return (report, true)
        }
    }

    /// Wakes the waiting threads.
    func end() {
        let waiters = self.state.withLock { state in
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.signal() }
    }

    /// A semaphore that is signalled at the end.
    func waiter() -> DispatchSemaphore {
        // Made with 0: Dispatch traps if a semaphore is released below its first value.
        let waiter = DispatchSemaphore(value: 0)
        let isOver = self.state.withLock { state in
            // Under the lock of `end`: an end in between would signal nothing, and the thread would wait until its deadline.
            if !state.isOver { state.waiters.append(waiter) }
            return state.isOver
        }
        if isOver { waiter.signal() }
        return waiter
    }
}

extension DispatchSemaphore {
    /// Blocks the thread until a signal or `deadline` on `clock`, and says whether the signal came.
    func wait(until deadline: MonotonicInstant, clock: any ProducerClock) -> Bool {
        while true {
            let rest = deadline - clock.now()
            if rest <= .zero { return self.wait(timeout: .now()) == .success }
            // Check again from time to time: a test may move the clock.
            let slice = min(rest.saturatedNanoseconds, 100_000_000)
            if self.wait(timeout: .now() + .nanoseconds(Int(slice))) == .success { return true }
        }
    }
}

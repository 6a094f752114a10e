// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// What is known of a shutdown that has begun: to the task that carries it out, and to threads that wait for its end.
final class ShutdownProgress: Sendable {
    /// What was not delivered: dropped, in files for the next producer, and of both what was on its way.
    struct Rest {
        var dropped = 0
        var spooled = 0
        var inFlight = 0
    }

    private struct State {
        var rest: Rest?
        var report: DeliveryReport?
        var isOver = false
        var waiters: [DispatchSemaphore] = []
    }

    let start: MonotonicInstant
    let deadline: MonotonicInstant
    /// The counts when it began.
    let before: Tally
    private let state = Lock(State())
    private let giving = Lock<Void>(())

    init(start: MonotonicInstant, deadline: MonotonicInstant, before: Tally) {
        self.start = start
        self.deadline = deadline
        self.before = before
    }

    /// What was left when the rest was given up; `nil` before.
    var rest: Rest? { self.state.withLock { $0.rest } }

    /// Gives up the rest unless that has been done.
    func abandon(_ body: () -> Rest) {
        // Whoever comes second waits for what the first finds.
        self.giving.withLock { _ in
            guard self.rest == nil else { return }
            let rest = body()
            self.state.withLock { $0.rest = rest }
        }
    }

    /// So many records that were left in files have gone with them.
    func countLost(_ count: Int) {
        self.state.withLock { state in
            state.rest?.spooled -= count
            state.rest?.dropped += count
        }
    }

    var report: DeliveryReport? { self.state.withLock { $0.report } }

    /// Takes the report, unless there is one already; says which it is, and whether it is this one.
    func conclude(_ report: DeliveryReport) -> (report: DeliveryReport, isFirst: Bool) {
        self.state.withLock { state in
            if let first = state.report { return (first, false) }
            state.report = report
            return (report, true)
        }
    }

    /// Wakes the threads that wait.
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
        let waiter = DispatchSemaphore(value: 0)
        let isOver = self.state.withLock { state in
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
            // Looked at anew now and then: the clock may be one that somebody moves.
            let slice = min(rest.wholeNanoseconds, 100_000_000)
            if self.wait(timeout: .now() + .nanoseconds(Int(slice))) == .success { return true }
        }
    }
}

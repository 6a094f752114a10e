// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CCounting
import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// What one thread does: log for some time, and note what each call took.
struct LoggingLoop: Sendable {
    var workload: Workload
    /// Taken in turn, for many topics.
    var loggers: [Logger]
    /// Calls that are due at once, each ``pause``; 0 for as fast as it goes.
    var burst: Int
    /// How long, in nanoseconds.
    var duration: UInt64
    /// Whether each call is timed; if not, only their mean is known, and without the clock's cost.
    var isTimed: Bool

    struct Outcome: Sendable {
        var logs = 0
        /// What the calls took.
        var calls = LatencyRecorder()
        /// From the time at which a call was due to its end; only at a given rate.
        var fromDue = LatencyRecorder()
        var slow = SlowCalls()
        var allocations: UInt64 = 0
        /// The time in the loop without waits, in nanoseconds.
        var busy: UInt64 = 0
        /// How long the valve held the thread, in nanoseconds.
        var held: UInt64 = 0
    }

    /// Nanoseconds between two bursts. To wake a thread costs some microseconds of the processor: once a millisecond
    /// that is little beside the calls, once for each call it would be more than they.
    static let pause: UInt64 = 1_000_000

    /// Does it; `delay` nanoseconds later if it goes by bursts, so that threads need not all wake at once.
    func run(valve: Valve, delay: UInt64) -> Outcome {
        var outcome = Outcome()
        let start = now()
        let allocations = allocation_counter_read()
        if self.burst > 0 {
            self.runInBursts(after: delay, into: &outcome)
        } else if self.isTimed {
            self.runTimed(valve, into: &outcome)
        } else {
            self.runUntimed(valve, into: &outcome)
        }
        outcome.allocations = allocation_counter_read() - allocations
        outcome.busy = now() - start - outcome.held
        return outcome
    }

    private func runTimed(_ valve: Valve, into outcome: inout Outcome) {
        let end = now() + self.duration
        var index = 0
        var turn = 0
        outcome.slow.start()
        while true {
            let held = valve.pass()
            if held > 0 {
                outcome.held += held
                outcome.slow.start()
            }
            let before = now()
            if before >= end { break }
            self.workload.log(index, to: self.loggers[turn])
            let duration = now() - before
            outcome.calls.record(duration)
            outcome.slow.record(duration)
            index += 1
            turn = turn + 1 == self.loggers.count ? 0 : turn + 1
        }
        outcome.logs = index
    }

    private func runUntimed(_ valve: Valve, into outcome: inout Outcome) {
        let end = now() + self.duration
        var index = 0
        var turn = 0
        while now() < end {
            for _ in 0..<64 {
                outcome.held += valve.pass()
                self.workload.log(index, to: self.loggers[turn])
                index += 1
                turn = turn + 1 == self.loggers.count ? 0 : turn + 1
            }
        }
        outcome.logs = index
    }

    /// Starts bursts at fixed times, whether those before have been late or not, so that a slow call is counted against
    /// those that it holds up. Gives up on the rate when it is half the time behind.
    private func runInBursts(after delay: UInt64, into outcome: inout Outcome) {
        precise_sleep_enable()
        var due = now() + delay
        let end = due + self.duration
        var index = 0
        var turn = 0
        let limit = end + self.duration / 2
        while due < end {
            let start = now()
            if start > limit { break }
            let wait = Int64(bitPattern: due &- start)
            if wait > 0 {
                var time = timespec(tv_sec: 0, tv_nsec: Int(wait))
                nanosleep(&time, nil)
            }
            outcome.slow.start()
            for _ in 0..<self.burst {
                let before = now()
                self.workload.log(index, to: self.loggers[turn])
                let after = now()
                outcome.calls.record(after - before)
                outcome.slow.record(after - before)
                outcome.fromDue.record(after - due)
                index += 1
                turn = turn + 1 == self.loggers.count ? 0 : turn + 1
            }
            due += Self.pause
        }
        outcome.logs = index
    }
}

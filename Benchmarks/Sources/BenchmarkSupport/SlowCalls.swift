// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CCounting

/// What a thread's slow calls were slow for, as far as the system's counts of context switches tell.
///
/// They are read after slow calls only, so the others are not made slower; a switch between two calls is put down to
/// the next slow one.
struct SlowCalls: Sendable {
    /// From here on a call is slow, in nanoseconds: no call needs this long for itself, but those that open a batch.
    private static let limit: UInt64 = 20_000

    /// How many calls, and how long they took in all.
    struct Sum: Sendable {
        var calls = 0
        var time: UInt64 = 0

        static func += (left: inout Sum, right: Sum) {
            left.calls += right.calls
            left.time += right.time
        }
    }

    /// The system gave the processor to another thread.
    private(set) var preempted = Sum()
    /// The thread waited for a lock.
    private(set) var waited = Sum()
    /// Neither.
    private(set) var own = Sum()
    private var preemptions: UInt64 = 0
    private var waits: UInt64 = 0

    /// To be called on the thread itself, before the first call and after each pause.
    mutating func start() {
        let usage = thread_usage_read()
        self.preemptions = usage.preemptions
        self.waits = usage.waits
    }

    @inline(__always)
    mutating func record(_ duration: UInt64) {
        if duration > Self.limit { self.recordSlow(duration) }
    }

    @inline(never)
    private mutating func recordSlow(_ duration: UInt64) {
        let usage = thread_usage_read()
        let sum = Sum(calls: 1, time: duration)
        if usage.preemptions != self.preemptions {
            self.preempted += sum
        } else if usage.waits != self.waits {
            self.waited += sum
        } else {
            self.own += sum
        }
        self.preemptions = usage.preemptions
        self.waits = usage.waits
    }

    mutating func add(_ other: Self) {
        self.preempted += other.preempted
        self.waited += other.waited
        self.own += other.own
    }

    /// Calls per million, and nanoseconds per log, of each kind.
    func summary(logs: Double) -> [(name: String, value: Double)] {
        [("preempted", self.preempted), ("waited", self.waited), ("own", self.own)].flatMap { name, sum in
            [
                ("slow_\(name)_calls", Double(sum.calls) / logs * 1e6),
                ("slow_\(name)_time", Double(sum.time) / logs),
            ]
        }
    }
}

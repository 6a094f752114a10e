// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// What comes after what in a shutdown, decided without a producer.
@Suite struct ShutdownMachineTests {
    private static let deadline = MonotonicInstant(nanoseconds: 100)
    private static let before = MonotonicInstant(nanoseconds: 99)

    private func machine() -> ShutdownMachine {
        var machine = ShutdownMachine(deadline: Self.deadline)
        #expect(machine.next(at: Self.before) == .close)
        #expect(machine.next(at: Self.before) == .ask)
        return machine
    }

    private func checkEnd(_ machine: ShutdownMachine, at now: MonotonicInstant) {
        var machine = machine
        #expect(machine.next(at: now) == .abandon)
        machine.abandoned()
        #expect(machine.next(at: now) == .stop(until: Self.deadline))
        // That has some time whatever the deadline is.
        #expect(machine.next(at: now) == .sync(until: now + ShutdownMachine.syncGrace))
        #expect(machine.next(at: now) == .release(until: now + ShutdownMachine.stopGrace))
        // And so has the line that reports it, however long the release took.
        let late = now + ShutdownMachine.stopGrace
        #expect(machine.next(at: late) == .report(until: late + ShutdownMachine.lineGrace))
    }

    @Test func withNothingToDeliverItEndsAtOnce() {
        var machine = self.machine()
        machine.asked(topics: 0)
        self.checkEnd(machine, at: Self.before)
    }

    @Test func itAsksAgainUntilNothingComesOnTheWay() {
        var machine = self.machine()
        for _ in 0..<3 {
            machine.asked(topics: 2)
            #expect(machine.next(at: Self.before) == .wait(until: Self.deadline))
            #expect(machine.next(at: Self.before) == .ask)
        }
        machine.asked(topics: 0)
        self.checkEnd(machine, at: Self.before)
    }

    @Test func withManyTopicsItStopsWaitingInTimeToCountWhatIsLeft() {
        let deadline = MonotonicInstant(nanoseconds: 1_000_000_000)
        for (topics, wait) in [(1, 0), (1000, 0), (1001, 2), (101_000, 200_000)] {
            var machine = ShutdownMachine(deadline: deadline)
            _ = (machine.next(at: Self.before), machine.next(at: Self.before))
            machine.asked(topics: 1, of: topics)
            let end = deadline + .microseconds(-wait)
            #expect(machine.next(at: Self.before) == .wait(until: end))
            #expect(machine.next(at: end) == .abandon)
        }
        var machine = ShutdownMachine(deadline: deadline, hasSpool: true)
        _ = (machine.next(at: Self.before), machine.next(at: Self.before))
        machine.asked(topics: 1, of: 101_000)
        #expect(machine.next(at: Self.before) == .wait(until: deadline + .microseconds(-396_608)))
    }

    @Test func topicsThatThereIsNoTimeToAskAreGivenUpAtOnce() {
        for (topics, hasSpool, milliseconds, asks) in [
            (1000, true, 0, true), (101_000, false, 301, true), (101_000, false, 299, false),
            (101_000, true, 490, false),
            (101_000, true, 500, true),
        ] {
            let deadline = MonotonicInstant(nanoseconds: 0) + .milliseconds(milliseconds)
            var machine = ShutdownMachine(deadline: deadline, topics: topics, hasSpool: hasSpool)
            let start = MonotonicInstant(nanoseconds: 0)
            #expect(machine.next(at: start) == .close)
            #expect(machine.next(at: start) == (asks ? .ask : .abandon))
        }
    }

    @Test func recordsAreMovedToFilesUntilTheRestHasToBeGivenUp() {
        let deadline = MonotonicInstant(nanoseconds: 1_000_000_000)
        let early = MonotonicInstant(nanoseconds: 0)
        func end(_ topics: Int, at now: MonotonicInstant) -> MonotonicInstant {
            ShutdownMachine.endOfSpill(at: now, deadline: deadline, topics: topics)
        }
        #expect(end(1000, at: early) == deadline)
        #expect(end(101_000, at: early) == deadline + .microseconds(-396_608))
        // With few topics the disk has a moment in any case; with many, the rest of the shutdown needs it.
        #expect(end(1000, at: deadline) == deadline + ShutdownMachine.stopGrace)
        #expect(end(6000, at: deadline) == deadline + .milliseconds(30))
        #expect(end(101_000, at: deadline) == deadline + .milliseconds(20))
    }

    @Test func atTheDeadlineItGivesUp() {
        var machine = self.machine()
        machine.asked(topics: 2)
        #expect(machine.next(at: Self.before) == .wait(until: Self.deadline))
        self.checkEnd(machine, at: Self.deadline)
    }

    @Test func theLastSyncHasTheTimeThatThereIs() {
        let now = MonotonicInstant(nanoseconds: 0)
        var machine = ShutdownMachine(deadline: now + .seconds(60))
        _ = machine.next(at: now)
        machine.abandoned()
        #expect(machine.next(at: now) == .stop(until: now + .seconds(60)))
        #expect(machine.next(at: now) == .sync(until: now + .seconds(60)))
    }

    @Test func withoutTimeItAsksOnce() {
        var machine = ShutdownMachine(deadline: Self.deadline)
        #expect(machine.next(at: Self.deadline) == .close)
        #expect(machine.next(at: Self.deadline) == .ask)
        machine.asked(topics: 1)
        #expect(machine.next(at: Self.deadline) == .wait(until: Self.deadline))
        self.checkEnd(machine, at: Self.deadline)
    }
}

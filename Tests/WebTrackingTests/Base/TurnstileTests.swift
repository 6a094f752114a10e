// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

@Suite
struct TurnstileTests {
    @Test
    func noMoreAreLetInAtOnceThanTheLimitAndTheyComeInTheirOrder() {
        let turnstile = Turnstile(limit: 3)
        let started = Started()
        for number in 0..<100 { turnstile.enter(.start(User(number, started))) }
        for running in 0..<100 {
            #expect(started.numbers == Array(0..<min(running + 3, 100)))
            let counts = turnstile.counts
            #expect(counts.inside == min(3, 100 - running) && counts.waiting == max(97 - running, 0))
            turnstile.next()
        }
        #expect(turnstile.counts == (0, 0))
    }

    /// A topic holds the turnstile, over others.
    @Test
    func whatWasLetInIsNotKept() {
        let turnstile = Turnstile(limit: 1)
        let started = Started()
        weak var first: User?
        weak var second: User?
        do {
            let users = [User(0, started), User(1, started)]
            (first, second) = (users[0], users[1])
            for user in users { turnstile.enter(.start(user)) }
        }
        #expect(first == nil && second != nil)
        turnstile.next()
        #expect(second == nil && started.numbers == [0, 1])
    }

    @Test
    func whoNeedsNoTaskAnyMoreTakesNoTurn() {
        let turnstile = Turnstile(limit: 1)
        let started = Started()
        for number in 0..<10 { turnstile.enter(.start(User(number, started, needsTask: number % 4 == 0))) }
        #expect(started.numbers == [0])
        turnstile.next()
        #expect(started.numbers == [0, 4])
        turnstile.next()
        turnstile.next()
        #expect(started.numbers == [0, 4, 8])
        #expect(turnstile.counts == (0, 0))
        turnstile.enter(.start(User(10, started)))
        #expect(started.numbers == [0, 4, 8, 10])
    }

    @Test
    func whileItIsHeldNobodyIsLetInAndAfterThatAllAre() {
        let turnstile = Turnstile(limit: 2)
        let started = Started()
        for number in 0..<2 { turnstile.enter(.start(User(number, started))) }
        turnstile.hold()
        for number in 2..<9 { turnstile.enter(.start(User(number, started, needsTask: number % 2 == 0))) }
        for _ in 0..<2 { turnstile.next() }
        #expect(started.numbers == [0, 1])
        #expect(turnstile.counts == (0, 7))
        turnstile.release()
        #expect(started.numbers == [0, 1, 2, 4])
        for _ in 0..<2 { turnstile.next() }
        #expect(started.numbers == [0, 1, 2, 4, 6, 8])
        for _ in 0..<2 { turnstile.next() }
        #expect(turnstile.counts == (0, 0))
    }

    /// Rung, past their time, and cancelled: none of them keeps the turn that it was let in with.
    @Test
    func aThousandThatAreWokenPassTwoAtATime() async {
        let clock = ManualClock()
        let alarm = Alarm(clock: clock)
        let turnstile = Turnstile(limit: 2)
        let deadline = clock.now() + .seconds(1)
        let bells = (0..<1_000).map { _ in Doorbell(turnstile: turnstile) }
        let waiting = bells.map { bell in Task { await bell.wait(until: deadline, alarm: alarm) } }
        while alarm.count < 1_000 { await Task.yield() }
        for index in 0..<1_000 {
            if index % 3 == 0 { bells[index].ring() }
            if index % 3 == 1 { waiting[index].cancel() }
        }
        clock.advance(by: .seconds(1))
        for task in waiting { await task.value }
        #expect(turnstile.counts == (0, 0))
        #expect(alarm.count == 0)
    }
}

/// Which users were started, in their order.
private final class Started: Sendable {
    private let state = Lock<[Int]>([])

    var numbers: [Int] { self.state.withLock { $0 } }

    func append(_ number: Int) { self.state.withLock { $0.append(number) } }
}

private final class User: TurnstileUser {
    private let number: Int
    private let started: Started
    private let needsTask: Bool

    init(_ number: Int, _ started: Started, needsTask: Bool = true) {
        self.number = number
        self.started = started
        self.needsTask = needsTask
    }

    func startTask() -> Bool {
        if self.needsTask { self.started.append(self.number) }
        return self.needsTask
    }
}

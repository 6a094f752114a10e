// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

@Suite
struct AlarmTests {
    private let clock = ManualClock()

    private func time(_ seconds: Int) -> MonotonicInstant { self.clock.now() + .seconds(seconds) }

    // MARK: The queue

    @Test
    func timesComeInTheirOrderWhateverOrderTheyWereSetIn() {
        var random = SeededGenerator(seed: 1)
        var queue = TimerQueue<Int>()
        var expected: [(time: Int, id: Int)] = []
        var taken: [Int] = []
        for id in 0..<2_000 {
            let time = Int.random(in: 0..<100, using: &random)
            queue.insert(id, id: id, at: MonotonicInstant(nanoseconds: Int64(time)))
            expected.append((time, id))
            if id % 3 == 0, let gone = expected.indices.randomElement(using: &random) {
                let (first, again) = (queue.remove(id: expected[gone].id), queue.remove(id: expected[gone].id))
                #expect(first && !again)
                expected.remove(at: gone)
            }
            #expect(queue.first?.nanoseconds == expected.map(\.time).min().map(Int64.init))
        }
        for now in 0..<100 {
            while true {
                let due = queue.takeDue(at: MonotonicInstant(nanoseconds: Int64(now)), limit: 7)
                taken += due
                if due.count < 7 { break }
            }
            #expect(queue.first.map { $0.nanoseconds > Int64(now) } ?? true)
        }
        #expect(taken == expected.sorted { ($0.time, $0.id) < ($1.time, $1.id) }.map(\.id))
    }

    @Test
    func timesThatWereCancelledTakeUpNoMoreThanThoseThatAreLeft() {
        var queue = TimerQueue<Int>()
        queue.insert(0, id: 0, at: MonotonicInstant(nanoseconds: 0))
        for id in 1..<10_000 {
            queue.insert(id, id: id, at: MonotonicInstant(nanoseconds: Int64(id)))
            let isRemoved = queue.remove(id: id)
            #expect(isRemoved)
        }
        #expect(queue.placeCount <= 33)
    }

    // MARK: The alarm

    @Test
    func oneTaskSleepsForAllThatWait() async {
        let alarm = Alarm(clock: self.clock)
        let woken = Places()
        await withTaskGroup(of: Void.self) { group in
            // The latest first, so that each that comes is earlier than the one that is slept for.
            for place in (1...50).reversed() {
                let bell = Doorbell()
                let deadline = self.time(place)
                group.addTask {
                    await bell.wait(until: deadline, alarm: alarm)
                    woken.append(place)
                }
            }
            for place in 1...50 {
                while self.clock.timeToNextDeadline != .seconds(1) || alarm.count != 51 - place { await Task.yield() }
                #expect(self.clock.sleepers == 1)
                self.clock.advance(by: .seconds(1))
                while woken.all.count < place { await Task.yield() }
            }
        }
        #expect(woken.all == Array(1...50))
        while self.clock.sleepers > 0 { await Task.yield() }
    }

    @Test
    func whoIsRungForIsNotWokenAgainAndNobodySleepsForHim() async {
        let alarm = Alarm(clock: self.clock)
        let bell = Doorbell()
        let deadline = self.time(1)
        let waiting = Task { await bell.wait(until: deadline, alarm: alarm) }
        await self.clock.waitForSleepers()
        bell.ring()
        await waiting.value
        while self.clock.sleepers > 0 { await Task.yield() }
        #expect(alarm.count == 0)
        // A wake that comes late is none of the next wait's.
        let next = Task { await bell.wait(until: nil, clock: self.clock) }
        for _ in 0..<100 { await Task.yield() }
        bell.wake(1)
        #expect(!next.isCancelled)
        bell.ring()
        await next.value
    }

    /// The memory of a sleep that is cancelled is given back when its time would have come.
    @Test
    func aThousandRingsOfATopicThatIsIdleForMinutesBeginOneSleep() async {
        let clock = CountingClock()
        let alarm = Alarm(clock: clock)
        let bell = Doorbell()
        for _ in 0..<1_000 {
            let deadline = self.time(300)
            let waiting = Task { await bell.wait(until: deadline, alarm: alarm) }
            while alarm.count == 0 { await Task.yield() }
            bell.ring()
            await waiting.value
        }
        #expect(clock.sleeps <= 1)
    }

    @Test
    func whoIsCancelledIsForgotten() async {
        let alarm = Alarm(clock: self.clock)
        let bell = Doorbell()
        let deadline = self.time(1)
        let waiting = Task { await bell.wait(until: deadline, alarm: alarm) }
        await self.clock.waitForSleepers()
        waiting.cancel()
        await waiting.value
        #expect(alarm.count == 0)
    }
}

/// Stands still, and counts who goes to sleep.
private final class CountingClock: ProducerClock {
    private let clock = ManualClock()
    private let count = Lock(0)

    var sleeps: Int { self.count.withLock { $0 } }

    func wallTime() -> Int64 { self.clock.wallTime() }

    func now() -> MonotonicInstant { self.clock.now() }

    func sleep(until deadline: MonotonicInstant) async throws {
        self.count.withLock { $0 += 1 }
        try await self.clock.sleep(until: deadline)
    }
}

private final class Places: Sendable {
    private let places = Lock<[Int]>([])

    var all: [Int] { self.places.withLock { $0 } }

    func append(_ place: Int) { self.places.withLock { $0.append(place) } }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

@Suite(.timeLimit(.minutes(10))) struct RequestSlotsTests {
    @Test func whoWaitsIsServedInTheOrderOfComing() {
        var random = SeededGenerator(seed: 21)
        var queue = NumberedList<Int>()
        var model: [Int] = []
        for id in 0..<5000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                queue.insert(-id, number: id)
                model.append(id)
            case 2:
                #expect(queue.removeFirst() == (model.isEmpty ? nil : -model.removeFirst()))
            default:
                // Also one that has gone already, or never came.
                let gone = Int.random(in: 0...id, using: &random)
                let place = model.firstIndex(of: gone)
                #expect(queue.remove(gone) == place.map { _ in -gone })
                if let place { model.remove(at: place) }
            }
            #expect(queue.isEmpty == model.isEmpty)
        }
    }

    /// How many places are looked at when so many topics wait, and all but the last give up.
    private func steps(waiting count: Int, givingUp order: (Int) -> Int) -> Int {
        var queue = NumberedList<Int>()
        for id in 0..<count { queue.insert(id, number: id) }
        for index in 0..<(count - 1) { #expect(queue.remove(order(index)) == order(index)) }
        #expect(queue.removeFirst() == count - 1)
        return queue.steps
    }

    @Test func whoGivesUpIsNotSearchedForAmongThoseWhoWait() {
        for count in [1000, 10_000, 100_000] {
            #expect(self.steps(waiting: count) { $0 } <= 4 * count)
            #expect(self.steps(waiting: count) { count - 2 - $0 } <= 4 * count)
        }
    }

    @Test func aSlotThatIsGivenBackGoesToWhoWaitsLongest() async {
        let slots = RequestSlots(count: 1)
        #expect(await slots.acquire())
        let waiting = Task { await slots.acquire() }
        let cancelled = Task { await slots.acquire() }
        cancelled.cancel()
        #expect(await !cancelled.value)
        slots.release()
        #expect(await waiting.value)
        slots.release()
        #expect(await slots.acquire())
    }

    @Test func onceTheyAreClosedNoSlotIsGivenOutAndWhoWaitsIsCancelled() async {
        let slots = RequestSlots(count: 1)
        #expect(await slots.acquire())
        let waiting = Task { await slots.acquire() }
        slots.close()
        slots.release()
        let late = Task { await slots.acquire() }
        for task in [waiting, late] {
            task.cancel()
            #expect(await !task.value)
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// When connections are given up, decided without any.
@Suite struct ConnectionGenerationsTests {
    private static func at(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }

    @Test func whatIsAnsweredStaysWithItsConnections() {
        var generations = ConnectionGenerations()
        for step in 0..<1000 {
            let (generation, ended) = generations.begin(at: Self.at(Int64(step) * 5000))
            #expect(generation == 0 && ended.isEmpty)
            #expect(generations.end(generation, .answered, at: Self.at(Int64(step) * 5000 + 10)).isEmpty)
        }
    }

    @Test func afterADoubtfulExchangeTheNextOneConnectsAnew() {
        var generations = ConnectionGenerations()
        let first = generations.begin(at: Self.at(0)).generation
        #expect(generations.end(first, .doubtful, at: Self.at(15_000)) == [first])
        #expect(generations.begin(at: Self.at(15_001)).generation == first + 1)
    }

    @Test func aStormOfRefusalsConnectsOnceASecond() {
        var generations = ConnectionGenerations()
        var seen: Set<Int> = []
        for step in 0..<10_000 {
            let (generation, _) = generations.begin(at: Self.at(Int64(step)))
            seen.insert(generation)
            _ = generations.end(generation, .doubtful, at: Self.at(Int64(step)))
        }
        #expect(seen.count == 10)
    }

    @Test func aDoubtWithinTheFirstSecondIsNotForgotten() {
        var generations = ConnectionGenerations()
        let first = generations.begin(at: Self.at(0)).generation
        _ = generations.end(first, .doubtful, at: Self.at(1))
        #expect(generations.begin(at: Self.at(2)).generation == first)
        #expect(generations.end(first, .answered, at: Self.at(3)).isEmpty)
        let (next, ended) = generations.begin(at: Self.at(1000))
        #expect(next == first + 1)
        #expect(ended == [first])
    }

    @Test func exchangesUnderWayEndWhereTheyBegan() {
        var generations = ConnectionGenerations()
        let first = (0..<8).map { _ in generations.begin(at: Self.at(0)).generation }
        #expect(generations.end(first[0], .doubtful, at: Self.at(2000)).isEmpty)
        let next = generations.begin(at: Self.at(2001)).generation
        #expect(next == 1)
        // That the old ones fail, too, is nothing new.
        for _ in 0..<6 { #expect(generations.end(0, .doubtful, at: Self.at(4000)).isEmpty) }
        #expect(generations.begin(at: Self.at(4001)).generation == next)
        #expect(generations.end(0, .doubtful, at: Self.at(4002)) == [0])
    }

    @Test func oneWhoGivesUpSaysNothingAboutTheConnection() {
        var generations = ConnectionGenerations()
        let first = generations.begin(at: Self.at(0)).generation
        #expect(generations.end(first, .cancelled, at: Self.at(9000)).isEmpty)
        #expect(generations.begin(at: Self.at(9001)).generation == first)
    }

    @Test func noMoreGenerationsThanTheBoundAreAlive() {
        var generations = ConnectionGenerations()
        var alive: Set<Int> = []
        var stuck: [Int] = []
        var now: Int64 = 0
        for _ in 0..<100 {
            // One exchange of each generation hangs, and another fails.
            let hanging = generations.begin(at: Self.at(now))
            let failing = generations.begin(at: Self.at(now))
            stuck.append(hanging.generation)
            alive.formUnion([hanging.generation, failing.generation])
            now += 2000
            alive.subtract(hanging.ended + failing.ended)
            alive.subtract(generations.end(failing.generation, .doubtful, at: Self.at(now)))
            #expect(alive.count <= ConnectionGenerations.maximumAlive)
        }
        #expect(Set(stuck).count == ConnectionGenerations.maximumAlive)
        for generation in stuck { alive.subtract(generations.end(generation, .doubtful, at: Self.at(now))) }
        // When they have ended, the doubt has its effect.
        let (next, ended) = generations.begin(at: Self.at(now + 1000))
        alive.subtract(ended)
        #expect(alive.subtracting([next]).isEmpty)
        #expect(!stuck.contains(next))
    }

    @Test(arguments: [
        (200, true, true), (403, true, true), (429, true, true), (413, true, true), (500, true, false),
        (503, true, false), (421, true, false), (200, false, false), (403, false, false), (503, false, false),
    ])
    func onlyAnAnswerOfAServiceThatIsWellSpeaksForAConnection(status: Int, isOfTheService: Bool, isWell: Bool) {
        let id = isOfTheService ? "ID" : ""
        let response = TransportResponse(status: status, headers: [("x-log-requestid", id)])
        #expect(ConnectionGenerations.Outcome(response) == (isWell ? .answered : .doubtful))
        let none = ConnectionGenerations.Outcome(TransportResponse(status: status, headers: []))
        #expect(none == .doubtful)
    }
}

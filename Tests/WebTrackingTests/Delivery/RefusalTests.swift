// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// How the record is found that is refused, without anything that delivers.
@Suite(.timeLimit(.minutes(10))) struct RefusalTests {
    private struct Batch: DeliverableBatch {
        var openedAt = MonotonicInstant(nanoseconds: 0)
        var first: Int
        var count: Int
    }

    /// A topic, a destination that may refuse, and what came of it.
    private struct Run {
        var machine = DeliveryMachine<Batch>(policy: RetryPolicy(WebTrackingConfiguration.Delivery()))
        var now = MonotonicInstant(nanoseconds: 0)
        var waiting: [Batch]
        /// What passes at the time, by records, and how a refusal reads.
        var refuses: (Run, Range<Int>) -> Bool
        var refusal = Verdict.narrow(.rejected, byService: false)
        var deliveries = 0
        var requests = 0
        var delivered: [Int] = []
        var dropped: [Int: DropReason] = [:]
        var sizes: [Int] = []

        init(batches: [Int], refuses: @escaping (Run, Range<Int>) -> Bool) {
            var first = 0
            self.waiting = []
            for count in batches {
                self.waiting.append(Batch(first: first, count: count))
                first += count
            }
            self.refuses = refuses
        }

        /// Goes on until all is settled, or so many requests have been made, or this time has come.
        mutating func go(requests: Int = 100_000, until end: Duration = .seconds(80_000)) {
            let end = MonotonicInstant(nanoseconds: 0) + end
            let most = self.requests + requests
            while self.requests < most, self.now < end {
                switch self.machine.next(at: self.now, deliveries: self.deliveries) {
                case .take:
                    guard !self.waiting.isEmpty else { return }
                    self.machine.accept(self.waiting.removeFirst())
                case .wait(_, orTake: true) where !self.waiting.isEmpty:
                    self.machine.accept(self.waiting.removeFirst())
                case .wait(let until, _): self.now = until
                case .drop(let part, let reason): self.drop(part, reason)
                case .send(let batch, let range, _):
                    self.send(batch.first + range.lowerBound..<batch.first + range.upperBound)
                }
            }
        }

        private mutating func send(_ records: Range<Int>) {
            self.requests += 1
            self.sizes.append(records.count)
            let verdict = self.refuses(self, records) ? self.refusal : .delivered
            if verdict == .delivered { self.deliveries += 1 }
            let result = self.machine.finish(
                verdict,
                at: self.now,
                jitter: 1,
                isClosing: false,
                deliveries: self.deliveries
            )
            switch result {
            case .delivered(let part):
                for range in part.ranges { self.delivered += range.map { $0 + part.batch.first } }
            case .dropped(let part, let reason): self.drop(part, reason)
            case .kept, .narrowed: break
            }
        }

        private mutating func drop(_ part: BatchRange<Batch>, _ reason: DropReason) {
            for record in part.ranges.joined() { self.dropped[record + part.batch.first] = reason }
        }
    }

    @Test(arguments: [0, 1, 500, 510, 999])
    func oneRecordThatTheServiceRefusesIsFoundWithTwoRequestsForEachHalving(poison: Int) {
        var run = Run(batches: [1000]) { $1.contains(poison) }
        run.refusal = .narrow(.rejected, byService: true)
        run.go()
        #expect(run.dropped == [poison: .rejected])
        #expect(run.delivered == (0..<1000).filter { $0 != poison })
        #expect(run.requests <= 2 * 10 + 2, "\(run.requests)")
        #expect(run.now == MonotonicInstant(nanoseconds: 0))
    }

    @Test(arguments: [0, 1, 500, 510, 998])
    func oneRecordThatSomethingInBetweenRefusesIsDroppedOnceItsNeighbourHasPassed(poison: Int) {
        var run = Run(batches: [1000]) { $1.contains(poison) }
        run.go()
        #expect(run.dropped == [poison: .rejected])
        #expect(run.delivered == (0..<1000).filter { $0 != poison })
        #expect(run.requests <= 2 * 10 + 4, "\(run.requests)")
        #expect(run.now == MonotonicInstant(nanoseconds: 0))
    }

    @Test func aRecordThatIsLastStandsAsideUntilTheNextBatchHasPassed() {
        var run = Run(batches: [8, 8]) { $1.contains(7) }
        run.go()
        #expect(run.dropped == [7: .rejected])
        #expect(run.delivered == Array(0..<7) + Array(8..<16))
        #expect(run.now == MonotonicInstant(nanoseconds: 0))
    }

    @Test func aRecordThatIsAloneIsKeptUntilAnotherHasPassed() {
        var run = Run(batches: [1]) { $1.contains(0) }
        run.go(until: .seconds(3600))
        #expect(run.dropped.isEmpty)
        // One of another topic.
        run.deliveries += 1
        run.go()
        #expect(run.dropped == [0: .rejected])
    }

    @Test func aRecordThatIsTooLargeForSomethingInBetweenHoldsUpNoOther() {
        var run = Run(batches: [64]) { $1.contains(40) || $1.count > 8 }
        run.refusal = .narrow(.tooLarge, byService: false)
        run.go()
        #expect(run.dropped == [40: .tooLarge])
        #expect(run.delivered == (0..<64).filter { $0 != 40 })
    }

    @Test func whereNothingPassesNothingIsGivenUpAndOneRecordAtATimeAsks() {
        let opening = MonotonicInstant(nanoseconds: 0) + .seconds(3600)
        var run = Run(batches: [1000, 1000]) { run, _ in run.now < opening }
        run.go(until: .seconds(3600))
        #expect(run.dropped.isEmpty && run.delivered.isEmpty)
        // The search for one record, and then probes with the longest wait between them.
        #expect((100...160).contains(run.requests), "\(run.requests)")
        #expect(run.sizes.dropFirst(11).allSatisfy { $0 == 1 })
        let before = run.requests
        run.go()
        #expect(run.dropped.isEmpty)
        #expect(run.delivered.sorted() == Array(0..<2000))
        // A probe, and then all at once; the order suffers for one record at most.
        #expect(run.requests - before <= 4, "\(run.requests - before)")
        #expect(run.delivered.dropFirst() == run.delivered.dropFirst().sorted()[...])
    }

    @Test func severalRecordsInARowAreFoundAsWell() {
        let poison = 3..<7
        var run = Run(batches: [64]) { $1.overlaps(poison) }
        run.go()
        #expect(run.dropped.keys.sorted() == Array(poison))
        #expect(run.delivered.sorted() == (0..<64).filter { !poison.contains($0) })
        #expect(run.now < MonotonicInstant(nanoseconds: 0) + .seconds(600), "\(run.now)")
    }

    @Test func twoRecordsAtTheFrontAreFoundWithinSeconds() {
        var run = Run(batches: [64]) { $1.lowerBound < 2 }
        run.go()
        #expect(run.dropped.keys.sorted() == [0, 1])
        #expect(run.delivered.sorted() == Array(2..<64))
        #expect(run.now < MonotonicInstant(nanoseconds: 0) + .seconds(2), "\(run.now)")
    }

    @Test func whatTheServiceRefusesOneByOneIsNotAskedInOneBreath() {
        var run = Run(batches: [16]) { _, _ in true }
        run.refusal = .narrow(.rejected, byService: true)
        run.go()
        #expect(run.dropped.count == 16)
        #expect(run.now >= MonotonicInstant(nanoseconds: 0) + .seconds(5))
    }

    @Test func aRefusedRecordExpiresLikeAnyOther() {
        var run = Run(batches: [1]) { _, _ in true }
        run.go(until: .seconds(100_000))
        #expect(run.dropped == [0: .expired])
    }

    @Test func partsThatAreCutShortAreSentInOrderAndTheRestAtOnceAfterThem() {
        var machine = DeliveryMachine<Batch>(policy: RetryPolicy(WebTrackingConfiguration.Delivery()))
        let now = MonotonicInstant(nanoseconds: 0)
        machine.accept(Batch(first: 0, count: 10))
        var sent: [Range<Int>] = []
        for _ in 0..<3 {
            guard case .send(_, let range, _) = machine.next(at: now) else { break }
            let result = machine.finish(.delivered, count: 4, at: now, jitter: 0, isClosing: false)
            guard case .delivered(let part) = result else { break }
            #expect(range.upperBound == 10)
            #expect(part.isLast == (part.ranges == [8..<10]))
            sent += part.ranges
        }
        #expect(sent == [0..<4, 4..<8, 8..<10])
        #expect(machine.isIdle)
    }
}

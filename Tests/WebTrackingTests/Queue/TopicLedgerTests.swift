// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

@Suite struct TopicLedgerTests {
    /// A batch with a record of each rank; those behind `ownCount` are of the library's own making.
    private static func open(
        _ ranks: [Int],
        ownCount: Int = .max,
        openedAt: Int64 = 0,
        isInSpool: Bool = false
    ) -> OpenBatch {
        let memory = BatchMemory(capacity: 4096)
        if isInSpool { memory.reserveFile(4096) }
        var batch = OpenBatch(header: Array("{".utf8), openedAt: .init(nanoseconds: openedAt), memory: memory)
        for (index, rank) in ranks.enumerated() {
            Array("x}".utf8).withUnsafeBytes {
                let record = EncodedRecord(opening: Envelope.separator, sequence: nil, members: $0)
                batch.append(record, rank: rank, isSynthetic: index >= ownCount)
            }
        }
        return batch
    }

    private static func batch(_ ranks: [Int]) -> Batch { self.open(ranks).sealed() }

    private static func part(_ batch: Batch, _ ranges: [Range<Int>], isLast: Bool) -> BatchRange<Batch> {
        BatchRange(batch: batch, ranges: ranges, isLast: isLast)
    }

    private static func whole(_ batch: Batch) -> BatchRange<Batch> {
        self.part(batch, [batch.all], isLast: true)
    }

    private static func isBalanced(_ ledger: TopicLedger) -> Bool {
        let tally = ledger.tally
        var sum = tally.delivered
        sum += tally.dropped.sum
        sum += tally.pending
        return sum == tally.accepted
    }

    @Test func aBatchThatIsBeingReleasedIsNotSpilled() throws {
        var ledger = TopicLedger()
        let open = Self.open([2, 2])
        // It belongs into a file, and has none.
        open.memory.label = SpoolLabel(seed: 1, order: 1, openedAt: 0, destination: "", topic: "")
        ledger.add(open)
        let maybeBatch = ledger.take()
        let batch = try #require(maybeBatch)
        #expect(ledger.unspooled == 2)
        ledger.noteReleased(batch)
        #expect(ledger.unspooled == 0 && ledger.tally.pending.total == 2)
    }

    @Test func aBatchIsPendingUntilItIsSettled() throws {
        var ledger = TopicLedger()
        ledger.add(Self.open([2, 2, 4], ownCount: 2))
        #expect(ledger.tally.accepted.total == 3 && ledger.tally.pending.total == 3 && ledger.tally.synthetic == 1)
        #expect(ledger.enqueued == 3 && ledger.settled == 0 && !ledger.isEmpty)
        let maybeBatch = ledger.take()
        let batch = try #require(maybeBatch)
        let next = ledger.take()
        #expect(next == nil && ledger.sealed.isEmpty && !ledger.isEmpty)
        #expect(ledger.tally.pending.total == 3)
        let settled = ledger.settle(
            Self.whole(batch),
            as: .delivered(rawBytes: 100, wireBytes: 10),
            isInOrder: true
        )
        #expect(settled.own.total == 2 && settled.copy == nil)
        #expect(ledger.tally.delivered.total == 3 && ledger.tally.pending.total == 0 && ledger.tally.rawBytes == 100)
        #expect(ledger.settled == 3 && ledger.isEmpty && Self.isBalanced(ledger))
    }

    @Test func partsAreCountedWhenTheySettleAndAsSettledInTheirOrder() throws {
        var ledger = TopicLedger()
        ledger.add(Self.open([0, 1, 2, 3, 4], ownCount: 4))
        let maybeBatch = ledger.take()
        let batch = try #require(maybeBatch)
        _ = ledger.settle(
            Self.part(batch, [1..<3], isLast: false),
            as: .delivered(rawBytes: 1, wireBytes: 1),
            isInOrder: false
        )
        #expect(ledger.settled == 0 && ledger.tally.delivered.total == 2 && Self.isBalanced(ledger))
        #expect(ledger.inFlight.first?.left.all.total == 3)
        _ = ledger.settle(Self.part(batch, [0..<1], isLast: false), as: .dropped(.rejected), isInOrder: true)
        #expect(ledger.settled == 3 && ledger.tally.dropped[.rejected][0] == 1 && Self.isBalanced(ledger))
        let (own, _) = ledger.settle(Self.part(batch, [3..<5], isLast: true), as: .dropped(.expired), isInOrder: true)
        #expect(own[3] == 1 && own.total == 1)
        #expect(ledger.settled == 5 && ledger.isEmpty && Self.isBalanced(ledger))
    }

    @Test func anEvictedBatchCountsAsSettledWhenThoseBeforeItAre() throws {
        var ledger = TopicLedger()
        for rank in [5, 1, 5] { ledger.add(Self.open([rank], isInSpool: true)) }
        let maybePlace = ledger.evictable(atMost: 2)
        let place = try #require(maybePlace)
        #expect(place == 1)
        _ = ledger.evict(at: place)
        #expect(ledger.settled == 0 && ledger.tally.dropped[.spoolFull].total == 1 && Self.isBalanced(ledger))
        let maybeFirst = ledger.take()
        let first = try #require(maybeFirst)
        _ = ledger.evict(at: 0)
        #expect(ledger.settled == 0)
        _ = ledger.settle(Self.whole(first), as: .delivered(rawBytes: 1, wireBytes: 1), isInOrder: true)
        #expect(ledger.settled == 3 && ledger.isEmpty && Self.isBalanced(ledger))
        ledger.add(Self.open([1], isInSpool: true))
        _ = ledger.evict(at: 0)
        #expect(ledger.settled == 4 && ledger.enqueued == 4)
    }

    @Test func theOldestOfTheLeastSevereSpooledBatchesIsEvictedFirst() {
        var ledger = TopicLedger()
        func evictable(atMost rank: Int) -> Int? { ledger.evictable(atMost: rank) }
        #expect(evictable(atMost: 6) == nil)
        ledger.add(Self.open([0]))
        ledger.add(Self.open([2, 4], isInSpool: true))
        ledger.add(Self.open([3, 1], isInSpool: true))
        ledger.add(Self.open([3], isInSpool: true))
        #expect(evictable(atMost: 2) == nil)
        #expect(evictable(atMost: 3) == 2)
        #expect(evictable(atMost: 6) == 2)
    }

    @Test func aBatchThatIsPutBackIsTheNextOneAgain() throws {
        var ledger = TopicLedger()
        for _ in 0..<3 { ledger.add(Self.open([2, 2], isInSpool: true)) }
        _ = ledger.evict(at: 1)
        let maybeBatch = ledger.take()
        let batch = try #require(maybeBatch)
        ledger.putBack(batch)
        #expect(ledger.inFlight.isEmpty && ledger.sealed.count == 2 && ledger.tally.pending.total == 4)
        let maybeAgain = ledger.take()
        let again = try #require(maybeAgain)
        #expect(again.memory === batch.memory)
        _ = ledger.settle(Self.whole(again), as: .delivered(rawBytes: 1, wireBytes: 1), isInOrder: true)
        #expect(ledger.settled == 4 && Self.isBalanced(ledger))
    }

    @Test func aCopyOfABatchInFlightGoesWithItsLastRecord() throws {
        var ledger = TopicLedger()
        ledger.add(Self.open([2, 2]))
        let maybeBatch = ledger.take()
        let batch = try #require(maybeBatch)
        let copy = Self.batch([2, 2])
        let answers = [ledger.adopt(copy, for: batch), ledger.adopt(Self.batch([2, 2]), for: batch)]
        #expect(answers == [.inFlight, nil])
        let first = ledger.settle(Self.part(batch, [0..<1], isLast: false), as: .dropped(.tooLarge), isInOrder: true)
        #expect(first.copy == nil)
        let last = ledger.settle(Self.part(batch, [1..<2], isLast: true), as: .dropped(.tooLarge), isInOrder: true)
        #expect(last.copy?.memory === copy.memory)
        let place = ledger.adopt(copy, for: batch)
        #expect(place == nil && !ledger.holds(batch.memory))
    }

    @Test func aCopyOfABatchThatWaitsTakesItsPlace() throws {
        var ledger = TopicLedger()
        for _ in 0..<3 { ledger.add(Self.open([2], isInSpool: true)) }
        _ = ledger.evict(at: 1)
        let copy = Self.batch([2])
        let replaced = ledger.sealed[0]
        let place = ledger.adopt(copy, for: replaced)
        #expect(place == .waiting)
        #expect(!ledger.holds(replaced.memory) && ledger.holds(copy.memory))
        let maybeTaken = ledger.take()
        let taken = try #require(maybeTaken)
        _ = ledger.settle(Self.whole(taken), as: .dropped(.expired), isInOrder: true)
        #expect(ledger.settled == 2)
    }

    @Test func whatAnEarlierProcessLeftIsCountedAsRecovered() {
        var ledger = TopicLedger()
        ledger.recover(Self.batch([2, 3]))
        ledger.dropRecovered(Self.batch([4]), .expired)
        ledger.drop(.memoryFull, rank: 1, isSynthetic: false)
        #expect(ledger.tally.recovered == 3 && ledger.tally.accepted.total == 4 && ledger.tally.pending.total == 2)
        #expect(ledger.enqueued == 2 && Self.isBalanced(ledger))
    }

    @Test func aTopicWhoseRequestsAreSlowHasNoBacklogThatMakesBatchesLarger() {
        var ledger = TopicLedger()
        for _ in 0..<5 { ledger.add(Self.open([2])) }
        ledger.begin(3)
        #expect(ledger.backlog == 5 && ledger.recordsInFlight == 3)
        ledger.count(.failed, isRetry: true, isQuick: false, duration: .seconds(2))
        #expect(ledger.backlog == 0 && ledger.recordsInFlight == 0)
        ledger.count(.delivered, isRetry: false, isQuick: true, duration: .seconds(1))
        #expect(ledger.backlog == 5 && ledger.tally.retries == 1 && ledger.tally.longestRequest == .seconds(2))
    }

    @Test(arguments: 1...20) func acceptedIsDeliveredAndDroppedAndPendingAtEveryMoment(seed: UInt64) {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var ledger = TopicLedger()
        var inFlight: (batch: Batch, done: Int)?
        for _ in 0..<400 {
            switch random(5) {
            case 0: ledger.add(Self.open((0...random(4)).map { _ in random(7) }, isInSpool: random(2) == 0))
            case 1: ledger.drop(.spoolFull, rank: random(7), isSynthetic: random(2) == 0)
            case 2: _ = ledger.evictable(atMost: random(7)).map { ledger.evict(at: $0) }
            case 3 where inFlight == nil: inFlight = ledger.take().map { ($0, 0) }
            case 3, 4:
                guard let (batch, done) = inFlight else { break }
                let end = done + 1 + random(batch.count - done)
                let part = Self.part(batch, [done..<end], isLast: end == batch.count)
                let isDelivered = random(2) == 0
                let settlement: TopicLedger.Settlement =
                    isDelivered ? .delivered(rawBytes: 1, wireBytes: 1) : .dropped(.rejected)
                _ = ledger.settle(part, as: settlement, isInOrder: true)
                inFlight = part.isLast ? nil : (batch, end)
            default: break
            }
            #expect(Self.isBalanced(ledger))
            #expect(ledger.settled <= ledger.enqueued)
            #expect(ledger.isEmpty == (ledger.settled == ledger.enqueued))
        }
    }

    @Test func theOpenBatchMayGoInFlightAtOnce() throws {
        var ledger = TopicLedger()
        var intake = Intake()
        let nothing = ledger.seal(&intake, isTaken: true)
        #expect(nothing == nil && ledger.isEmpty)
        intake.open = Self.open([2, 4], ownCount: 1)
        let sealed = ledger.seal(&intake, isTaken: true)
        let batch = try #require(sealed)
        #expect(intake.open == nil && ledger.sealed.isEmpty && ledger.inFlight.count == 1)
        #expect(ledger.tally.pending.total == 2 && ledger.tally.synthetic == 1 && ledger.enqueued == 2)
        _ = ledger.settle(Self.whole(batch), as: .delivered(rawBytes: 1, wireBytes: 1), isInOrder: true)
        #expect(ledger.settled == 2 && ledger.isEmpty && Self.isBalanced(ledger))
    }

    #if DEBUG
    @Test func whatIsNotInFlightOrIsSettledAlreadyCannotBeSettled() async {
        await #expect(processExitsWith: .failure) {
            var ledger = TopicLedger()
            let batch = Self.batch([2])
            _ = ledger.settle(Self.whole(batch), as: .dropped(.expired), isInOrder: true)
        }
        await #expect(processExitsWith: .failure) {
            var ledger = TopicLedger()
            ledger.putBack(Self.batch([2]))
        }
        await #expect(processExitsWith: .failure) {
            var ledger = TopicLedger()
            ledger.add(Self.open([2, 2]))
            guard let batch = ledger.take() else { return }
            for _ in 0..<2 {
                _ = ledger.settle(Self.part(batch, [0..<1], isLast: false), as: .dropped(.expired), isInOrder: true)
            }
        }
    }
    #endif
}

extension TopicLedger {
    /// Takes a batch that is to wait.
    fileprivate mutating func add(_ open: OpenBatch) {
        var intake = Intake()
        intake.open = open
        _ = self.seal(&intake, isTaken: false)
    }
}

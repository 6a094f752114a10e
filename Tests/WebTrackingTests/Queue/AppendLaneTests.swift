// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Appends that pass a queue's lock, and callers that stop between their claim and their commit.
@Suite(.timeLimit(.minutes(5))) struct AppendLaneTests {
    private static let linger = Duration.seconds(1)

    private let clock = ManualClock(wallTime: Rig.start)
    private let queue: TopicQueue

    init() {
        self.queue = Self.queue(self.clock)
    }

    static func queue(
        _ clock: ManualClock,
        maximumRecords: Int = 4096,
        targetBytes: Int = 64 << 10,
        heap: HeapHome = HeapHome(limit: 64 << 20),
        home: (any BatchHome)? = nil
    ) -> TopicQueue {
        var batching = WebTrackingConfiguration.Batching()
        batching.maximumRecords = maximumRecords
        batching.targetBytes = targetBytes
        batching.linger = Self.linger
        return TopicQueue(
            key: TopicKey(topic: "t"),
            context: QueueContext(
                clock: clock,
                source: "s",
                staticTags: [],
                sealPolicy: SealPolicy(batching),
                heap: heap,
                home: home,
                sequenceName: "seq",
                batchIdentity: nil,
                executor: nil,
                startWorker: { _ in }
            )
        )
    }

    private func append(_ text: String, level: LogLevel = .info, to queue: TopicQueue? = nil) {
        let answer = Array("\"m\":\"\(text)\"}".utf8).withUnsafeBytes {
            (queue ?? self.queue).append($0, rank: level.rank, repairs: RepairCounts())
        }
        #expect(answer == .accepted)
    }

    private func claim(_ text: String) throws -> Claimed { try Self.claim(text, in: self.queue) }

    /// A caller that has claimed a place in the open batch, and has not copied its record yet.
    static func claim(_ text: String, in queue: TopicQueue) throws -> Claimed {
        let members = Array("\"m\":\"\(text)\"}".utf8)
        let number = members.withUnsafeBytes { queue.context.numbers.record($0).sequence }
        let count = members.withUnsafeBytes { queue.context.numbers.record($0, number: number).count }
        let claim = queue.state.lane.claim(count)
        return Claimed(
            claim: try #require(claim),
            members: members,
            number: number,
            queue: queue
        )
    }

    struct Claimed {
        let claim: AppendLane.Claim
        let members: [UInt8]
        let number: UInt64?
        let queue: TopicQueue

        func copy() {
            self.members.withUnsafeBytes {
                self.queue.context.numbers.record($0, number: self.number).write(to: self.claim.start, isFirst: false)
            }
        }

        func commit(level: LogLevel = .info) {
            self.copy()
            self.claim.commit(rank: level.rank)
        }
    }

    private var isLaneOpen: Bool { self.queue.state.lane.isOpen }

    private func text(_ batch: Batch) -> [String] {
        var texts: [String] = []
        batch.forEachRecord { texts.append(String(decoding: $0, as: UTF8.self)) }
        return texts
    }

    private func deliver(_ batch: Batch, from queue: TopicQueue? = nil) {
        let part = BatchRange(batch: batch, ranges: [batch.all], isLast: true)
        (queue ?? self.queue).settle(part, as: .delivered(rawBytes: 1, wireBytes: 1))
    }

    private func record(_ number: Int, _ text: String) -> String { "{\"seq\":\"\(number)\",\"m\":\"\(text)\"}" }

    /// accepted = delivered + dropped + pending, by level.
    private func checkConservation(of queue: TopicQueue? = nil) {
        let tally = (queue ?? self.queue).tally
        var sum = tally.delivered
        sum += tally.pending
        for reason in DropReason.allCases { sum += tally.dropped[reason] }
        #expect(tally.accepted == sum)
    }

    @Test func theFirstRecordOpensTheWayForTheNextOnes() throws {
        #expect(!self.isLaneOpen)
        self.append("a")
        #expect(self.isLaneOpen)
        for text in ["b", "c"] { self.append(text) }
        let batch = try #require(self.queue.take())
        #expect(self.text(batch) == [self.record(1, "a"), self.record(2, "b"), self.record(3, "c")])
        #expect(!self.isLaneOpen)
        self.checkConservation()
    }

    @Test func aBatchIsSentOnlyWhenEachRecordInItIsWhole() throws {
        self.append("a")
        let claimed = try self.claim("b")
        self.append("c")
        self.checkConservation()
        // Two records are there; the third one's call has not returned.
        #expect(self.queue.tally.accepted.total == 2)
        #expect(self.queue.take() == nil)
        #expect(self.queue.work(at: self.clock.now()) == .copying)
        // Others go on in a batch of their own.
        self.append("d")
        #expect(self.queue.tally.pending.total == 3)
        self.checkConservation()
        claimed.commit(level: .warning)
        #expect(self.queue.work(at: self.clock.now()) == .ready)
        let first = try #require(self.queue.take())
        #expect(self.text(first) == [self.record(1, "a"), self.record(2, "b"), self.record(3, "c")])
        #expect(first.levels.all[LogLevel.warning.rank] == 1)
        let second = try #require(self.queue.take())
        #expect(self.text(second) == [self.record(4, "d")])
        self.checkConservation()
    }

    @Test func batchesBehindOneThatIsNotWholeKeepTheirOrder() throws {
        self.append("a")
        let claimed = try self.claim("b")
        for text in ["c", "d"] {
            _ = self.queue.state.withLock { self.queue.sealOpen(in: &$0) }
            self.append(text)
        }
        #expect(self.queue.take() == nil)
        claimed.commit()
        let taken = [self.queue.take(), self.queue.take(), self.queue.take()].compactMap { $0 }.map { self.text($0) }
        #expect(taken == [[self.record(1, "a"), self.record(2, "b")], [self.record(3, "c")], [self.record(4, "d")]])
    }

    @Test func aBatchInWhichACallerIsCopyingIsNotMoved() throws {
        self.append("a")
        let claimed = try self.claim("b")
        let memory = try #require(self.queue.state.withLock { $0.intake.open?.memory })
        let long = String(repeating: "x", count: memory.capacity)
        self.append(long)
        #expect(self.queue.state.withLock { $0.intake.open?.memory } !== memory)
        claimed.commit()
        #expect(self.text(try #require(self.queue.take())) == [self.record(1, "a"), self.record(2, "b")])
        #expect(self.text(try #require(self.queue.take())) == [self.record(3, long)])
        self.checkConservation()
    }

    @Test func aCallerThatIsLateForTheShutdownIsCountedWhenItComes() throws {
        self.append("a")
        let claimed = try self.claim("b")
        self.append("c")
        self.queue.close()
        var outcome = Outcome()
        self.queue.abandon(addingTo: &outcome)
        #expect(outcome.dropped[.shutdownDeadline].total == 2)
        #expect(outcome.pending == 0)
        self.checkConservation()
        claimed.commit(level: .error)
        #expect(self.queue.tally.dropped[.shutdownDeadline][LogLevel.error.rank] == 1)
        #expect(self.queue.tally.accepted.total == 3)
        #expect(self.queue.context.budget.heldBytes == 0)
        self.checkConservation()
    }

    @Test func aFlushWaitsForRecordsThatWereClaimedBeforeIt() throws {
        self.append("a")
        let claimed = try self.claim("b")
        #expect(self.queue.flushTarget() == 2)
        claimed.commit()
        self.deliver(try #require(self.queue.take()))
        #expect(self.queue.flushTarget() == nil)
    }

    @Test func aTopicWithARecordUnderWayDoesNotRetire() throws {
        self.append("a")
        let claimed = try self.claim("b")
        #expect(self.queue.take() == nil)
        #expect(!self.queue.retire(forGood: true).mayGo)
        claimed.commit()
        self.deliver(try #require(self.queue.take()))
        #expect(self.queue.retire(forGood: true).mayGo)
    }

    @Test func noMoreIsClaimedThanARequestMayHold() throws {
        let queue = Self.queue(self.clock, maximumRecords: 3)
        for text in ["a", "b", "c", "d"] { self.append(text, to: queue) }
        #expect(self.text(try #require(queue.take())).count == 3)
        #expect(self.text(try #require(queue.take())).count == 1)
        let small = Self.queue(self.clock, targetBytes: 1024)
        for number in 1...100 { self.append(String(number), to: small) }
        var records = 0
        while let batch = small.take() {
            #expect(batch.rawBytes <= 1024)
            records += batch.count
        }
        #expect(records == 100)
        self.checkConservation(of: small)
    }

    @Test func memoryThatIsUsedAgainShowsNoMarksOfTheBatchBefore() throws {
        for round in 0..<3 {
            for number in 0..<200 { self.append("\(round) \(number)") }
            self.deliver(try #require(self.queue.take()))
        }
        self.append("a")
        let claimed = try self.claim("b")
        #expect(self.queue.tally.pending.total == 1)
        claimed.commit()
        #expect(self.queue.tally.pending.total == 2)
        self.checkConservation()
    }

    @Test func urgentRecordsAndRepairsTakeTheLock() throws {
        self.append("a")
        self.append("b", level: .critical)
        #expect(self.queue.work(at: self.clock.now()) == .ready)
        var repairs = RepairCounts()
        repairs[.longKey] += 1
        _ = Array("\"m\":\"c\"}".utf8).withUnsafeBytes { self.queue.append($0, rank: 2, repairs: repairs) }
        #expect(self.queue.tally.repaired[.longKey] == 1)
        #expect(self.text(try #require(self.queue.take())).count == 3)
    }

    @Test func aNumberDrawnForATopicThatRetiredMeanwhileIsUsed() throws {
        self.append("a")
        self.deliver(try #require(self.queue.take()))
        #expect(self.queue.retire(forGood: true).mayGo)
        let members = Array("\"m\":\"b\"}".utf8)
        func append(number: UInt64?) -> AppendAnswer {
            members.withUnsafeBytes { self.queue.append($0, rank: 2, repairs: RepairCounts(), number: number) }
        }
        // As if it had been drawn before.
        let number = members.withUnsafeBytes { self.queue.context.numbers.record($0).sequence }
        #expect(append(number: number) == .retired(number: 2))
        // Here none was drawn.
        #expect(append(number: nil) == .retired(number: nil))
        self.queue.revive()
        #expect(append(number: number) == .accepted)
        self.append("c")
        #expect(self.text(try #require(self.queue.take())) == [self.record(2, "b"), self.record(3, "c")])
    }

    /// Threads that append as fast as they can, beside one that takes what there is.
    @Test(arguments: [2, 8], [false, true])
    func recordsOfManyThreadsAreSentOnceAndWhole(threads: Int, isInFile: Bool) async throws {
        let perThread = 5000
        let directory = SpoolDirectory()
        let spool = isInFile ? SpoolLaneTests.store(directory, self.clock) : nil
        let heap = spool?.heap ?? HeapHome(limit: 64 << 20)
        let queue = Self.queue(self.clock, targetBytes: 16 << 10, heap: heap, home: spool)
        let left = Atomic<Int>(threads)
        for thread in 0..<threads {
            let hasThread = WriteThread().run {
                for number in 0..<perThread {
                    let text = "\(thread) \(number) " + String(repeating: "y", count: number % 60)
                    _ = Array("\"m\":\"\(text)\"}".utf8).withUnsafeBytes {
                        queue.append($0, rank: number % 4, repairs: RepairCounts())
                    }
                }
                left.subtract(1, ordering: .releasing)
            }
            #expect(hasThread)
        }
        var seen: Set<String> = []
        var lastOfThread = [Int](repeating: -1, count: threads)
        var isOver = false
        while true {
            // Read before the last look: what came before it is seen.
            isOver = left.load(ordering: .acquiring) == 0
            if let batch = queue.take() {
                #expect((batch.memory.file != nil) == isInFile)
                if !batch.memory.isResident {
                    try batch.memory.map()
                    queue.context.budget.charge(batch.memory.heldBytes)
                }
                for text in self.text(batch) {
                    #expect(text.hasSuffix("\"}"), "\(text)")
                    let parts = text.split(separator: "\"")
                    let message = parts[parts.count - 2]
                    let words = message.split(separator: " ", omittingEmptySubsequences: false)
                    let thread = try #require(words.first.flatMap { Int($0) })
                    let number = try #require(Int(words[1]))
                    // Calls that come one after the other keep their order.
                    #expect(number == lastOfThread[thread] + 1)
                    #expect(words[2].count == number % 60)
                    lastOfThread[thread] = number
                    #expect(seen.insert(String(parts[3])).inserted)
                }
                self.deliver(batch, from: queue)
                self.checkConservation(of: queue)
            } else if isOver {
                break
            } else {
                await Task.yield()
            }
        }
        #expect(lastOfThread == Array(repeating: perThread - 1, count: threads))
        #expect(seen.count == threads * perThread)
        #expect(queue.tally.delivered.total == threads * perThread)
        #expect(queue.tally.pending.total == 0)
        // Each number once, and none left out.
        #expect(Set(seen.compactMap { Int($0) }) == Set(1...threads * perThread))
        #expect(queue.context.budget.heldBytes == 0)
        #expect(directory.holding == [])
    }
}

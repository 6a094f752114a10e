// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What goes when the spool is full, and who is told.
@Suite(.timeLimit(.minutes(10))) struct SpoolBoundTests {
    private static let padding = String(repeating: "x", count: 1000)

    /// A rig with a spool of 1 MiB and an endpoint that does not answer.
    private func rig(
        _ directory: SpoolDirectory,
        transport: InMemoryTransport = InMemoryTransport(otherwise: .never),
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) throws -> Rig {
        try SpoolTests.rig(directory, transport: transport) { configuration in
            configuration.spool.maximumBytes = 1 << 20
            configuration.batching.targetBytes = 64 << 10
            configuration.batching.urgentLevel = nil
            configure(&configuration)
        }
    }

    @Test func noErrorIsDroppedWhileLesserRecordsOfTheSameBatchesOverloadTheSpool() async throws {
        let directory = SpoolDirectory()
        let rig = try self.rig(directory)
        // Ten times what there is room for, one error in a hundred, so that an error is in every batch.
        for number in 0..<10_000 {
            if number % 100 == 0 { rig.sink().error("\(number) \(Self.padding)") }
            rig.sink().info("\(number) \(Self.padding)")
        }
        let numbers = rig.producer.statistics
        #expect(numbers.droppedByLevel[.error, default: 0] == 0)
        #expect(numbers.dropped[.spoolFull, default: 0] > 8000)
        #expect(numbers.spoolBytes <= 1 << 20)
        rig.checkConservation()
        await rig.producer.shutdown(timeout: .zero)
        let next = try await SpoolTests.recover(rig.producer.statistics.pending, from: directory) {
            $0.spool.maximumBytes = 1 << 20
        }
        #expect(next.transport.logs.count { $0["level"] == "error" } == 100)
        await next.stop()
    }

    @Test(arguments: zip(LogLevel.ranked.dropLast(2), LogLevel.ranked.dropFirst()))
    func aFloodOfOneLevelLeavesRoomForTheNext(level: LogLevel, next: LogLevel) async throws {
        let directory = SpoolDirectory()
        let rig = try self.rig(directory) { $0.spool.maximumBytes = 4 << 20 }
        // A severe record now and then, so that its batch does not give way to any of the others.
        for number in 0..<6000 {
            if number % 60 == 0 { rig.sink().critical("\(Self.padding)") }
            rig.sink().log(level: level, "\(Self.padding)")
        }
        for _ in 0..<10 { rig.sink().log(level: next, "\(Self.padding)") }
        let numbers = rig.producer.statistics
        #expect(numbers.droppedByLevel[level, default: 0] > 1000)
        #expect(numbers.droppedByLevel[next, default: 0] == 0)
        #expect(numbers.droppedByLevel[.critical, default: 0] == 0)
        rig.checkConservation()
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func anAnnouncementOfDropsDropsNothing() async throws {
        let directory = SpoolDirectory()
        let rig = try self.rig(directory)
        for _ in 0..<2000 { rig.sink().critical("\(Self.padding)") }
        let before = rig.producer.statistics
        let route = rig.producer.pipeline.router.route(label: "label") { _ in nil }
        let drops = rig.producer.pipeline.announcement(of: DropCounts())
        let answer = drops.members.withUnsafeBytes {
            route.queue.append(
                $0,
                rank: drops.rank,
                repairs: RepairCounts(),
                number: nil,
                comparedFrom: nil,
                isSynthetic: true
            )
        }
        let after = rig.producer.statistics
        #expect(after.dropped[.spoolFull] == before.dropped[.spoolFull])
        #expect(answer == .accepted || after.accepted == before.accepted)
        rig.checkConservation()
        await rig.producer.shutdown(timeout: .zero)
    }

    /// A buffer whose batches nobody takes, in files, and one sealed batch of one record for each level.
    private func buffer(_ directory: SpoolDirectory, _ levels: [LogLevel]) -> TopicQueue {
        let clock = ManualClock(wallTime: Rig.start)
        let heap = HeapHome(limit: 64 << 20)
        let buffer = TopicQueue(
            key: TopicKey(topic: "t"),
            context: QueueContext(
                clock: clock,
                source: "s",
                staticTags: [],
                sealPolicy: SealPolicy(WebTrackingConfiguration.Batching()),
                heap: heap,
                home: SpoolStore(
                    directory: directory.path,
                    destination: "project/logstore",
                    maximumBytes: 1 << 20,
                    identity: 1,
                    heap: heap,
                    clock: clock,
                    diagnostics: { _ in }
                ),
                sequenceName: nil,
                batchIdentity: nil,
                executor: nil,
                startWorker: { _ in }
            )
        )
        for level in levels {
            let answer = Array("\"m\":\"\"}".utf8).withUnsafeBytes {
                buffer.append($0, rank: level.rank, repairs: RepairCounts())
            }
            #expect(answer == .accepted)
            _ = buffer.state.withLock { buffer.sealOpen(in: &$0) }
        }
        return buffer
    }

    @Test func aFlushDoesNotCountAnEvictedBatchForTheOnesBeforeIt() throws {
        let directory = SpoolDirectory()
        let buffer = self.buffer(directory, [.error, .info, .info, .error])
        #expect(buffer.evict(atMost: LogLevel.info.rank))
        #expect(buffer.evict(atMost: LogLevel.info.rank))
        #expect(!buffer.evict(atMost: LogLevel.info.rank))
        // They came second and third, and the first is still there.
        #expect(buffer.settledCount == 0)
        buffer.settle(whole: try #require(buffer.take()), as: .delivered(rawBytes: 1, wireBytes: 1))
        #expect(buffer.settledCount == 3 && buffer.nextSettledCount == 4)
        buffer.settle(whole: try #require(buffer.take()), as: .delivered(rawBytes: 1, wireBytes: 1))
        #expect(buffer.settledCount == 4)
        // Who looked before, and waits for the next one, would wait for ever.
        #expect(buffer.enqueuedCount == nil && buffer.nextSettledCount == nil)
        #expect(buffer.tally.dropped[.spoolFull].total == 2)
    }

    @Test func aBatchEvictedBehindTheOneInHandCountsWhenThatIsSettled() throws {
        let directory = SpoolDirectory()
        let buffer = self.buffer(directory, [.error, .info, .error])
        let hand = try #require(buffer.take())
        #expect(buffer.evict(atMost: LogLevel.info.rank))
        #expect(buffer.settledCount == 0)
        // Its file cannot be opened at present.
        buffer.requeue(hand)
        #expect(buffer.settledCount == 0)
        buffer.settle(whole: try #require(buffer.take()), as: .delivered(rawBytes: 1, wireBytes: 1))
        #expect(buffer.settledCount == 2)
        buffer.settle(whole: try #require(buffer.take()), as: .delivered(rawBytes: 1, wireBytes: 1))
        #expect(buffer.enqueuedCount == nil)
    }

    @Test func aFlushWhoseBatchesAreAllEvictedReturns() async throws {
        let directory = SpoolDirectory()
        let buffer = self.buffer(directory, [.info, .info])
        let target = try #require(buffer.flushTarget())
        async let waited: Void = buffer.flush(target)
        while buffer.state.withLock({ $0.waiters.isEmpty }) { await Task.yield() }
        while buffer.evict(atMost: LogLevel.info.rank) {}
        await waited
        #expect(buffer.settledCount == target)
    }

    @Test func anEvictionOnACallersThreadWakesTheWorkerThatWakesTheFlush() async throws {
        let directory = SpoolDirectory()
        let rig = try self.rig(directory, transport: InMemoryTransport(otherwise: .failure(status: 500)))
        for _ in 0..<700 { rig.sink().info("\(Self.padding)") }
        await rig.transport.waitForAttempts(1)
        let flush = Task { await rig.producer.flush(timeout: .seconds(600)) }
        // Everything that the flush waits for goes, but for what is in flight, which the next attempt delivers.
        for _ in 0..<2000 { rig.sink().error("\(Self.padding)") }
        rig.transport.reply(otherwise: .success)
        await rig.run(inStepsOf: .seconds(30)) { rig.producer.statistics.pending == 0 }
        _ = await flush.value
        await rig.stop()
    }

    @Test func batchesInFilesGrowWithTheBacklogAsThoseInMemoryDo() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.batching.urgentLevel = nil
        }
        for _ in 0..<20_000 { rig.sink().info("\(Self.padding)") }
        await rig.producer.shutdown(timeout: .zero)
        let sizes = directory.holding.map { directory.contents(of: $0).count }
        #expect(sizes.max() ?? 0 > 2 << 20)
        #expect(sizes.count < 40)
    }

    @Test func filesThatGrowWithTheBacklogLeaveMemoryForAllTopics() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.topic = .label
            $0.memoryLimit = 8 << 20
            $0.batching.targetBytes = 16 << 10
            $0.batching.urgentLevel = nil
        }
        let sinks = (0..<64).map { rig.sink("topic-\($0)") }
        for round in 0..<350 {
            for sink in sinks { sink.info("\(round) \(Self.padding)") }
            // A disk that keeps up.
            if round % 10 == 0 { await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max)) }
        }
        #expect(rig.producer.statistics.dropped == [:])
        rig.checkConservation()
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func manyLaggingTopicsDoNotFillMemoryWhileThereIsRoomOnTheDisk() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.topic = .label
            $0.memoryLimit = 8 << 20
            $0.batching.targetBytes = 128 << 10
            $0.batching.urgentLevel = nil
        }
        for round in 0..<300 {
            for topic in 0..<24 { rig.sink("topic-\(topic)").info("\(round) \(Self.padding)") }
            if round % 10 == 0 { await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max)) }
        }
        #expect(rig.producer.statistics.dropped == [:])
        rig.checkConservation()
        await rig.producer.shutdown(timeout: .zero)
    }
}

extension TopicQueue {
    /// Settles a batch that was taken, as the actor does that has no other.
    fileprivate func settle(whole batch: Batch, as settlement: TopicLedger.Settlement) {
        self.settle(BatchRange(batch: batch, ranges: [batch.all], isLast: true), as: settlement)
    }
}

extension TopicQueue {
    /// How many records have been settled.
    fileprivate var settledCount: Int { self.state.withLock { $0.ledger.settled } }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What happens when memory fills.
@Suite(.timeLimit(.minutes(10))) struct SheddingTests {
    private func flood(_ rig: Rig, level: LogLevel, records: Int = 20_000) {
        let padding = String(repeating: "x", count: 400)
        for _ in 0..<records { rig.sink().log(level: level, "\(padding)") }
    }

    @Test func theLimitHoldsOverEverythingAndNothingBlocks() async throws {
        let rig = try Rig(transport: InMemoryTransport(script: [.never])) { $0.memoryLimit = 2 << 20 }
        for level in LogLevel.ranked {
            self.flood(rig, level: level, records: 5000)
            // The compressed copy of the one request on its way comes on top.
            #expect(rig.producer.statistics.pendingBytes <= (2 << 20) + (256 << 10))
        }
        #expect((rig.producer.statistics.dropped[.memoryFull] ?? 0) > 10_000)
        rig.checkConservation()
        async let report = rig.producer.shutdown(timeout: .zero)
        #expect(await report.remaining > 0)
        rig.checkConservation()
    }

    @Test func whenTraceFloodsErrorsStillFindRoom() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .noAnswer)) { $0.memoryLimit = 2 << 20 }
        self.flood(rig, level: .trace)
        #expect((rig.producer.statistics.droppedByLevel[.trace] ?? 0) > 0)
        let before = rig.producer.statistics.pending
        for index in 0..<500 { rig.sink().error("error \(index)") }
        let numbers = rig.producer.statistics
        #expect(numbers.droppedByLevel[.error] == nil)
        #expect(numbers.pending == before + 500)
        rig.transport.reply(otherwise: .success)
        await rig.runUntilSettled()
        #expect(rig.transport.logs.count { $0["level"] == "error" } == 500)
        await rig.stop()
    }

    @Test func eachLevelHasAShareAndHigherOnesHaveMore() {
        let ceilings = (0..<7).map { SheddingPolicy().ceiling(rank: $0, limit: 1000) }
        #expect(ceilings == [600, 700, 800, 850, 900, 1000, 1000])
    }

    @Test func whenRoomReturnsOneRecordOfTheTopicTellsHowManyWereDropped() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .noAnswer)) { $0.memoryLimit = 2 << 20 }
        self.flood(rig, level: .debug, records: 6000)
        self.flood(rig, level: .info, records: 3000)
        let dropped = rig.producer.statistics
        #expect(dropped.totalDropped > 0)
        rig.transport.reply(otherwise: .success)
        await rig.run { rig.producer.statistics.synthetic >= 1 }
        await rig.runUntilSettled()
        let reported = rig.transport.logs.filter { $0["label"] == "webtracking" }
        // One, unless the flood took so long that a record in its midst told of the drops until then.
        #expect(!reported.isEmpty && reported.count < 10)
        func sum(_ name: String) -> Int { reported.reduce(0) { $0 + ($1[name].flatMap { Int($0) } ?? 0) } }
        #expect(reported.allSatisfy { $0["level"] == "warning" })
        #expect(sum("dropped.total") == dropped.totalDropped)
        #expect(sum("dropped.memory_full.debug") == dropped.droppedByLevel[.debug])
        #expect(sum("dropped.memory_full.info") == dropped.droppedByLevel[.info])
        await rig.stop()
        #expect(rig.producer.statistics.synthetic == reported.count)
    }

    @Test func theShutdownTellsOfDropsThatWereNotToldYet() async throws {
        let rig = try Rig(transport: InMemoryTransport(script: [.failure(status: 400, code: "InvalidAPIVersion")])) {
            $0.batching.maximumRecords = 5
        }
        for index in 0..<6 { rig.sink().info("\(index)") }
        await rig.run { rig.producer.statistics.dropped[.rejected] == 5 }
        await rig.stop()
        #expect(rig.transport.logs.contains { $0["dropped.rejected.info"] == "5" })
    }

    @Test func aFullMemoryAndADeadEndpointMakeNoStormOfAnnouncements() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .noAnswer)) { configuration in
            configuration.memoryLimit = 1 << 20
            configuration.tags = ["large": String(repeating: "x", count: 1024)]
        }
        let padding = String(repeating: "x", count: 400)
        for _ in 0..<5000 { rig.sink().error("\(padding)") }
        let accepted = rig.producer.statistics.accepted
        async let report = rig.producer.shutdown(timeout: .seconds(5))
        await rig.run { rig.transport.isShutDown }
        #expect(await report.remaining > 0)
        let numbers = rig.producer.statistics
        #expect(numbers.synthetic <= 1)
        #expect(numbers.accepted == accepted + numbers.synthetic)
        #expect(rig.diagnostics.elements.count < 50)
        rig.checkConservation()
    }

    @Test func dropsDuringTheShutdownAreAnnouncedAndDelivered() async throws {
        let rig = try Rig(transport: InMemoryTransport(script: [.failure(status: 400, code: "InvalidAPIVersion")]))
        for index in 0..<5 { rig.sink().info("\(index)") }
        let report = await rig.stop()
        #expect(report.remaining == 0)
        #expect(report.dropped == [.rejected: 5])
        #expect(rig.transport.logs.map { $0["dropped.rejected.info"] } == ["5"])
    }

    @Test func theDropOfAnAnnouncementIsNotAnnounced() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .failure(status: 400, code: "InvalidAPIVersion")))
        rig.sink().error("m")
        await rig.run { rig.producer.statistics.dropped[.rejected] == 2 }
        await rig.stop()
        #expect(rig.producer.statistics.synthetic == 1)
        #expect(rig.transport.attempts.count == 2)
    }

    @Test func lesserRecordsDoNotFillUpTheMemoryThatAnErrorFound() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .never)) { configuration in
            configuration.memoryLimit = 1 << 20
            configuration.batching.targetBytes = 64 << 10
            configuration.batching.urgentLevel = nil
        }
        let padding = String(repeating: "x", count: 1000)
        for number in 0..<2000 { rig.sink().info("\(number) \(padding)") }
        for number in 0..<80 {
            rig.sink().error("\(number) \(padding)")
            for _ in 0..<20 { rig.sink().info("\(padding)") }
        }
        let numbers = rig.producer.statistics
        #expect(numbers.droppedByLevel[.info, default: 0] > 2000)
        #expect(numbers.droppedByLevel[.error, default: 0] == 0)
        await rig.producer.shutdown(timeout: .zero)
        rig.checkConservation()
    }

    @Test func memoryIsGivenBack() async throws {
        let rig = try Rig { $0.topic = .metadata(key: "t", fallback: "") }
        for round in 0..<5 {
            for index in 0..<3000 { rig.sink().info("m", metadata: ["t": "\(index % 30)"]) }
            await rig.runUntilSettled()
            #expect(rig.producer.statistics.pendingBytes == 0, "round \(round)")
        }
        await rig.stop()
    }

    @Test func memoryIsGivenBackAfterSplitsDropsAndAShutdownThatLeavesRecords() async throws {
        let rig = try Rig(
            transport: InMemoryTransport(script: [
                .failure(status: 413), .success, .failure(status: 400, code: "PostBodyTooLarge"),
                .failure(status: 400, code: "InvalidAPIVersion"),
            ])
        )
        for index in 0..<100 { rig.sink().info("\(index)") }
        await rig.runUntilSettled()
        #expect(rig.producer.statistics.pendingBytes == 0)
        rig.transport.reply(otherwise: .never)
        let attempts = rig.transport.attempts.count
        for index in 0..<100 { rig.sink().error("\(index)") }
        await rig.transport.waitForAttempts(attempts + 1)
        await rig.producer.shutdown(timeout: .zero)
        while rig.producer.statistics.pendingBytes > 0 { await Task.yield() }
        rig.checkConservation()
    }
}

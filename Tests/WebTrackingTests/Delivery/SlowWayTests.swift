// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// A way to the service that takes its time, with something on it that has less patience than the producer.
@Suite(.timeLimit(.minutes(10))) struct SlowWayTests {
    /// Takes as long for a request as is said, by a clock in the test's hands.
    private final class Way: WebTrackingTransport {
        struct Case: Sendable {
            /// How long an exchange takes.
            var takes: @Sendable (_ bytes: Int, _ number: Int) -> Duration
            /// When it is cut short.
            var patience = Duration.seconds(1000)
            /// What is said then; a broken connection if nothing is.
            var answer: TransportResponse?
        }

        let inner = InMemoryTransport()
        let clock = ManualClock(wallTime: Rig.start)
        private let recorded = Recorder<Int>()
        private let turn: Case

        init(_ turn: Case) { self.turn = turn }

        /// The bytes of each request.
        var sizes: [Int] { self.recorded.elements }

        func send(_ request: TransportRequest) async throws -> TransportResponse {
            self.recorded.add(request.body.count)
            let needed = self.turn.takes(request.body.count, self.recorded.elements.count)
            try await self.clock.sleep(until: self.clock.now() + min(needed, self.turn.patience))
            if needed <= self.turn.patience { return try await self.inner.send(request) }
            guard let answer = self.turn.answer else { throw TransportError.connectionFailed("reset") }
            return answer
        }
    }

    private struct World {
        let way: Way
        let producer: WebTrackingProducer

        init(_ turn: Way.Case, configure: (inout WebTrackingConfiguration) -> Void = { _ in }) throws {
            var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
            configuration.batching.urgentLevel = nil
            configuration.compression = .none
            configure(&configuration)
            self.way = Way(turn)
            self.producer = try WebTrackingProducer(
                configuration: configuration,
                transport: self.way,
                diagnostics: .none,
                clock: self.way.clock
            )
        }

        func log(_ count: Int, padding: Int = 0, label: String = "shop") {
            let sink = self.producer.makeLogHandler(label: label)
            let text = String(repeating: "x", count: padding)
            for number in 0..<count { sink.info("\(text)", metadata: ["n": .string(String(number))]) }
        }

        /// Lets time go on until `condition` holds, but not until a topic is idle for so long that what it has learnt goes.
        ///
        /// With `isSteady`, what a timer has woken goes on first: otherwise the next timer may be the one that bounds its
        /// request.
        func run(isSteady: Bool = false, until condition: () -> Bool) async {
            while !condition(), !Task.isCancelled {
                for _ in 0..<(isSteady ? 64 : 1) { await Task.yield() }
                guard let rest = self.way.clock.timeToNextDeadline, rest < .seconds(40), !condition() else { continue }
                self.way.clock.advance(by: rest)
            }
        }

        var isSettled: Bool { self.producer.statistics.pending == 0 }
    }

    private static let linkOf10KB: @Sendable (Int, Int) -> Duration = { bytes, _ in .milliseconds(bytes / 10) }

    // The request timeout is 15 s: nothing here lasts half as long.
    @Test(arguments: [(seconds: 2, status: nil), (3, 502), (5, 504)] as [(seconds: Int, status: Int?)])
    func whereSomethingOnTheWayLosesPatienceEarlyLessIsSentAtATime(seconds: Int, status: Int?) async throws {
        let answer = status.map { PickyTransport.page($0) }
        let world = try World(.init(takes: Self.linkOf10KB, patience: .seconds(seconds), answer: answer))
        world.log(1000)
        await world.run { world.isSettled || world.way.sizes.count > 200 }
        #expect(world.isSettled && world.producer.statistics.delivered == 1000)
        #expect(world.way.inner.logs.compactMap { $0["n"].flatMap { Int($0) } } == Array(0..<1000))
        #expect(world.way.sizes.count < 60, "\(world.way.sizes)")
        await world.producer.shutdown(timeout: .zero)
    }

    @Test func whatIsTooMuchForASlowWayEvenWithTwoRecordsIsSentOneByOne() async throws {
        let world = try World(.init(takes: { bytes, _ in .milliseconds(bytes) }, patience: .seconds(3)))
        // A request with two of them takes longer.
        world.log(12, padding: 2000)
        await world.run { world.isSettled || world.way.sizes.count > 200 }
        #expect(world.isSettled && world.producer.statistics.delivered == 12)
        await world.producer.shutdown(timeout: .zero)
    }

    @Test func aServiceThatIsOverloadedIsNotAskedForOneRecordAtATime() async throws {
        let busy = PickyTransport.service(503, "ServerBusy")
        let world = try World(.init(takes: { _, _ in .seconds(100) }, patience: .seconds(2), answer: busy))
        world.log(400)
        await world.run { world.way.sizes.count >= 12 }
        #expect(world.way.sizes.suffix(4).allSatisfy { $0 > 32 << 10 }, "\(world.way.sizes)")
        await world.producer.shutdown(timeout: .zero)
    }

    /// How many records the batches have that gather behind a request that does not end for a long time.
    private func batches(firstTakes first: Duration) async throws -> [Int] {
        let world = try World(.init(takes: { _, number in number == 2 ? .seconds(12) : number == 1 ? first : .zero }))
        world.log(1)
        await world.run(isSteady: true) { world.isSettled }
        world.log(1)
        await world.run(isSteady: true) { world.way.sizes.count >= 2 }
        // Twelve batches of 256 KiB, while the second request is on its way.
        world.log(12 * 256, padding: 1000)
        #expect(world.way.sizes.count == 2)
        await world.run(isSteady: true) { world.isSettled }
        var records: [String: Int] = [:]
        for request in world.way.inner.stored.dropFirst(2) {
            let id = request.tags["__pack_id__"]?.prefix { $0 != "." } ?? ""
            records[String(id), default: 0] += request.logs.count
        }
        await world.producer.shutdown(timeout: .zero)
        return records.values.sorted()
    }

    @Test func aBacklogMakesLargerBatchesWhileExchangesAreQuick() async throws {
        let batches = try await self.batches(firstTakes: .milliseconds(10))
        #expect(batches.contains { $0 > 512 }, "\(batches)")
    }

    @Test func bodiesOnTheirWayExceedTheMemoryLimitByTwoOfEachRequestAtMost() async throws {
        let limit = 32 << 20
        let isOpen = Atomic(true)
        let world = try World(.init(takes: { _, _ in isOpen.load(ordering: .relaxed) ? .zero : .seconds(100_000) })) {
            $0.topic = .label
            $0.memoryLimit = limit
            $0.batching.targetBytes = 3 << 20
            $0.delivery.maximumConcurrentRequests = 6
        }
        // What goes well makes requests larger, up to whole batches.
        for _ in 0..<2 {
            for topic in 0..<6 { world.log(2000, padding: 1000, label: "\(topic)") }
            await world.run { world.isSettled }
        }
        isOpen.store(false, ordering: .relaxed)
        let before = world.way.sizes.count
        for topic in 0..<6 { world.log(2000, padding: 1000, label: "\(topic)") }
        await world.run { world.way.sizes.count >= before + 6 }
        for topic in 0..<6 { world.log(2000, padding: 1000, label: "\(topic)") }
        let held = world.producer.statistics.pendingBytes
        #expect(world.producer.statistics.dropped[.memoryFull, default: 0] > 0)
        #expect(held > limit && held <= limit + 6 * 2 * (3 << 20), "\(held)")
        await world.producer.shutdown(timeout: .zero)
    }

    // An eighth of the timeout is no longer quick.
    @Test func aBacklogMakesNoLargerBatchesWhileExchangesAreSlow() async throws {
        let batches = try await self.batches(firstTakes: .seconds(2))
        #expect(batches.count >= 12 && batches.allSatisfy { $0 <= 256 }, "\(batches)")
    }
}

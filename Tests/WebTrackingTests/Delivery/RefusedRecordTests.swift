// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Delivers what it is not told to refuse.
final class PickyTransport: WebTrackingTransport {
    let inner = InMemoryTransport()
    private let judge: @Sendable (RecordedRequest, TransportRequest) -> TransportResponse?
    private let counts = Lock([Int: Int]())

    init(_ judge: @escaping @Sendable (RecordedRequest, TransportRequest) -> TransportResponse?) {
        self.judge = judge
    }

    /// How often a status was answered.
    func count(_ status: Int) -> Int { self.counts.withLock { $0[status] ?? 0 } }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        let answer = try self.judge(RecordedRequest(request), request)
        self.counts.withLock { $0[answer?.status ?? 200, default: 0] += 1 }
        if let answer { return answer }
        return try await self.inner.send(request)
    }

    static func service(_ status: Int, _ code: String) -> TransportResponse {
        TransportResponse(
            status: status,
            headers: [("x-log-requestid", "ID")],
            body: Array("{\"errorCode\":\"\(code)\",\"errorMessage\":\"m\"}".utf8)
        )
    }

    static func page(_ status: Int) -> TransportResponse {
        TransportResponse(status: status, headers: [("Server", "nginx")], body: Array("<html>no</html>".utf8))
    }
}

/// What becomes of records when one of them is refused, or all are too large together.
@Suite(.timeLimit(.minutes(10))) struct RefusedRecordTests {
    private struct World {
        let producer: WebTrackingProducer
        let transport: PickyTransport
        let clock = ManualClock(wallTime: Rig.start)
        let reported = Recorder<ProducerDiagnostic>()

        init(
            _ transport: PickyTransport,
            configure: (inout WebTrackingConfiguration) -> Void = { _ in }
        ) throws {
            var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
            configuration.batching.urgentLevel = nil
            configure(&configuration)
            self.transport = transport
            self.producer = try WebTrackingProducer(
                configuration: configuration,
                transport: transport,
                diagnostics: DiagnosticHandler { [reported = self.reported] in reported.add($0) },
                clock: self.clock
            )
        }

        func log(_ count: Int, _ text: (Int) -> String = { "\($0)" }) {
            let sink = self.producer.makeLogHandler(label: "shop")
            for number in 0..<count { sink.info("\(text(number))", metadata: ["n": .string(String(number))]) }
        }

        /// Lets time go on until `condition` holds.
        func run(until condition: () -> Bool) async {
            while !condition(), !Task.isCancelled {
                await Task.yield()
                if let rest = self.clock.timeToNextDeadline, !condition() { self.clock.advance(by: rest) }
            }
        }

        func settle() async { await self.run { self.producer.statistics.pending == 0 } }

        var arrived: [Int] { self.transport.inner.logs.compactMap { $0["n"].flatMap { Int($0) } } }

        var refused: [RefusedRecord] {
            self.reported.elements.compactMap { diagnostic in
                if case .recordRefused(_, .rejected, let record, _) = diagnostic { record } else { nil }
            }
        }

        func stop() async {
            await self.producer.shutdown(timeout: .seconds(60))
            let numbers = self.producer.statistics
            #expect(numbers.accepted == numbers.delivered + numbers.totalDropped + numbers.pending)
            #expect(numbers.pendingBytes == 0)
        }
    }

    @Test func aRecordWithElevenHundredFieldsTakesNoneOfItsNeighboursWithIt() async throws {
        let transport = PickyTransport { request, _ in
            request.logs.contains { $0.count > 1000 } ? PickyTransport.service(400, "PostBodyInvalid") : nil
        }
        let world = try World(transport)
        world.log(10)
        var metadata: LogMetadata = [:]
        for field in 0..<1100 { metadata["field\(field)"] = "secret" }
        world.producer.makeLogHandler(label: "shop.cart").warning("too much", metadata: metadata)
        world.log(10)
        await world.settle()
        #expect(world.arrived == Array(0..<10) + Array(0..<10))
        #expect(world.producer.statistics.dropped == [.rejected: 1])
        #expect(world.refused == [RefusedRecord(label: "shop.cart", level: .warning, sequence: 11)])
        #expect(transport.count(400) <= 5)
        #expect(!world.reported.elements.contains { "\($0)".contains("secret") || "\($0)".contains("too much") })
        await world.stop()
    }

    @Test func aRecordThatAFirewallDislikesIsDroppedByItselfAndTheOthersArriveInOrder() async throws {
        let transport = PickyTransport { request, _ in
            request.logs.contains { $0["message"]?.contains("attack") ?? false } ? PickyTransport.page(403) : nil
        }
        let world = try World(transport)
        world.log(2001) { $0 == 90 ? "an attack" : "\($0)" }
        await world.settle()
        #expect(world.arrived == (0..<2001).filter { $0 != 90 })
        #expect(world.producer.statistics.dropped == [.rejected: 1])
        #expect(world.refused == [RefusedRecord(label: "shop", level: .info, sequence: 91)])
        // 2 log2 n + 4, for n = 2001.
        #expect(transport.count(403) + transport.count(200) <= 26 + 4)
        await world.stop()
    }

    @Test func behindACaptivePortalNothingIsDroppedAndAllArrivesOnceItOpens() async throws {
        let isOpen = Atomic(false)
        let transport = PickyTransport { _, _ in
            isOpen.load(ordering: .relaxed) ? nil : PickyTransport.page(403)
        }
        let world = try World(transport)
        world.log(500)
        await world.run { world.clock.now() > MonotonicInstant(nanoseconds: 0) + .seconds(7200) }
        #expect(world.producer.statistics.pending == 500)
        #expect(transport.count(403) < 700)
        isOpen.store(true, ordering: .relaxed)
        await world.settle()
        #expect(world.arrived.sorted() == Array(0..<500))
        #expect(world.producer.statistics.dropped == [:])
        #expect(transport.count(200) <= 4)
        await world.stop()
    }

    @Test func aProxyWithASmallLimitCostsAHandfulOfRefusalsForThousandsOfRecords() async throws {
        let transport = PickyTransport { _, request in
            request.body.count > 2048 ? PickyTransport.page(413) : nil
        }
        let world = try World(transport)
        var random = SystemRandomNumberGenerator()
        world.log(3000) { _ in String(random.next(), radix: 36) + String(random.next(), radix: 36) }
        await world.settle()
        #expect(world.arrived == Array(0..<3000))
        #expect(transport.count(413) <= 8, "\(transport.count(413))")
        await world.stop()
    }

    @Test func a413ForEverythingIsForgottenAFewRequestsAfterItsEnd() async throws {
        let isClosed = Atomic(true)
        let sizes = Recorder<Int>()
        let transport = PickyTransport { _, request in
            guard !isClosed.load(ordering: .relaxed) else { return PickyTransport.page(413) }
            sizes.add(request.body.count)
            return nil
        }
        let world = try World(transport) { $0.compression = .none }
        world.log(2000)
        await world.run { transport.count(413) > 40 }
        isClosed.store(false, ordering: .relaxed)
        await world.settle()
        #expect(world.arrived.sorted() == Array(0..<2000))
        #expect(sizes.elements.count < 40, "\(sizes.elements.count) requests")
        await world.stop()
    }

    @Test func whatIsTooLargeByItselfMakesNoOthersSmall() async throws {
        let sizes = Recorder<Int>()
        let transport = PickyTransport { request, sent in
            if request.logs.count == 1, request.logs[0]["message"] == "large" { return PickyTransport.page(413) }
            sizes.add(sent.body.count)
            return nil
        }
        let world = try World(transport) { $0.compression = .none }
        for _ in 0..<3 {
            let before = transport.count(413)
            world.log(1) { _ in "large" }
            await world.run { transport.count(413) > before }
            world.log(400)
            await world.settle()
        }
        #expect(world.producer.statistics.dropped == [.tooLarge: 3])
        #expect(sizes.elements.count <= 12, "\(sizes.elements)")
        await world.stop()
    }

    @Test func theServicesOwnLimitIsRememberedForAllTopics() async throws {
        let transport = PickyTransport { request, _ in
            request.rawBody.count > 4096 ? PickyTransport.service(400, "PostBodyTooLarge") : nil
        }
        let world = try World(transport) { configuration in
            configuration.topic = .metadata(key: "t", fallback: "")
            configuration.delivery.maximumConcurrentRequests = 1
        }
        let sink = world.producer.makeLogHandler(label: "shop")
        for number in 0..<3000 { sink.info("\(number)", metadata: ["t": "\(number % 10)", "n": "\(number)"]) }
        await world.settle()
        #expect(world.arrived.sorted() == Array(0..<3000))
        #expect(transport.count(400) <= 12, "\(transport.count(400))")
        await world.stop()
    }

    @Test func aSpooledRecordThatIsRefusedHoldsUpNoStart() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(300, in: directory)
        let transport = PickyTransport { request, _ in
            request.logs.contains { $0["message"] == "77" } ? PickyTransport.page(403) : nil
        }
        let world = try World(transport) { configuration in
            configuration.durability = .process
            configuration.spool.directory = directory.path
        }
        await world.run { world.producer.statistics.recovered == 300 && world.producer.statistics.pending == 0 }
        let arrived = transport.inner.logs.compactMap { $0["message"].flatMap { Int($0) } }
        #expect(arrived == (0..<300).filter { $0 != 77 })
        #expect(world.producer.statistics.dropped == [.rejected: 1])
        #expect(world.refused.first?.sequence == 78)
        await world.stop()
    }

    @Test func afterATimeoutATopicSendsLessAndThenMoreAgain() async throws {
        let isSlow = Atomic(true)
        let sizes = Recorder<Int>()
        let transport = PickyTransport { _, request in
            sizes.add(request.body.count)
            // What a server says that has lost patience with a slow body.
            return isSlow.load(ordering: .relaxed) && request.body.count > 6000 ? PickyTransport.page(408) : nil
        }
        let world = try World(transport) { $0.compression = .none }
        world.log(400)
        await world.settle()
        #expect(world.arrived == Array(0..<400))
        #expect(transport.count(408) <= 12)
        let first = try #require(sizes.elements.first)
        #expect(first > 60_000 && sizes.elements.dropFirst().allSatisfy { $0 <= 16 << 10 })
        #expect(world.producer.statistics.delivered == 400)
        let most = try #require(sizes.elements.dropFirst().max())
        isSlow.store(false, ordering: .relaxed)
        for _ in 0..<4 {
            world.log(400)
            await world.settle()
        }
        #expect(try #require(sizes.elements.suffix(10).max()) > most)
        await world.stop()
    }

    @Test func whatAShutdownLeavesSaysHowMuchOfItWasUnderWay() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .never))
        for number in 0..<10 { rig.sink().info("\(number)") }
        rig.sink().error("now")
        await rig.transport.waitForAttempts(1)
        for number in 0..<5 { rig.sink().info("\(number)") }
        let report = await rig.producer.shutdown(timeout: .zero)
        #expect(report.remaining == 16)
        #expect(report.inFlight == 11)
        #expect(report.description.contains("left 16 (11 in flight, which may have been stored)"))
    }

    #if os(Linux)
    /// The memory that a storm of 413 takes is what the books say: watched from outside, in a process of its own.
    @Test func partsTakeNoMemoryBesideTheirBatches() async {
        await #expect(processExitsWith: .success) {
            func resident() -> Int {
                guard let file = fopen("/proc/self/statm", "r") else { return 0 }
                defer { fclose(file) }
                var line = [CChar](repeating: 0, count: 256)
                guard fgets(&line, 256, file) != nil else { return 0 }
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
                return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
            }
            final class Storm: WebTrackingTransport {
                let small = Recorder<Int>()
                func send(_ request: TransportRequest) async throws -> TransportResponse {
                    let raw = request.header("x-log-bodyrawsize").flatMap { Int($0) } ?? 0
                    if raw > 200_000 { return PickyTransport.service(413, "PostBodyTooLarge") }
                    self.small.add(raw)
                    try await Task.sleep(for: .seconds(3600))
                    throw TransportError.timedOut
                }
            }
            let transport = Storm()
            var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
            configuration.topic = .metadata(key: "t", fallback: "")
            configuration.batching.targetBytes = 3 << 20
            configuration.batching.urgentLevel = nil
            configuration.batching.linger = .seconds(3600)
            configuration.delivery.maximumConcurrentRequests = 16
            configuration.delivery.requestTimeout = .seconds(600)
            configuration.memoryLimit = 128 << 20
            let producer = try WebTrackingProducer(
                configuration: configuration,
                transport: transport,
                diagnostics: .none
            )
            let sink = producer.makeLogHandler(label: "l")
            let text = String(repeating: "The quick brown fox. ", count: 50)
            let before = resident()
            for _ in 0..<2600 {
                for topic in 0..<16 { sink.info("\(text)", metadata: ["t": "\(topic)"]) }
            }
            async let flushed = producer.flush(timeout: .seconds(120))
            await transport.small.wait(for: 16)
            let held = producer.statistics.pendingBytes
            let grown = resident() - before
            #expect(held > 40 << 20)
            #expect(grown < held + (12 << 20), "\(grown >> 20) MiB for \(held >> 20) MiB")
            await producer.shutdown(timeout: .zero)
            _ = await flushed
        }
    }
    #endif
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Flush and shutdown.
@Suite(.timeLimit(.minutes(10))) struct ShutdownTests {
    @Test func aFlushSendsWhatWasAcceptedWithoutLingeringAndReports() async throws {
        let rig = try Rig()
        for index in 0..<7 { rig.sink().info("\(index)") }
        let report = await rig.producer.flush(timeout: .seconds(10))
        #expect(report == DeliveryReport(delivered: 7, dropped: [:], remaining: 0, duration: .zero))
        #expect(report.isComplete)
        #expect(rig.transport.logs.count == 7)
        await rig.stop()
    }

    /// The program may end right after that.
    @Test func theLastMetricsOfManyTopicsAreReportedBeforeAShutdownReturns() async throws {
        struct Last: ProducerObserver {
            let seen = Recorder<WebTrackingStatistics>()
            var interval: Duration? { nil }
            func report(_ read: () -> WebTrackingStatistics) { self.seen.add(read()) }
            func requestFinished(_ outcome: RequestOutcome, duration: Duration) {}
        }
        let last = Last()
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.topic = .label
        configuration.maximumTopics = 2000
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: InMemoryTransport(otherwise: .never),
            diagnostics: .none,
            clock: ManualClock(),
            observer: last,
            random: { 1 }
        )
        for number in 0..<1200 { producer.makeLogHandler(label: "topic-\(number)").info("m") }
        let report = await producer.shutdown(timeout: .zero)
        #expect(report.remaining == 1200)
        #expect(last.seen.elements.last?.dropped == [.shutdownDeadline: 1200])
    }

    @Test func aFlushOfNothingReturnsAtOnce() async throws {
        let rig = try Rig()
        #expect(await rig.producer.flush(timeout: .seconds(10)).delivered == 0)
        await rig.stop()
        #expect(rig.transport.attempts.isEmpty)
    }

    @Test func whatComesWhileTheTransportStopsIsInTheReport() async throws {
        let transport = LateTransport(late: 7)
        let producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore"),
            transport: transport,
            diagnostics: .none
        )
        transport.logsAtTheEnd(to: producer.makeLogHandler(label: "label"))
        producer.makeLogHandler(label: "label").info("in time")
        let report = await producer.shutdown(timeout: .seconds(60))
        #expect(report.delivered == 1 && report.dropped == [.afterShutdown: 7] && report.remaining == 0)
        #expect(producer.statistics.dropped == [.afterShutdown: 7])
    }

    @Test(arguments: [false, true])
    func aProducerThatIsDroppedGivesItsTransportBack(afterShutdown: Bool) async throws {
        let clock = ManualClock()
        let isGone = Recorder<Bool>()
        do {
            let producer = try WebTrackingProducer(
                configuration: WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore"),
                transport: LateTransport { isGone.add(true) },
                diagnostics: .none,
                clock: clock
            )
            for label in ["a", "b", "c"] { producer.makeLogHandler(label: label).info("message") }
            await producer.flush(timeout: .seconds(60))
            #expect(producer.statistics.delivered == 3)
            if afterShutdown { await producer.shutdown(timeout: .seconds(60)) }
        }
        // A topic's task goes once it has been idle for a while.
        while isGone.elements.isEmpty {
            if let rest = clock.timeToNextDeadline { clock.advance(by: rest) }
            await Task.yield()
        }
    }

    @Test func aFlushReturnsAtItsTimeoutAndTheRestGoesOn() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .noAnswer))
        rig.sink().info("m")
        async let flushed = rig.producer.flush(timeout: .seconds(10))
        await rig.transport.waitForAttempts(1)
        await rig.run { rig.clock.now().nanoseconds >= 11_000_000_000 }
        let report = await flushed
        #expect(report.remaining == 1)
        #expect(!report.isComplete)
        rig.transport.reply(otherwise: .success)
        await rig.runUntilSettled()
        #expect(rig.transport.logs.count == 1)
        await rig.stop()
    }

    @Test func aFlushEndsWithItsTaskAndTheRestGoesOn() async throws {
        let rig = try Rig(transport: InMemoryTransport(script: [.never]))
        rig.sink().info("m")
        let producer = rig.producer
        let task = Task { await producer.flush(timeout: .seconds(10)) }
        await rig.transport.waitForAttempts(1)
        task.cancel()
        #expect(await task.value.remaining == 1)
        await rig.producer.shutdown(timeout: .zero)
        rig.checkConservation()
    }

    @Test func aFlushCutsOneBackoffShort() async throws {
        let rig = try Rig(transport: InMemoryTransport(script: [.failure(status: 403, code: "WriteQuotaExceed")]))
        rig.sink().error("m")
        await rig.transport.waitForAttempts(1)
        await rig.clock.waitForSleepers()
        let report = await rig.producer.flush(timeout: .seconds(10))
        #expect(report.delivered == 1)
        #expect(report.duration == .zero)
        await rig.stop()
    }

    @Test func twoFlushesAtOnceBothWaitForWhatCameBeforeThem() async throws {
        let rig = try Rig()
        rig.sink().info("1")
        async let first = rig.producer.flush(timeout: .seconds(10))
        async let second = rig.producer.flush(timeout: .seconds(10))
        _ = await (first, second)
        #expect(rig.producer.statistics.pending == 0)
        await rig.stop()
    }

    @Test func aShutdownDeliversEverythingAndStopsTheTransport() async throws {
        let rig = try Rig { $0.topic = .label }
        for index in 0..<50 { rig.sink("topic-\(index % 5)").info("\(index)") }
        let report = await rig.producer.shutdown(timeout: .seconds(10))
        #expect(report.delivered == 50)
        #expect(report.isComplete)
        #expect(rig.transport.isShutDown)
        rig.checkConservation()
    }

    @Test func aShutdownWithADeadEndpointReturnsAtItsDeadlineAndSaysWhatWasLeft() async throws {
        for reply in [InMemoryTransport.Reply.noAnswer, .never] {
            let rig = try Rig(transport: InMemoryTransport(otherwise: reply))
            for index in 0..<20 { rig.sink().info("\(index)") }
            async let stopped = rig.producer.shutdown(timeout: .seconds(5))
            await rig.transport.waitForAttempts(1)
            await rig.run { rig.transport.isShutDown }
            let report = await stopped
            #expect(report.remaining == 20)
            #expect(report.dropped == [.shutdownDeadline: 20])
            #expect(report.delivered == 0)
            #expect(report.duration >= .seconds(5))
            #expect(rig.producer.statistics.pending == 0)
            rig.checkConservation()
        }
    }

    @Test func aShutdownRetriesWithinItsDeadline() async throws {
        let rig = try Rig(
            transport: InMemoryTransport(script: [.noAnswer, .failure(status: 401), .failure(status: 500)])
        )
        rig.sink().info("m")
        async let stopped = rig.producer.shutdown(timeout: .seconds(5))
        await rig.run(inStepsOf: .seconds(1)) { rig.transport.stored.count == 1 }
        #expect(await stopped.delivered == 1)
        rig.checkConservation()
    }

    @Test func aTransportThatNeverShutsDownDoesNotHoldUpTheShutdown() async throws {
        struct Stuck: WebTrackingTransport {
            let inner = InMemoryTransport()
            func send(_ request: TransportRequest) async throws -> TransportResponse {
                try await self.inner.send(request)
            }
            func shutdown() async { try? await Task.sleep(for: .seconds(86_400)) }
        }
        let clock = ManualClock()
        let producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore"),
            transport: Stuck(),
            diagnostics: .none,
            clock: clock
        )
        async let report = producer.shutdown(timeout: .seconds(3))
        while clock.timeToNextDeadline.map({ $0 > .seconds(3) }) ?? true { await Task.yield() }
        clock.advance(by: .seconds(3))
        #expect(await report.duration == .seconds(3))
    }

    @Test func recordsThatComeAfterTheShutdownAreCounted() async throws {
        let rig = try Rig { $0.topic = .metadata(key: "t", fallback: "") }
        let sink = rig.sink()
        sink.info("before")
        await rig.stop()
        for index in 0..<10 { sink.info("after", metadata: ["t": "\(index)"]) }
        #expect(rig.producer.statistics.dropped == [.afterShutdown: 10])
        #expect(rig.producer.statistics.accepted == 11)
        rig.checkConservation()
    }

    @Test func theShutdownIsOutOfReachOfCancellation() async throws {
        let rig = try Rig()
        rig.sink().info("m")
        let producer = rig.producer
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await producer.shutdown(timeout: .seconds(10))
        }
        #expect(await task.value.delivered == 1)
    }

    @Test func laterShutdownsGetTheReportOfTheFirst() async throws {
        let rig = try Rig()
        rig.sink().info("m")
        async let first = rig.producer.shutdown(timeout: .seconds(10))
        async let second = rig.producer.shutdown(timeout: .seconds(10))
        let (one, two) = await (first, second)
        #expect(one == two)
        #expect(await rig.producer.shutdown(timeout: .zero) == one)
    }

    @Test func theBlockingShutdownWorksFromAPlainThread() async throws {
        let rig = try Rig()
        rig.sink().info("m")
        let producer = rig.producer
        let report = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: producer.syncShutdown(timeout: .seconds(10)))
            }
        }
        #expect(report.delivered == 1)
        rig.checkConservation()
    }

    /// Blocks the thread in a job of a pool's thread, as whoever holds up Swift's threads does.
    private func block(until end: DispatchSemaphore) { end.wait() }

    @Test func theBlockingShutdownKeepsItsDeadlineWhileAllOfSwiftsThreadsAreBlocked() async throws {
        let transport = InMemoryTransport(otherwise: .never)
        let diagnostics = Recorder<ProducerDiagnostic>()
        let producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore"),
            transport: transport,
            diagnostics: DiagnosticHandler { diagnostics.add($0) }
        )
        let sink = producer.makeLogHandler(label: "label")
        // Blocks of this many, or all of the pool's threads are blocked by then.
        let blocked = DispatchSemaphore(value: 0)
        let end = DispatchSemaphore(value: 0)
        let blockers = 64
        for _ in 0..<blockers {
            Task.detached {
                blocked.signal()
                self.block(until: end)
            }
        }
        let (report, statistics, took) = await withCheckedContinuation {
            (answer: CheckedContinuation<(DeliveryReport, WebTrackingStatistics, Duration), Never>) in
            startThread {
                blocked.wait()
                while blocked.wait(timeout: .now() + .milliseconds(200)) == .success {}
                for index in 0..<20 { sink.info("\(index)") }
                let start = ContinuousClock.now
                let report = producer.syncShutdown(timeout: .milliseconds(300))
                let took = ContinuousClock.now - start
                let statistics = producer.statistics
                for _ in 0..<blockers { end.signal() }
                answer.resume(returning: (report, statistics, took))
            }
        }
        // Nothing but this thread is needed for it; what is beyond is what the machine takes to run it again.
        #expect(took >= .milliseconds(300) && took < .seconds(5))
        #expect(report.remaining == 20)
        #expect(report.dropped == [.shutdownDeadline: 20])
        #expect(statistics.pending == 0)
        #expect(statistics.accepted == statistics.delivered + statistics.totalDropped)
        sink.info("late")
        #expect(producer.statistics.dropped[.afterShutdown] == 1)
        // The report is that of the first, and is told once, also when the threads are free again.
        #expect(await producer.shutdown(timeout: .seconds(60)) == report)
        let reported = diagnostics.elements.filter { if case .shutdownFinished = $0 { true } else { false } }
        #expect(reported.count == 1)
        #expect(transport.isShutDown)
    }

    @Test func theBlockingShutdownCountsAFileThatHasGoneAsDroppedWhileAllOfSwiftsThreadsAreBlocked() async throws {
        let directory = SpoolDirectory()
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.topic = .label
        configuration.durability = .process
        configuration.spool.directory = directory.path
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: InMemoryTransport(otherwise: .never),
            diagnostics: .none
        )
        let maintenance = try #require(producer.maintenance)
        let blocked = DispatchSemaphore(value: 0)
        let end = DispatchSemaphore(value: 0)
        let blockers = 64
        for _ in 0..<blockers {
            Task.detached {
                blocked.signal()
                self.block(until: end)
            }
        }
        let (files, report, took) = await withCheckedContinuation {
            (answer: CheckedContinuation<(Int, DeliveryReport, Duration), Never>) in
            startThread {
                blocked.wait()
                while blocked.wait(timeout: .now() + .milliseconds(200)) == .success {}
                for label in ["a", "b"] {
                    for index in 0..<10 { producer.makeLogHandler(label: label).info("\(index)") }
                }
                let limit = producer.clock.now() + .seconds(60)
                maintenance.spillBeforeEnd(until: limit, deadline: limit)
                let files = directory.holding
                if let first = files.first { unlink(first) }
                let start = ContinuousClock.now
                let report = producer.syncShutdown(timeout: .milliseconds(300))
                let took = ContinuousClock.now - start
                for _ in 0..<blockers { end.signal() }
                answer.resume(returning: (files.count, report, took))
            }
        }
        #expect(files == 2)
        #expect(took < .seconds(10))
        #expect(report.spooled == 10 && report.dropped == [.spoolDamaged: 10])
        #expect(producer.statistics.pending == 10 && producer.statistics.dropped == [.spoolDamaged: 10])
    }

    @Test func theBlockingShutdownGoesByTheProducersClock() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .never))
        rig.sink().info("m")
        let producer = rig.producer
        async let report = withCheckedContinuation { answer in
            startThread { answer.resume(returning: producer.syncShutdown(timeout: .seconds(3600))) }
        }
        await rig.run(inStepsOf: .seconds(3600)) { rig.clock.now().nanoseconds >= 3_600_000_000_000 }
        #expect(await report.dropped == [.shutdownDeadline: 1])
        rig.checkConservation()
    }

    @Test func twoBlockingShutdownsAtOnceGetOneReport() async throws {
        let rig = try Rig()
        rig.sink().info("m")
        let producer = rig.producer
        let reports = await withTaskGroup(of: DeliveryReport.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    await withCheckedContinuation { answer in
                        startThread { answer.resume(returning: producer.syncShutdown(timeout: .seconds(10))) }
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(reports[0] == reports[1])
        #expect(reports[0].delivered == 1)
    }

    @Test func theShutdownIsReportedAsADiagnostic() async throws {
        let rig = try Rig()
        rig.sink().info("m")
        let report = await rig.stop()
        guard case .shutdownFinished(report)? = rig.diagnostics.elements.last else {
            Issue.record("no diagnostic")
            return
        }
    }

    @Test func theShutdownTellsOfDropsBehindTheLastLookOfTheWorker() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .never)) { $0.memoryLimit = 1 << 20 }
        let sink = rig.sink()
        sink.critical("the first")
        // This request holds the topic's worker, which looks at nothing from now on.
        await rig.transport.waitForAttempts(1)
        while rig.producer.statistics.dropped[.memoryFull] == nil { sink.critical("m") }
        await rig.producer.shutdown(timeout: .zero)
        let reported = rig.diagnostics.elements.reduce(0) { sum, diagnostic in
            if case .recordsDropped(_, .memoryFull, let count, _) = diagnostic { sum + count } else { sum }
        }
        // The announcement finds no room either, and is not counted.
        #expect(rig.producer.statistics.synthetic == 0)
        #expect(rig.producer.statistics.dropped[.memoryFull] == 1)
        #expect(reported == 1)
        rig.checkConservation()
    }

    @Test func recordsRacingWithTheShutdownAreDeliveredOrCounted() async throws {
        for _ in 0..<20 {
            let rig = try Rig { $0.batching.maximumRecords = 50 }
            let sink = rig.sink()
            let writers = Task {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 { group.addTask { for index in 0..<500 { sink.info("\(index)") } } }
                }
            }
            await rig.producer.shutdown(timeout: .seconds(60))
            await writers.value
            let numbers = rig.producer.statistics
            #expect(numbers.accepted == 2000)
            #expect(numbers.pending == 0)
            #expect(numbers.delivered + (numbers.dropped[.afterShutdown] ?? 0) == 2000)
            #expect(rig.transport.logs.count == numbers.delivered)
        }
    }
}

/// Runs `body` on a thread that is none of Swift's.
func startThread(_ body: @escaping @Sendable () -> Void) {
    let hasThread = WriteThread().run(body)
    #expect(hasThread)
}

/// Takes everything, logs while it stops, and says when it goes.
private final class LateTransport: WebTrackingTransport {
    private let late: Int
    private let isGone: @Sendable () -> Void
    private let handler = Lock<WebTrackingLogHandler?>(nil)

    init(late: Int = 0, isGone: @escaping @Sendable () -> Void = {}) {
        self.late = late
        self.isGone = isGone
    }

    deinit { self.isGone() }

    func logsAtTheEnd(to handler: WebTrackingLogHandler) { self.handler.withLock { $0 = handler } }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        TransportResponse(status: 200, headers: [("x-log-requestid", "1")], body: [])
    }

    func shutdown() async {
        let handler = self.handler.withLock { $0.take() }
        for index in 0..<self.late { handler?.info("late \(index)") }
    }
}

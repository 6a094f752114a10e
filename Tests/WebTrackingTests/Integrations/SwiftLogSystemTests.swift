// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog

import Logging
import Testing
import WebTracking
import WebTrackingTestKit

/// What becomes of swift-log's own system around the backend: its bootstrap, its loops, and the callers' task-local values.
@Suite struct SwiftLogSystemTests {
    // MARK: Bootstrapping, once in a process

    @Test func theBootstrapWithALabelMakesEveryLoggerSend() async {
        await #expect(processExitsWith: .success) {
            let rig = try Rig()
            LoggingSystem.bootstrap(rig.producer.makeLogHandler(label:))
            let logger = Logger(label: "global")
            #expect(logger.handler is WebTrackingLogHandler)
            logger.info("m")
            let logs = await rig.drain()
            #expect(logs.map { $0["label"] } == ["global"])
            #expect(logs.map { $0["message"] } == ["m"])
            await rig.stop()
        }
    }

    @Test func theBootstrapWithAProviderAsksItForEveryLogger() async {
        await #expect(processExitsWith: .success) {
            let rig = try Rig()
            LoggingSystem.bootstrap(
                rig.producer.makeLogHandler(label:metadataProvider:),
                metadataProvider: Logger.MetadataProvider { ["trace": "abc"] }
            )
            let logger = Logger(label: "global")
            #expect(logger.metadataProvider?.get() == ["trace": "abc"])
            logger.info("m")
            Logger(label: "own", metadataProvider: Logger.MetadataProvider { ["trace": "own"] }).info("m")
            #expect(await rig.drain().map { $0["trace"] } == ["abc", "own"])
            await rig.stop()
        }
    }

    @Test func theProducersBootstrapSendsAndLeavesTheConsoleAlone() async throws {
        let exit = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let rig = try Rig()
            WebTrackingProducer.bootstrap(rig.producer)
            let logger = Logger(label: "global")
            #expect(logger.handler is WebTrackingLogHandler)
            #expect(logger.metadataProvider == nil)
            logger.info("only sent")
            #expect(await rig.drain().map { $0["message"] } == ["only sent"])
            await rig.stop()
        }
        let console = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
        #expect(!console.contains("only sent"))
    }

    @Test func theProducersBootstrapCanKeepTheConsole() async throws {
        let exit = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let rig = try Rig { $0.logLevel = .debug }
            WebTrackingProducer.bootstrap(
                rig.producer,
                keepingConsole: true,
                metadataProvider: Logger.MetadataProvider { ["trace": "abc"] }
            )
            let logger = Logger(label: "global")
            #expect(logger.logLevel == .debug)
            logger.trace("left out")
            logger.debug("sent and shown")
            let logs = await rig.drain()
            #expect(logs.map { $0["message"] } == ["sent and shown"])
            #expect(logs.map { $0["trace"] } == ["abc"])
            await rig.stop()
        }
        let console = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
        let lines = console.split(separator: "\n").filter { $0.contains("sent and shown") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("trace=abc") == true)
        #expect(!console.contains("left out"))
    }

    @Test func levelsThatChangeReachTheConsoleThatIsKeptAndLoggersThatExist() async throws {
        let exit = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let rig = try Rig { $0.logLevel = .info }
            WebTrackingProducer.bootstrap(rig.producer, keepingConsole: true)
            var logger = Logger(label: "shop.orders")
            logger.debug("before")
            rig.producer.logLevelOverrides = ["shop": .debug]
            #expect(logger.logLevel == .debug)
            logger.debug("overridden")
            rig.producer.logLevelOverrides = ["shop": .error]
            logger.warning("too low")
            rig.producer.logLevelOverrides = [:]
            logger.logLevel = .trace
            logger[metadataKey: "order"] = "7"
            logger.trace("by the code")
            logger.handler.metadata = ["order": "8"]
            logger.handler.metadataProvider = Logger.MetadataProvider { ["trace": "abc"] }
            logger.trace("by the handler")
            let logs = await rig.drain()
            #expect(logs.map { $0["message"] } == ["overridden", "by the code", "by the handler"])
            #expect(logs.map { $0["order"] } == [nil, "7", "8"])
            #expect(logs.map { $0["trace"] } == [nil, nil, "abc"])
            await rig.stop()
        }
        let console = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
        let lines = console.split(separator: "\n").filter { $0.contains("shop.orders") }
        #expect(lines.count == 3)
        #expect(lines.first?.contains("overridden") == true)
        #expect(lines.dropFirst().first?.contains("order=7") == true)
        #expect(lines.last?.contains("order=8") == true && lines.last?.contains("trace=abc") == true)
    }

    // MARK: Loops

    // A transport ought not to log through the handlers of the producer that it serves. Where one does all the same,
    // each request adds a line, which waits for its linger or for the backoff whatever its level. So for as long as no
    // time passes there is at most one request, and the producer itself adds nothing.

    @Test(arguments: [Logger.Level.info, .error])
    func aTransportThatLogsBringsAboutOneRequestInALingerPeriod(level: Logger.Level) async throws {
        let bench = try LoopBench()
        let logger = Logger(label: "program", factory: bench.producer.makeLogHandler(label:))
        bench.transport.onSend { logger.log(level: level, "sending") }
        await bench.expectOneRequestInEachLingerPeriod()
    }

    @Test func aTransportThatLogsThroughTheGlobalLoggerBringsAboutOneRequestInALingerPeriod() async {
        await #expect(processExitsWith: .success) {
            let bench = try LoopBench()
            WebTrackingProducer.bootstrap(bench.producer)
            bench.transport.onSend { Logger(label: "transport").info("sending") }
            await bench.expectOneRequestInEachLingerPeriod()
        }
    }

    @Test func aTransportThatLogsItsFailuresWaitsForTheBackoffAndDiagnosticsAreNoRecords() async throws {
        let bench = try LoopBench(otherwise: .noAnswer)
        let logger = Logger(label: "program", factory: bench.producer.makeLogHandler(label:))
        // Of a level that does not linger where the program logs it.
        bench.transport.onSend { logger.error("failed") }
        logger.error("first")
        for (index, backoff) in [100, 200, 400, 800].enumerated() {
            await bench.diagnostics.wait(for: index + 1)
            #expect(bench.inner.attempts.count == index + 1)
            #expect(bench.producer.statistics.accepted == index + 2)
            bench.clock.advance(by: .milliseconds(backoff))
        }
        await bench.diagnostics.wait(for: 5)
        bench.inner.reply(otherwise: .success)
        await bench.producer.shutdown(timeout: .seconds(60))
        let numbers = bench.producer.statistics
        // The first line, and the lines of the five failures together; each of these two requests logs again.
        #expect(bench.inner.attempts.count == 5 + 2)
        #expect(numbers.accepted == 1 + 7)
        #expect(numbers.delivered == 6)
        #expect(numbers.dropped == [.afterShutdown: 2])
        #expect(numbers.synthetic == 0)
        bench.checkConservation()
    }

    // MARK: Task-local values

    @Test func theTaskLocalValuesOfACallerDoNotReachTheTransport() async throws {
        let bench = try LoopBench()
        let seen = Recorder<String>()
        bench.transport.onSend { seen.add(CallerTrace.id) }
        let logger = Logger(label: "program", factory: bench.producer.makeLogHandler(label:))
        await CallerTrace.$id.withValue("caller") {
            logger.info("m")
            await bench.producer.flush(timeout: .seconds(60))
            logger.error("m")
            await bench.producer.shutdown(timeout: .seconds(60))
        }
        #expect(seen.elements == ["none", "none"])
        #expect(bench.producer.statistics.delivered == 2)
        bench.checkConservation()
    }
}

/// A producer whose transport logs.
private struct LoopBench {
    let producer: WebTrackingProducer
    let inner: InMemoryTransport
    let transport: BusyTransport
    let clock = ManualClock(wallTime: Rig.start)
    let diagnostics = Recorder<ProducerDiagnostic>()

    init(otherwise: InMemoryTransport.Reply = .success) throws {
        let diagnostics = self.diagnostics
        self.inner = InMemoryTransport(otherwise: otherwise)
        self.transport = BusyTransport(self.inner)
        self.producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore"),
            transport: self.transport,
            diagnostics: DiagnosticHandler { if case .requestFailed = $0 { diagnostics.add($0) } },
            clock: self.clock,
            observer: Quiet(),
            random: { 1 }
        )
    }

    /// Logs one line and checks that the lines of the transport make no more than one request each.
    func expectOneRequestInEachLingerPeriod() async {
        let periods = 20
        let linger = self.producer.configuration.batching.linger
        Logger(label: "program", factory: self.producer.makeLogHandler(label:)).info("first")
        for period in 1...periods {
            // The line that waits was taken at this very instant, so nothing is due.
            #expect(self.inner.attempts.count == period - 1)
            self.clock.advance(by: linger)
            await self.inner.waitForAttempts(period)
        }
        await self.producer.shutdown(timeout: .seconds(60))
        let numbers = self.producer.statistics
        // The shutdown sends the line of the last period, and that request's own comes too late.
        #expect(self.inner.attempts.count == periods + 1)
        #expect(self.inner.attempts.allSatisfy { $0.logs.count == 1 })
        #expect(numbers.accepted == periods + 2)
        #expect(numbers.delivered == periods + 1)
        #expect(numbers.dropped == [.afterShutdown: 1])
        #expect(numbers.synthetic == 0)
        self.checkConservation()
    }

    func checkConservation(sourceLocation: SourceLocation = #_sourceLocation) {
        let numbers = self.producer.statistics
        #expect(
            numbers.accepted == numbers.delivered + numbers.totalDropped + numbers.pending,
            sourceLocation: sourceLocation
        )
        #expect(self.inner.malformed == [], sourceLocation: sourceLocation)
    }

    private struct Quiet: ProducerObserver {
        var interval: Duration? { nil }
        func report(_ read: () -> WebTrackingStatistics) {}
        func requestFinished(_ outcome: RequestOutcome, duration: Duration) {}
    }
}

/// A task-local value of a caller.
enum CallerTrace {
    @TaskLocal static var id = "none"
}

// MARK: A transport that does something of its own

/// Does something before each request goes on.
private final class BusyTransport: WebTrackingTransport {
    private let inner: InMemoryTransport
    private let action = Lock<(@Sendable () -> Void)?>(nil)

    init(_ inner: InMemoryTransport) {
        self.inner = inner
    }

    func onSend(_ action: @escaping @Sendable () -> Void) {
        self.action.withLock { $0 = action }
    }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        self.action.withLock { $0 }?()
        return try await self.inner.send(request)
    }
}

#endif

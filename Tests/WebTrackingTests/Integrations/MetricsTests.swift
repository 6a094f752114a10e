// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Metrics

import CoreMetrics
import MetricsTestKit
import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What a producer reports through swift-metrics.
@Suite struct MetricsTests {
    // MARK: Instruments

    @Test func allInstrumentsAreThereFromTheBeginning() async throws {
        let bench = try MetricsBench()
        #expect(
            Set(bench.metrics.counters.map { Self.name($0.label, $0.dimensions) }) == [
                "webtracking.records.accepted", "webtracking.records.delivered", "webtracking.requests.retried",
                "webtracking.bytes.raw", "webtracking.bytes.wire", "webtracking.records.recovered",
                "webtracking.spool.damaged", "webtracking.spool.unexpected_exits",
                "webtracking.records.dropped reason=memory_full", "webtracking.records.dropped reason=expired",
                "webtracking.records.dropped reason=rejected", "webtracking.records.dropped reason=unauthorized",
                "webtracking.records.dropped reason=not_found", "webtracking.records.dropped reason=too_large",
                "webtracking.records.dropped reason=shutdown_deadline",
                "webtracking.records.dropped reason=after_shutdown",
                "webtracking.records.dropped reason=spool_full",
                "webtracking.records.dropped reason=spool_damaged",
                "webtracking.records.dropped reason=sampled", "webtracking.records.dropped reason=repeated",
                "webtracking.records.dropped reason=after_fork",
                "webtracking.values.redacted",
                "webtracking.records.repaired kind=empty_key", "webtracking.records.repaired kind=forbidden_key",
                "webtracking.records.repaired kind=long_key", "webtracking.records.repaired kind=colliding_key",
                "webtracking.records.repaired kind=long_value", "webtracking.records.repaired kind=deep_value",
                "webtracking.records.repaired kind=oversize_record", "webtracking.records.repaired kind=long_topic",
                "webtracking.records.repaired kind=unpromotable", "webtracking.records.repaired kind=topic_overflow",
                "webtracking.records.repaired kind=nested",
                "webtracking.requests outcome=delivered", "webtracking.requests outcome=failed",
                "webtracking.requests outcome=unavailable", "webtracking.requests outcome=throttled",
                "webtracking.requests outcome=unauthorized", "webtracking.requests outcome=not_found",
                "webtracking.requests outcome=too_large", "webtracking.requests outcome=rejected",
            ]
        )
        #expect(
            Set(bench.metrics.timers.map { Self.name($0.label, $0.dimensions) }) == [
                "webtracking.request.duration outcome=delivered", "webtracking.request.duration outcome=failed",
                "webtracking.request.duration outcome=unavailable", "webtracking.request.duration outcome=throttled",
                "webtracking.request.duration outcome=unauthorized", "webtracking.request.duration outcome=not_found",
                "webtracking.request.duration outcome=too_large", "webtracking.request.duration outcome=rejected",
            ]
        )
        #expect(
            Set(bench.metrics.recorders.map { Self.name($0.label, $0.dimensions) }) == [
                "webtracking.queue.records", "webtracking.queue.bytes", "webtracking.queue.oldest.seconds",
                "webtracking.spool.bytes", "webtracking.spool.unavailable", "webtracking.queue.unspooled",
            ]
        )
        await bench.stop()
    }

    @Test func theWorkOfAProducerMakesNoMoreInstruments() async throws {
        let bench = try MetricsBench()
        let before = Set(bench.metrics.counters.map(\.id) + bench.metrics.timers.map(\.id))
        bench.sink.info("m", metadata: ["": "v"])
        await bench.stop()
        #expect(Set(bench.metrics.counters.map(\.id) + bench.metrics.timers.map(\.id)) == before)
        #expect(bench.metrics.recorders.count == 6)
    }

    private static func name(_ label: String, _ dimensions: [(String, String)]) -> String {
        ([label] + dimensions.map { "\($0.0)=\($0.1)" }).joined(separator: " ")
    }

    // MARK: Counters

    @Test func aSecondReportAddsOnlyWhatIsNew() async throws {
        let metrics = TestMetrics()
        let observer = MetricsObserver(factory: metrics)
        let rig = try Rig()
        var statistics = rig.producer.statistics
        statistics.accepted = 10
        statistics.delivered = 6
        statistics.retries = 2
        statistics.recovered = 4
        statistics.damagedSpoolFiles = 1
        statistics.unexpectedExits = 2
        statistics.spoolBytes = 4096
        statistics.isSpoolUnavailable = true
        statistics.rawBytes = 1000
        statistics.wireBytes = 100
        statistics.dropped = [.memoryFull: 3]
        statistics.repaired = [.longValue: 4]
        statistics.requests = [.delivered: 5, .failed: 1]
        observer.report { statistics }
        statistics.accepted = 15
        statistics.delivered = 9
        statistics.retries = 3
        statistics.recovered = 9
        statistics.damagedSpoolFiles = 3
        statistics.unexpectedExits = 3
        statistics.spoolBytes = 1024
        statistics.isSpoolUnavailable = false
        statistics.rawBytes = 1500
        statistics.wireBytes = 160
        statistics.dropped = [.memoryFull: 3, .expired: 2]
        statistics.repaired = [.longValue: 5]
        statistics.requests = [.delivered: 8, .failed: 1]
        observer.report { statistics }
        func values(_ label: String, _ dimensions: [(String, String)] = []) throws -> [Int64] {
            try metrics.expectCounter("webtracking.\(label)", dimensions).values
        }
        #expect(try values("records.accepted") == [10, 5])
        #expect(try values("records.delivered") == [6, 3])
        #expect(try values("requests.retried") == [2, 1])
        #expect(try values("records.recovered") == [4, 5])
        #expect(try values("spool.damaged") == [1, 2])
        #expect(try values("spool.unexpected_exits") == [2, 1])
        #expect(try metrics.expectGauge("webtracking.spool.bytes").values == [4096, 1024])
        #expect(try metrics.expectGauge("webtracking.spool.unavailable").values == [1, 0])
        #expect(try values("bytes.raw") == [1000, 500])
        #expect(try values("bytes.wire") == [100, 60])
        #expect(try values("records.dropped", [("reason", "memory_full")]) == [3])
        #expect(try values("records.dropped", [("reason", "expired")]) == [2])
        #expect(try values("records.repaired", [("kind", "long_value")]) == [4, 1])
        #expect(try values("requests", [("outcome", "delivered")]) == [5, 3])
        #expect(try values("requests", [("outcome", "failed")]) == [1])
        await rig.stop()
    }

    @Test(arguments: DropReason.allCases)
    func everyReasonHasItsCounter(reason: DropReason) async throws {
        let metrics = TestMetrics()
        let rig = try Rig()
        var statistics = rig.producer.statistics
        statistics.dropped = [reason: 7]
        MetricsObserver(factory: metrics).report { statistics }
        let counter = try metrics.expectCounter("webtracking.records.dropped", [("reason", reason.rawValue)])
        #expect(counter.values == [7])
        #expect(metrics.counterTotal(label: "webtracking.records.dropped") == 7)
        await rig.stop()
    }

    @Test(arguments: RepairKind.allCases)
    func everyRepairHasItsCounter(kind: RepairKind) async throws {
        let metrics = TestMetrics()
        let rig = try Rig()
        var statistics = rig.producer.statistics
        statistics.repaired = [kind: 7]
        MetricsObserver(factory: metrics).report { statistics }
        let counter = try metrics.expectCounter("webtracking.records.repaired", [("kind", kind.rawValue)])
        #expect(counter.values == [7])
        #expect(metrics.counterTotal(label: "webtracking.records.repaired") == 7)
        await rig.stop()
    }

    @Test(arguments: RequestOutcome.allCases)
    func everyOutcomeHasItsCounterAndItsTimer(outcome: RequestOutcome) async throws {
        let metrics = TestMetrics()
        let rig = try Rig()
        let observer = MetricsObserver(factory: metrics)
        var statistics = rig.producer.statistics
        statistics.requests = [outcome: 7]
        observer.report { statistics }
        observer.requestFinished(outcome, duration: .milliseconds(3))
        let counter = try metrics.expectCounter("webtracking.requests", [("outcome", outcome.rawValue)])
        #expect(counter.values == [7])
        #expect(metrics.counterTotal(label: "webtracking.requests") == 7)
        let timer = try metrics.expectTimer("webtracking.request.duration", [("outcome", outcome.rawValue)])
        #expect(timer.values == [3_000_000])
        #expect(metrics.timers.flatMap(\.values) == [3_000_000])
        await rig.stop()
    }

    // MARK: Reports

    @Test func theNumbersAreReportedEveryFiveSecondsAndAtTheEnd() async throws {
        let bench = try MetricsBench()
        let reports = try bench.metrics.expectGauge("webtracking.queue.records")
        let accepted = try bench.metrics.expectCounter("webtracking.records.accepted")
        let delivered = try bench.metrics.expectCounter("webtracking.records.delivered")
        for _ in 0..<3 { bench.sink.info("m") }
        await bench.producer.flush(timeout: .seconds(60))
        await bench.waitForReporter()
        bench.clock.advance(by: .milliseconds(4999))
        #expect(reports.values == [])
        bench.clock.advance(by: .milliseconds(1))
        await bench.waitForReporter()
        #expect(reports.values == [0])
        #expect(accepted.values == [3])
        #expect(delivered.values == [3])

        for _ in 0..<2 { bench.sink.info("m") }
        await bench.producer.flush(timeout: .seconds(60))
        bench.clock.advance(by: .seconds(5))
        await bench.waitForReporter()
        #expect(accepted.values == [3, 2])
        #expect(delivered.values == [3, 2])

        bench.sink.info("m")
        await bench.stop()
        #expect(accepted.values == [3, 2, 1])
        #expect(delivered.values == [3, 2, 1])
        #expect(reports.values == [0, 0, 0])
    }

    @Test func theLastReportAgreesWithTheStatistics() async throws {
        let bench = try MetricsBench(script: [.noAnswer, .failure(status: 400, code: "PostBodyInvalid")])
        bench.sink.error("rejected", metadata: ["": "v"])
        await bench.transport.waitForAttempts(1)
        await bench.producer.flush(timeout: .seconds(60))
        bench.sink.info("delivered")
        await bench.stop()
        let numbers = bench.producer.statistics
        func total(_ label: String, _ dimensions: [(String, String)] = []) throws -> Int64 {
            try bench.metrics.expectCounter("webtracking.\(label)", dimensions).totalValue
        }
        // The record that tells of the drop is the third.
        #expect(try total("records.accepted") == 3)
        #expect(try total("records.delivered") == 2)
        #expect(try total("records.dropped", [("reason", "rejected")]) == 1)
        #expect(try total("records.repaired", [("kind", "empty_key")]) == 1)
        #expect(try total("requests.retried") == 1)
        #expect(try total("requests", [("outcome", "failed")]) == 1)
        #expect(try total("requests", [("outcome", "rejected")]) == 1)
        #expect(try total("requests", [("outcome", "delivered")]) == Int64(numbers.requests[.delivered] ?? 0))
        #expect(try total("bytes.raw") == Int64(numbers.rawBytes))
        #expect(try total("bytes.wire") == Int64(numbers.wireBytes))
        #expect(numbers.wireBytes > 0)
    }

    @Test func whatTheDeadlineOfTheShutdownDropsIsInTheLastReport() async throws {
        let bench = try MetricsBench(otherwise: .never)
        bench.sink.error("m")
        await bench.transport.waitForAttempts(1)
        await bench.producer.shutdown(timeout: .zero)
        let counter = try bench.metrics.expectCounter(
            "webtracking.records.dropped",
            [("reason", "shutdown_deadline")]
        )
        #expect(counter.values == [1])
        #expect(try bench.metrics.expectGauge("webtracking.queue.records").lastValue == 0)
        bench.checkConservation()
    }

    @Test func theGaugesTellHowMuchWaitsAndHowLong() async throws {
        let bench = try MetricsBench(otherwise: .never)
        await bench.waitForReporter()
        bench.clock.advance(by: .seconds(1))
        bench.sink.error("in flight")
        await bench.transport.waitForAttempts(1)
        bench.sink.info("waiting")
        bench.clock.advance(by: .seconds(4))
        await bench.waitForReporter()
        #expect(try bench.metrics.expectGauge("webtracking.queue.records").values == [2])
        #expect(try bench.metrics.expectGauge("webtracking.queue.oldest.seconds").values == [4])
        let bytes = try #require(bench.metrics.expectGauge("webtracking.queue.bytes").values.first)
        #expect(bytes == Double(bench.producer.statistics.pendingBytes))
        #expect(bytes > 0)
        await bench.producer.shutdown(timeout: .zero)
        #expect(try bench.metrics.expectGauge("webtracking.queue.records").lastValue == 0)
        #expect(try bench.metrics.expectGauge("webtracking.queue.oldest.seconds").lastValue == 0)
        bench.checkConservation()
    }

    @Test func theDurationOfEachRequestIsRecordedAsItEnds() async throws {
        let bench = try MetricsBench(script: [.failure(status: 503)], requestDuration: .milliseconds(30))
        bench.sink.error("m")
        // The flush cuts the backoff after this one short.
        await bench.transport.waitForAttempts(1)
        await bench.producer.flush(timeout: .seconds(60))
        let failed = try bench.metrics.expectTimer("webtracking.request.duration", [("outcome", "unavailable")])
        let delivered = try bench.metrics.expectTimer("webtracking.request.duration", [("outcome", "delivered")])
        #expect(failed.values == [30_000_000])
        #expect(delivered.values == [30_000_000])
        #expect(bench.metrics.timers.flatMap(\.values).count == 2)
        await bench.stop()
    }

    // MARK: The factory

    @Test func theFactoryOfTheTaskIsTakenWhenTheProducerIsMade() async throws {
        let mine = TestMetrics()
        let other = TestMetrics()
        let producer = try withMetricsFactory(mine) {
            try WebTrackingProducer(
                configuration: MetricsBench.configuration,
                transport: InMemoryTransport(),
                diagnostics: .none,
                clock: ManualClock()
            )
        }
        await withMetricsFactory(other) {
            producer.makeLogHandler(label: "label").info("m")
            await producer.shutdown(timeout: .seconds(60))
        }
        #expect(try mine.expectCounter("webtracking.records.accepted").totalValue == 1)
        #expect(try mine.expectCounter("webtracking.records.delivered").totalValue == 1)
        #expect(other.counters.isEmpty && other.timers.isEmpty && other.recorders.isEmpty)
    }

    @Test func aFactoryOfItsOwnOutranksThatOfTheTask() async throws {
        let other = TestMetrics()
        let bench = try withMetricsFactory(other) { try MetricsBench() }
        bench.sink.info("m")
        await bench.stop()
        #expect(try bench.metrics.expectCounter("webtracking.records.accepted").totalValue == 1)
        #expect(other.counters.isEmpty && other.timers.isEmpty && other.recorders.isEmpty)
    }

    @Test func theBootstrappedFactoryIsTakenWhereThereIsNoOther() async {
        await #expect(processExitsWith: .success) {
            let metrics = TestMetrics()
            MetricsSystem.bootstrap(metrics)
            let producer = try WebTrackingProducer(
                configuration: MetricsBench.configuration,
                transport: InMemoryTransport(),
                diagnostics: .none,
                clock: ManualClock()
            )
            producer.makeLogHandler(label: "label").info("m")
            await producer.shutdown(timeout: .seconds(60))
            #expect(try metrics.expectCounter("webtracking.records.delivered").totalValue == 1)
        }
    }
}

/// A producer that reports to a factory in a test's hands.
private struct MetricsBench {
    let producer: WebTrackingProducer
    let metrics = TestMetrics()
    let transport: InMemoryTransport
    let clock = ManualClock()

    static var configuration: WebTrackingConfiguration {
        WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
    }

    init(
        script: [InMemoryTransport.Reply] = [],
        otherwise: InMemoryTransport.Reply = .success,
        requestDuration: Duration = .zero
    ) throws {
        self.transport = InMemoryTransport(script: script, otherwise: otherwise)
        self.producer = try WebTrackingProducer(
            configuration: Self.configuration,
            transport: SlowTransport(inner: self.transport, clock: self.clock, duration: requestDuration),
            metricsFactory: self.metrics,
            diagnostics: .none,
            clock: self.clock
        )
    }

    var sink: WebTrackingLogHandler { self.producer.makeLogHandler(label: "label") }

    /// Waits until the next report is five seconds away, and so the last one is done.
    func waitForReporter() async {
        while self.clock.timeToNextDeadline != .seconds(5) { await Task.yield() }
    }

    func stop(sourceLocation: SourceLocation = #_sourceLocation) async {
        await self.producer.shutdown(timeout: .seconds(60))
        self.checkConservation(sourceLocation: sourceLocation)
    }

    func checkConservation(sourceLocation: SourceLocation = #_sourceLocation) {
        let numbers = self.producer.statistics
        #expect(
            numbers.accepted == numbers.delivered + numbers.totalDropped + numbers.pending,
            sourceLocation: sourceLocation
        )
        #expect(self.transport.malformed == [], sourceLocation: sourceLocation)
    }

    /// Lets time pass while a request is on its way.
    private struct SlowTransport: WebTrackingTransport {
        let inner: InMemoryTransport
        let clock: ManualClock
        let duration: Duration

        func send(_ request: TransportRequest) async throws -> TransportResponse {
            if self.duration > .zero { self.clock.advance(by: self.duration) }
            return try await self.inner.send(request)
        }
    }
}

#endif

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Metrics

import Metrics

public import CoreMetrics

/// Reports a producer's statistics through swift-metrics.
///
/// The instruments are made once. Counters get the difference since the last report, every five seconds and at the end
/// of the shutdown. Request durations are recorded when a request ends.
final class MetricsObserver: ProducerObserver {
    let interval: Duration? = .seconds(5)

    private let counters: [(counter: Counter, count: any KeyPath<WebTrackingStatistics, Int> & Sendable)]
    private let dropped: [DropReason: Counter]
    private let repaired: [RepairKind: Counter]
    private let requests: [RequestOutcome: Counter]
    private let durations: [RequestOutcome: CoreMetrics.Timer]
    private let gauges: [(gauge: Gauge, value: any KeyPath<WebTrackingStatistics, Int> & Sendable)]
    private let oldestAge: Gauge
    private let spoolUnavailable: Gauge
    private let last = Lock<WebTrackingStatistics?>(nil)

    init(factory: any MetricsFactory) {
        func counter(_ name: String, _ dimensions: [(String, String)] = []) -> Counter {
            Counter(label: "webtracking.\(name)", dimensions: dimensions, factory: factory)
        }
        func gauge(_ name: String) -> Gauge {
            Gauge(label: "webtracking.\(name)", dimensions: [], factory: factory)
        }
        func each<Key: CaseIterable & RawRepresentable<String> & Hashable, Value>(
            _ make: (Key) -> Value
        ) -> [Key: Value] {
            Dictionary(uniqueKeysWithValues: Key.allCases.map { ($0, make($0)) })
        }
        self.counters = [
            (counter("records.accepted"), \.accepted),
            (counter("records.recovered"), \.recovered),
            (counter("records.delivered"), \.delivered),
            (counter("requests.retried"), \.retries),
            (counter("bytes.raw"), \.rawBytes),
            (counter("bytes.wire"), \.wireBytes),
            (counter("values.redacted"), \.redacted),
            (counter("spool.damaged"), \.damagedSpoolFiles),
            (counter("spool.unexpected_exits"), \.unexpectedExits),
        ]
        self.dropped = each { counter("records.dropped", [("reason", $0.rawValue)]) }
        self.repaired = each { counter("records.repaired", [("kind", $0.rawValue)]) }
        self.requests = each { counter("requests", [("outcome", $0.rawValue)]) }
        self.durations = each {
            CoreMetrics.Timer(
                label: "webtracking.request.duration",
                dimensions: [("outcome", $0.rawValue)],
                factory: factory
            )
        }
        self.gauges = [
            (gauge("queue.records"), \.pending),
            (gauge("queue.bytes"), \.pendingBytes),
            (gauge("spool.bytes"), \.spoolBytes),
            (gauge("queue.unspooled"), \.unspooled),
        ]
        self.oldestAge = gauge("queue.oldest.seconds")
        self.spoolUnavailable = gauge("spool.unavailable")
    }

    func requestFinished(_ outcome: RequestOutcome, duration: Duration) {
        self.durations[outcome]?.recordNanoseconds(duration.saturatedNanoseconds)
    }

    func report(_ read: () -> WebTrackingStatistics) {
        // Read inside the lock, so that no report comes after a later one and counts backwards.
        self.last.withLock { last in
            let statistics = read()
            for (counter, count) in self.counters {
                counter.increment(by: statistics[keyPath: count] - (last?[keyPath: count] ?? 0))
            }
            Self.add(statistics.dropped, since: last?.dropped, to: self.dropped)
            Self.add(statistics.repaired, since: last?.repaired, to: self.repaired)
            Self.add(statistics.requests, since: last?.requests, to: self.requests)
            for (gauge, value) in self.gauges { gauge.record(statistics[keyPath: value]) }
            self.oldestAge.record(statistics.oldestAge.inSeconds)
            self.spoolUnavailable.record(statistics.isSpoolUnavailable ? 1 : 0)
            last = statistics
        }
    }

    private static func add<Key>(_ now: [Key: Int], since last: [Key: Int]?, to counters: [Key: Counter]) {
        for (key, count) in now {
            let added = count - (last?[key] ?? 0)
            if added > 0 { counters[key]?.increment(by: added) }
        }
    }
}

/// The observer of a producer that was given none: swift-metrics' bootstrapped or task-local factory.
enum DefaultObserver {
    static func make() -> any ProducerObserver {
        MetricsObserver(factory: MetricsSystem.factory)
    }
}

extension WebTrackingProducer {
    /// Creates a producer that reports to a metrics factory of your own instead of the bootstrapped one.
    ///
    /// Throws ``ConfigurationError`` for the first setting that cannot work.
    public convenience init(
        configuration: WebTrackingConfiguration,
        transport: any WebTrackingTransport,
        metricsFactory: any MetricsFactory,
        diagnostics: DiagnosticHandler = .standardError,
        clock: any ProducerClock = SystemProducerClock()
    ) throws {
        try self.init(
            configuration: configuration,
            transport: transport,
            diagnostics: diagnostics,
            clock: clock,
            observer: MetricsObserver(factory: metricsFactory),
            random: { Double.random(in: 0..<1) },
            exchangeClock: Self.exchangeClock(beside: clock),
            looksAround: true
        )
    }
}

#else

/// The observer of a producer that was given none. Without the `Metrics` trait it does nothing.
enum DefaultObserver {
    static func make() -> any ProducerObserver { NoObserver() }

    private struct NoObserver: ProducerObserver {
        var interval: Duration? { nil }
        func report(_ read: () -> WebTrackingStatistics) {}
        func requestFinished(_ outcome: RequestOutcome, duration: Duration) {}
    }
}

#endif

extension WebTrackingProducer {
    /// Creates a producer. It sends nothing before the first record.
    ///
    /// Throws ``ConfigurationError`` for the first setting that cannot work.
    ///
    /// - Parameters:
    ///   - configuration: Where logs go and how.
    ///   - transport: Carries the requests; the producer shuts it down at the end of its own shutdown.
    ///   - diagnostics: Receives the producer's diagnostics. By default, writes rate-limited lines to standard error.
    ///   - clock: The producer's clock.
    public convenience init(
        configuration: WebTrackingConfiguration,
        transport: any WebTrackingTransport,
        diagnostics: DiagnosticHandler = .standardError,
        clock: any ProducerClock = SystemProducerClock()
    ) throws {
        try self.init(
            configuration: configuration,
            transport: transport,
            diagnostics: diagnostics,
            clock: clock,
            observer: DefaultObserver.make(),
            random: { Double.random(in: 0..<1) },
            exchangeClock: Self.exchangeClock(beside: clock),
            looksAround: true
        )
    }

    /// The clock for the deadline of a call of the transport: the producer's own if it is the system's, otherwise none.
    /// A test's clock says nothing about how long a call takes, and while only the test moves time, no retry would
    /// follow.
    static func exchangeClock(beside clock: any ProducerClock) -> (any ProducerClock)? {
        clock is SystemProducerClock ? clock : nil
    }
}

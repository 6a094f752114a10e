// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Metrics

import Metrics

public import CoreMetrics

/// Reports a producer's statistics through swift-metrics.
///
/// The instruments are made once. Counters get what has been added since the last report, every five seconds and at the
/// end of the shutdown; request durations are recorded as they end.
final class MetricsObserver: ProducerObserver {
    let interval: Duration? = .seconds(5)

    private let accepted: Counter
    private let recovered: Counter
    private let delivered: Counter
    private let retries: Counter
    private let rawBytes: Counter
    private let wireBytes: Counter
    private let redacted: Counter
    private let damagedSpoolFiles: Counter
    private let dropped: [DropReason: Counter]
    private let repaired: [RepairKind: Counter]
    private let requests: [RequestOutcome: Counter]
    private let durations: [RequestOutcome: CoreMetrics.Timer]
    private let pending: Gauge
    private let pendingBytes: Gauge
    private let oldestAge: Gauge
    private let spoolBytes: Gauge
    private let spoolUnavailable: Gauge
    private let unspooled: Gauge
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
        self.accepted = counter("records.accepted")
        self.recovered = counter("records.recovered")
        self.delivered = counter("records.delivered")
        self.retries = counter("requests.retried")
        self.rawBytes = counter("bytes.raw")
        self.wireBytes = counter("bytes.wire")
        self.redacted = counter("values.redacted")
        self.damagedSpoolFiles = counter("spool.damaged")
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
        self.pending = gauge("queue.records")
        self.pendingBytes = gauge("queue.bytes")
        self.oldestAge = gauge("queue.oldest.seconds")
        self.spoolBytes = gauge("spool.bytes")
        self.spoolUnavailable = gauge("spool.unavailable")
        self.unspooled = gauge("queue.unspooled")
    }

    func requestFinished(_ outcome: RequestOutcome, duration: Duration) {
        self.durations[outcome]?.recordNanoseconds(duration.wholeNanoseconds)
    }

    func report(_ read: () -> WebTrackingStatistics) {
        // Read inside the lock, so that no report comes after a later one and counts backwards.
        self.last.withLock { last in
            let statistics = read()
            self.accepted.increment(by: statistics.accepted - (last?.accepted ?? 0))
            self.recovered.increment(by: statistics.recovered - (last?.recovered ?? 0))
            self.delivered.increment(by: statistics.delivered - (last?.delivered ?? 0))
            self.retries.increment(by: statistics.retries - (last?.retries ?? 0))
            self.rawBytes.increment(by: statistics.rawBytes - (last?.rawBytes ?? 0))
            self.wireBytes.increment(by: statistics.wireBytes - (last?.wireBytes ?? 0))
            self.redacted.increment(by: statistics.redacted - (last?.redacted ?? 0))
            self.damagedSpoolFiles.increment(by: statistics.damagedSpoolFiles - (last?.damagedSpoolFiles ?? 0))
            Self.add(statistics.dropped, since: last?.dropped, to: self.dropped)
            Self.add(statistics.repaired, since: last?.repaired, to: self.repaired)
            Self.add(statistics.requests, since: last?.requests, to: self.requests)
            self.pending.record(statistics.pending)
            self.pendingBytes.record(statistics.pendingBytes)
            self.oldestAge.record(statistics.oldestAge.inSeconds)
            self.spoolBytes.record(statistics.spoolBytes)
            self.spoolUnavailable.record(statistics.isSpoolUnavailable ? 1 : 0)
            self.unspooled.record(statistics.unspooled)
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

/// The observer of producers that are not given one: swift-metrics' bootstrapped or task-local factory.
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
            exchangeClock: Self.exchangeClock(beside: clock)
        )
    }
}

#else

/// The observer of producers that are not given one: none, without the `Metrics` trait.
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
    /// Creates a producer; nothing is sent before the first record.
    ///
    /// Throws ``ConfigurationError`` for the first setting that cannot work.
    ///
    /// - Parameters:
    ///   - configuration: Where logs go and how.
    ///   - transport: Carries the requests; the producer shuts it down at the end of its own shutdown.
    ///   - diagnostics: Receives the producer's diagnostics; by default, writes rate-limited lines to standard error.
    ///   - clock: The time that the producer lives by.
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
            exchangeClock: Self.exchangeClock(beside: clock)
        )
    }

    /// The clock by which a call of the transport is left behind: the producer's own, if it is the system's. Time that a
    /// test moves says nothing of a call, and where the test alone moves time nothing would try again what is left behind.
    static func exchangeClock(beside clock: any ProducerClock) -> (any ProducerClock)? {
        clock is SystemProducerClock ? clock : nil
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// A producer with a transport and a clock in a test's hands.
struct Rig {
    let producer: WebTrackingProducer
    let transport: InMemoryTransport
    let clock: ManualClock
    let diagnostics: Recorder<ProducerDiagnostic>

    /// The wall time at which every rig starts: 2026-01-01T00:00:00Z.
    static let start: Int64 = 1_767_225_600_000_000_000

    init(
        transport: InMemoryTransport = InMemoryTransport(),
        jitter: Double = 1,
        wallTime: Int64 = Rig.start,
        exchangeClock: ManualClock? = nil,
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.source = "host"
        configuration.logLevel = .trace
        configure(&configuration)
        let clock = ManualClock(wallTime: wallTime)
        let diagnostics = Recorder<ProducerDiagnostic>()
        self.transport = transport
        self.clock = clock
        self.diagnostics = diagnostics
        self.producer = try WebTrackingProducer(
            configuration: configuration,
            transport: transport,
            diagnostics: DiagnosticHandler {
                // Said of every producer; what a rig collects are troubles.
                if case .settingsInForce = $0 { return }
                diagnostics.add($0)
            },
            clock: clock,
            observer: Quiet(),
            random: { jitter },
            exchangeClock: exchangeClock
        )
    }

    /// A handler of the producer.
    func sink(_ label: String = "label") -> WebTrackingLogHandler {
        self.producer.makeLogHandler(label: label)
    }

    /// Delivers everything, checks the conservation law, and returns what arrived.
    @discardableResult
    func drain(sourceLocation: SourceLocation = #_sourceLocation) async -> [[String: String]] {
        await self.producer.flush(timeout: .seconds(60))
        self.checkConservation(sourceLocation: sourceLocation)
        return self.transport.logs
    }

    /// The names of the fields of all records that arrived, in the order in which they are written.
    func names() throws -> [[String]] {
        try self.transport.stored.flatMap { request -> [[String]] in
            guard case .object(let members) = try JSONValue.parse(request.rawBody),
                case .array(let records) = members.last?.value
            else { return [] }
            return records.map { record in
                guard case .object(let fields) = record else { return [] }
                return fields.map(\.name)
            }
        }
    }

    /// Moves the clock from one deadline to the next until nothing is pending.
    func runUntilSettled() async {
        await self.run { self.producer.statistics.pending == 0 }
    }

    /// Moves the clock from one deadline to the next until `condition` holds.
    ///
    /// Deadlines further away than `step` are not moved to: those of a flush or a shutdown that should not be reached.
    func run(inStepsOf step: Duration? = nil, until condition: () -> Bool) async {
        while !condition() {
            guard !Task.isCancelled else {
                Issue.record("the time limit came before the condition held")
                return
            }
            await Task.yield()
            if let rest = self.clock.timeToNextDeadline, step.map({ rest <= $0 }) ?? true, !condition() {
                self.clock.advance(by: rest)
            }
        }
    }

    /// Whether a look for what other processes left is over, and nothing but the next one is waited for: half a minute, less
    /// what the clock was moved by meanwhile.
    var awaitsNextLook: Bool {
        self.clock.timeToNextDeadline.map { $0 > .seconds(25) && $0 <= .seconds(30) } ?? false
    }

    /// Stops the producer, and checks the conservation law.
    @discardableResult
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async -> DeliveryReport {
        let report = await self.producer.shutdown(timeout: .seconds(60))
        self.checkConservation(sourceLocation: sourceLocation)
        return report
    }

    /// Checks that accepted = delivered + dropped + pending, and that the transport saw nothing malformed.
    func checkConservation(sourceLocation: SourceLocation = #_sourceLocation) {
        let numbers = self.producer.statistics
        #expect(
            numbers.accepted == numbers.delivered + numbers.totalDropped + numbers.pending,
            sourceLocation: sourceLocation
        )
        #expect(self.transport.malformed == [], sourceLocation: sourceLocation)
    }

    private struct Quiet: ProducerObserver {
        var interval: Duration? { nil }
        func report(_ read: () -> WebTrackingStatistics) {}
        func requestFinished(_ outcome: RequestOutcome, duration: Duration) {}
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct ExchangeDeadlineTests {
    /// A call that returns when it is told to, and not when it is cancelled.
    private final class Stubborn: Sendable {
        let bell = Doorbell()
        let hasBegun = Doorbell()

        func call() async -> Int {
            self.hasBegun.ring()
            // Not cancelled with its task.
            await Task.detached { await self.bell.wait(until: nil, clock: SystemProducerClock()) }.value
            return 7
        }
    }

    /// Moves the clock to the next deadline once there is one.
    private func advance(_ clock: ManualClock) async {
        while clock.timeToNextDeadline == nil { await Task.yield() }
        if let rest = clock.timeToNextDeadline { clock.advance(by: rest) }
    }

    @Test func aCallThatIsLateIsLeftBehindAndCountedUntilItReturns() async {
        let clock = ManualClock(wallTime: Rig.start)
        let deadline = ExchangeDeadline(time: .seconds(35), limit: 1, clock: clock, executor: nil)
        let stubborn = Stubborn()
        async let result = deadline.run { await stubborn.call() }
        await stubborn.hasBegun.wait(until: nil, clock: clock)
        await self.advance(clock)
        #expect(await result == nil)
        #expect(deadline.leftBehind == 1)
        stubborn.bell.ring()
        while deadline.leftBehind > 0 { await Task.yield() }
    }

    @Test func moreThanTheLimitAreWaitedFor() async {
        let clock = ManualClock(wallTime: Rig.start)
        let deadline = ExchangeDeadline(time: .seconds(35), limit: 1, clock: clock, executor: nil)
        let first = Stubborn()
        let second = Stubborn()
        async let left = deadline.run { await first.call() }
        await first.hasBegun.wait(until: nil, clock: clock)
        await self.advance(clock)
        #expect(await left == nil)
        async let waited = deadline.run { await second.call() }
        await second.hasBegun.wait(until: nil, clock: clock)
        for _ in 0..<3 { await self.advance(clock) }
        #expect(deadline.leftBehind == 1)
        second.bell.ring()
        #expect(await waited == 7)
        first.bell.ring()
        while deadline.leftBehind > 0 { await Task.yield() }
    }

    @Test func aCallThatEndsInTimeIsNotLeftBehind() async {
        let clock = ManualClock(wallTime: Rig.start)
        let deadline = ExchangeDeadline(time: .seconds(35), limit: 1, clock: clock, executor: nil)
        #expect(await deadline.run { 7 } == 7)
        #expect(deadline.leftBehind == 0)
        while clock.timeToNextDeadline != nil { await Task.yield() }
    }

    @Test func callsAreLeftBehindByTheSystemsTimeAlone() {
        #expect(WebTrackingProducer.exchangeClock(beside: SystemProducerClock()) is SystemProducerClock)
        #expect(WebTrackingProducer.exchangeClock(beside: ManualClock()) == nil)
    }

    @Test func aTransportThatNeverReturnsHoldsNoTopicForEverAndItsBodyCountsUntilItDoes() async throws {
        /// Never returns from its first call, cancelled or not.
        final class Stuck: WebTrackingTransport {
            let inner = InMemoryTransport()
            let first = Stubborn()
            let calls = Lock(0)

            func send(_ request: TransportRequest) async throws -> TransportResponse {
                let isFirst = self.calls.withLock { calls in
                    calls += 1
                    return calls == 1
                }
                if isFirst { _ = await self.first.call() }
                return try await self.inner.send(request)
            }

            func shutdown() async {}
        }
        let transport = Stuck()
        let calls = ManualClock(wallTime: Rig.start)
        let clock = ManualClock(wallTime: Rig.start)
        let failures = Recorder<ProducerDiagnostic>()
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.compression = .none
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: transport,
            diagnostics: DiagnosticHandler { if case .requestFailed = $0 { failures.add($0) } },
            clock: clock,
            observer: DefaultObserver.make(),
            random: { 1 },
            exchangeClock: calls
        )
        let message = String(repeating: "m", count: 10_000)
        producer.makeLogHandler(label: "l").log(level: .error, "\(message)")
        await transport.first.hasBegun.wait(until: nil, clock: clock)
        while calls.timeToNextDeadline == nil { await Task.yield() }
        #expect(calls.timeToNextDeadline == .seconds(20))
        calls.advance(by: .seconds(20))
        await failures.wait(for: 1)
        #expect("\(failures.elements[0])".contains("left behind"))
        while producer.statistics.pending > 0 {
            if let rest = clock.timeToNextDeadline { clock.advance(by: rest) }
            await Task.yield()
        }
        #expect(transport.inner.logs.map { $0["message"] } == [message])
        #expect(producer.statistics.retries == 1 && producer.statistics.delivered == 1)
        // The call has its body still, so that it counts, with the copy that a client makes.
        #expect((20_000..<22_000).contains(producer.statistics.pendingBytes))
        // It comes late, and is a duplicate.
        transport.first.bell.ring()
        while transport.inner.logs.count < 2 { await Task.yield() }
        while producer.statistics.pendingBytes > 0 { await Task.yield() }
        #expect(producer.statistics.delivered == 1)
        await producer.shutdown(timeout: .seconds(1))
    }

    @Test func theBooksAreKeptWithinTheLimit() {
        var ledger = ExchangeDeadline.Ledger(limit: 2)
        #expect(ledger.leave() && ledger.leave() && !ledger.leave())
        ledger.returned()
        #expect(ledger.leftBehind == 1 && ledger.leave() && ledger.leftBehind == 2)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct InstantTests {
    private static let edges: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]

    @Test func sumsAndDifferencesEndAtTheRangeOfTime() {
        for left in Self.edges {
            for right in Self.edges {
                let difference = MonotonicInstant(nanoseconds: left) - MonotonicInstant(nanoseconds: right)
                let exact = Int128(left) - Int128(right)
                let nanoseconds = Int128(difference.saturatedNanoseconds)
                #expect(nanoseconds == min(max(exact, Int128(Int64.min)), Int128(Int64.max)))
                let sum = MonotonicInstant(nanoseconds: left) + .nanoseconds(right)
                let whole = Int128(left) + Int128(right)
                #expect(Int128(sum.nanoseconds) == min(max(whole, Int128(Int64.min)), Int128(Int64.max)))
            }
        }
    }

    @Test func aDurationOfAnySizeHasNanoseconds() {
        #expect(Duration.seconds(Int64.max).saturatedNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).saturatedNanoseconds == .min)
        #expect(Duration.nanoseconds(Int64.min).saturatedNanoseconds == .min)
        #expect((Duration.nanoseconds(Int64.min) - .nanoseconds(1)).saturatedNanoseconds == .min)
        #expect((Duration.nanoseconds(Int64.max) + .nanoseconds(1)).saturatedNanoseconds == .max)
    }

    @Test(arguments: [
        Duration.nanoseconds(Int64.min), .seconds(Int64.min), .seconds(-1), .zero, .nanoseconds(Int64.max),
        .seconds(Int64.max),
    ])
    func anyTimeoutIsTakenByFlushAndShutdown(timeout: Duration) async throws {
        for clock in [SystemProducerClock() as any ProducerClock, ManualClock(wallTime: Rig.start)] {
            let configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
            let producer = try WebTrackingProducer(
                configuration: configuration,
                transport: InMemoryTransport(),
                diagnostics: .none,
                clock: clock
            )
            producer.makeLogHandler(label: "l").log(level: .info, "m")
            let report = await producer.flush(timeout: timeout)
            #expect(report.delivered + report.remaining == 1)
            let last = await producer.shutdown(timeout: timeout)
            #expect(report.delivered + last.delivered + last.dropped.values.reduce(0, +) == 1)
        }
    }

    @Test func theSystemsClockSleepsUntilTheBeginningOfTimeAtOnceAndIsWokenFromTheEnd() async throws {
        let clock = SystemProducerClock()
        try await clock.sleep(until: MonotonicInstant(nanoseconds: .min))
        let task = Task { try await clock.sleep(until: MonotonicInstant(nanoseconds: .max)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}

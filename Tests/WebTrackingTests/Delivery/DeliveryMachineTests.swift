// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// The decisions of one topic's delivery, without anything that delivers.
@Suite(.timeLimit(.minutes(10))) struct DeliveryMachineTests {
    private struct Batch: DeliverableBatch, Equatable {
        var openedAt = MonotonicInstant(nanoseconds: 0)
        var records: Range<Int>

        var count: Int { self.records.count }
    }

    private let policy = RetryPolicy(WebTrackingConfiguration.Delivery())

    private func at(_ duration: Duration) -> MonotonicInstant { MonotonicInstant(nanoseconds: 0) + duration }

    private func machine(_ records: Range<Int> = 0..<8) -> DeliveryMachine<Batch> {
        var machine = DeliveryMachine<Batch>(policy: self.policy)
        machine.accept(Batch(records: records))
        return machine
    }

    /// The end of the request that is next, whatever the machine would wait for.
    private func end(
        _ machine: inout DeliveryMachine<Batch>,
        _ verdict: Verdict,
        at now: MonotonicInstant,
        jitter: Double,
        isClosing: Bool
    ) -> DeliveryMachine<Batch>.Result? {
        var probe = machine
        if self.sent(probe.next(at: now)) == nil {
            machine.skipBackoff()
            _ = machine.next(at: now)
        } else {
            machine = probe
        }
        return machine.finish(verdict, at: now, jitter: jitter, isClosing: isClosing)
    }

    private func delay(_ result: DeliveryMachine<Batch>.Result?) -> Duration? {
        if case .kept(let delay)? = result { delay } else { nil }
    }

    private func sent(_ step: DeliveryMachine<Batch>.Step) -> Range<Int>? {
        guard case .send(let batch, let range, _) = step else { return nil }
        let first = batch.records.lowerBound
        return first + range.lowerBound..<first + range.upperBound
    }

    private func records(_ part: BatchRange<Batch>) -> [Int] {
        part.ranges.flatMap { Array($0) }.map { $0 + part.batch.records.lowerBound }
    }

    private func dropped(_ step: DeliveryMachine<Batch>.Step) -> DropReason? {
        if case .drop(_, let reason) = step { reason } else { nil }
    }

    private func dropped(_ result: DeliveryMachine<Batch>.Result?) -> DropReason? {
        if case .dropped(_, let reason)? = result { reason } else { nil }
    }

    @Test func ceilingsDoubleUpToTheMaximumAndJitterTakesAnyPart() {
        var machine = self.machine()
        var delays: [Duration] = []
        for _ in 0..<12 {
            let result = self.end(
                &machine,
                .retry(.unavailable, after: nil),
                at: self.at(.zero),
                jitter: 1,
                isClosing: false
            )
            delays.append(self.delay(result) ?? .zero)
        }
        #expect(delays.prefix(4) == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(delays.suffix(3) == [.seconds(30), .seconds(30), .seconds(30)])
        let backoff = RetryPolicy.Backoff(initial: .seconds(1), maximum: .seconds(60))
        #expect(backoff.delay(failures: 3, jitter: 0) == .zero)
        #expect(backoff.delay(failures: 3, jitter: 0.5) == .seconds(2))
        #expect(backoff.steadyDelay(failures: 3, jitter: 0) == .seconds(2))
        #expect(backoff.steadyDelay(failures: 3, jitter: 1) == .seconds(4))
        #expect(backoff.delay(failures: 1_000_000, jitter: 1) == .seconds(60))
    }

    @Test(arguments: [
        (RequestOutcome.throttled, Duration.milliseconds(500), Duration.seconds(30)),
        (.unauthorized, .milliseconds(2500), .seconds(30)), (.notFound, .milliseconds(2500), .seconds(30)),
    ])
    func quotaAndRefusalWaitLongerAndHalfOfItForCertain(outcome: RequestOutcome, first: Duration, last: Duration) {
        var machine = self.machine()
        let one = self.end(&machine, .retry(outcome, after: nil), at: self.at(.zero), jitter: 0, isClosing: false)
        #expect(self.delay(one) == first)
        var latest: Duration?
        for _ in 0..<20 {
            let result = self.end(
                &machine,
                .retry(outcome, after: nil),
                at: self.at(.zero),
                jitter: 0,
                isClosing: false
            )
            latest = self.delay(result)
        }
        #expect(latest == last)
    }

    @Test func aFailureOfAnotherKindStartsItsOwnBackoff() {
        var machine = self.machine()
        for _ in 0..<5 {
            _ = self.end(&machine, .retry(.unavailable, after: nil), at: self.at(.zero), jitter: 1, isClosing: false)
        }
        let quota = self.end(&machine, .retry(.throttled, after: nil), at: self.at(.zero), jitter: 1, isClosing: false)
        #expect(self.delay(quota) == .seconds(1))
    }

    @Test func anExceededQuotaSpacesTheRequestsAfterItAndEachSuccessTakesATenthOff() {
        var machine = self.machine()
        for _ in 0..<4 {
            _ = self.end(&machine, .retry(.throttled, after: nil), at: self.at(.zero), jitter: 1, isClosing: false)
        }
        _ = self.end(&machine, .delivered, at: self.at(.seconds(8)), jitter: 1, isClosing: false)
        #expect(machine.paced(at: self.at(.seconds(8))) == self.at(.seconds(8) + .milliseconds(7200)))
        #expect(machine.paced(at: self.at(.seconds(16))) == nil)
        // The next shortage starts from there, and not from the first backoff.
        machine.accept(Batch(records: 8..<9))
        let next = self.end(
            &machine,
            .retry(.throttled, after: nil),
            at: self.at(.seconds(16)),
            jitter: 1,
            isClosing: false
        )
        #expect(self.delay(next) == .milliseconds(14_400))
        var successes = 0
        repeat {
            machine.accept(Batch(records: 0..<1))
            _ = self.end(&machine, .delivered, at: self.at(.seconds(30)), jitter: 1, isClosing: false)
            successes += 1
        } while machine.paced(at: self.at(.seconds(30))) != nil
        #expect(successes == 32)
    }

    @Test func aFlushAndAShutdownDoNotWaitForTheQuota() {
        var machine = self.machine()
        _ = self.end(&machine, .retry(.throttled, after: nil), at: self.at(.zero), jitter: 1, isClosing: false)
        _ = self.end(&machine, .delivered, at: self.at(.seconds(1)), jitter: 1, isClosing: false)
        #expect(machine.paced(at: self.at(.seconds(1))) != nil)
        machine.skipBackoff()
        #expect(machine.paced(at: self.at(.seconds(1))) == nil)
        machine.accept(Batch(records: 8..<9))
        _ = self.end(&machine, .retry(.throttled, after: nil), at: self.at(.seconds(1)), jitter: 1, isClosing: true)
        _ = self.end(&machine, .delivered, at: self.at(.seconds(2)), jitter: 1, isClosing: true)
        #expect(machine.paced(at: self.at(.seconds(2))) == nil)
    }

    @Test func theServicesRetryAfterIsHonouredUpToFiveMinutes() {
        var machine = self.machine()
        let asked = self.end(
            &machine,
            .retry(.unavailable, after: .seconds(17)),
            at: self.at(.zero),
            jitter: 0,
            isClosing: false
        )
        #expect(self.delay(asked) == .seconds(17))
        let absurd = self.end(
            &machine,
            .retry(.unavailable, after: .seconds(1 << 30)),
            at: self.at(.zero),
            jitter: 0,
            isClosing: false
        )
        #expect(self.delay(absurd) == .seconds(300))
    }

    @Test func whileClosingNoWaitIsLongerThanASecond() {
        var machine = self.machine()
        let result = self.end(
            &machine,
            .retry(.unauthorized, after: .seconds(60)),
            at: self.at(.zero),
            jitter: 1,
            isClosing: true
        )
        #expect(self.delay(result) == .seconds(1))
    }

    @Test func nothingIsSentBeforeTheWaitIsOverExceptAfterANudge() {
        var machine = self.machine()
        _ = self.end(
            &machine,
            .retry(.unavailable, after: .seconds(10)),
            at: self.at(.zero),
            jitter: 0,
            isClosing: false
        )
        guard case .wait(let until, _) = machine.next(at: self.at(.seconds(9))) else {
            Issue.record("no wait")
            return
        }
        #expect(until == self.at(.seconds(10)))
        var nudged = machine
        nudged.skipBackoff()
        #expect(self.sent(nudged.next(at: self.at(.seconds(9)))) == 0..<8)
        #expect(self.sent(machine.next(at: self.at(.seconds(10)))) == 0..<8)
    }

    @Test func successEndsTheBackoff() {
        var machine = self.machine()
        for _ in 0..<8 {
            _ = self.end(&machine, .retry(.unavailable, after: nil), at: self.at(.zero), jitter: 1, isClosing: false)
        }
        _ = self.end(&machine, .delivered, at: self.at(.zero), jitter: 1, isClosing: false)
        machine.accept(Batch(records: 8..<9))
        let result = self.end(
            &machine,
            .retry(.unavailable, after: nil),
            at: self.at(.zero),
            jitter: 1,
            isClosing: false
        )
        #expect(self.delay(result) == .milliseconds(100))
    }

    @Test func aBatchThatIsTooLargeIsHalvedInOrderUntilEachPartFitsOrIsOneRecord() {
        var machine = self.machine(0..<5)
        var delivered: [Int] = []
        var tooLarge: [Int] = []
        while let records = self.sent(machine.next(at: self.at(.zero))) {
            // The record 3 is too large by itself; others go two at a time.
            let isTooLarge = records.contains(3) || records.count > 2
            let verdict: Verdict = isTooLarge ? .narrow(.tooLarge, byService: true) : .delivered
            switch machine.finish(verdict, at: self.at(.zero), jitter: 1, isClosing: false) {
            case .delivered(let part): delivered += self.records(part)
            case .dropped(let part, let reason):
                #expect(reason == .tooLarge)
                tooLarge += self.records(part)
            case .narrowed, .kept: break
            }
        }
        #expect(delivered == [0, 1, 2, 4])
        #expect(tooLarge == [3])
    }

    @Test func aBatchExpiresADayAfterItsFirstRecordEvenWhileItWaits() {
        var machine = self.machine()
        _ = self.end(
            &machine,
            .retry(.unavailable, after: .seconds(300)),
            at: self.at(.seconds(86_390)),
            jitter: 0,
            isClosing: false
        )
        guard case .wait(let until, _) = machine.next(at: self.at(.seconds(86_391))) else {
            Issue.record("no wait")
            return
        }
        #expect(until == self.at(.seconds(86_400)))
        #expect(self.dropped(machine.next(at: until)) == .expired)
        guard case .take = machine.next(at: until) else {
            Issue.record("still something in hand")
            return
        }
    }

    @Test(arguments: [(RequestOutcome.unauthorized, DropReason.unauthorized), (.notFound, .notFound)])
    func refusalsAreRetriedForTenMinutesAndThenDroppedOnePerAttempt(outcome: RequestOutcome, reason: DropReason) {
        var machine = self.machine()
        var now = self.at(.zero)
        var attempts = 0
        var dropped: DropReason?
        while dropped == nil, self.sent(machine.next(at: now)) != nil {
            attempts += 1
            let result = self.end(&machine, .retry(outcome, after: nil), at: now, jitter: 1, isClosing: false)
            dropped = self.dropped(result)
            now = now + (self.delay(result) ?? .zero)
        }
        #expect(now >= self.at(.seconds(600)))
        #expect((10...20).contains(attempts))
        #expect(dropped == reason)
        machine.accept(Batch(openedAt: now, records: 8..<9))
        // The distance between attempts is kept.
        guard case .wait(let until, _) = machine.next(at: now) else {
            Issue.record("no wait after a refusal")
            return
        }
        #expect(self.sent(machine.next(at: until)) == 8..<9)
        let result = self.end(&machine, .retry(outcome, after: nil), at: until, jitter: 1, isClosing: false)
        #expect(self.dropped(result) == reason)
    }

    @Test func anotherAnswerEndsARefusalAndNoAnswerDoesNot() {
        for (between, ends) in [(RequestOutcome.failed, false), (.unavailable, true)] {
            var machine = self.machine()
            _ = self.end(&machine, .retry(.unauthorized, after: nil), at: self.at(.zero), jitter: 0, isClosing: false)
            _ = self.end(&machine, .retry(between, after: nil), at: self.at(.seconds(300)), jitter: 0, isClosing: false)
            let result = self.end(
                &machine,
                .retry(.unauthorized, after: nil),
                at: self.at(.seconds(610)),
                jitter: 0,
                isClosing: false
            )
            #expect((self.dropped(result) == nil) == ends)
        }
    }

    @Test func anOutageAfterARefusalGivesUpNoBatchWithoutAFreshAnswer() {
        var machine = self.machine()
        _ = self.end(&machine, .retry(.unauthorized, after: nil), at: self.at(.zero), jitter: 0, isClosing: false)
        for minute in 1...60 {
            let now = self.at(.seconds(60 * minute))
            #expect(self.sent(machine.next(at: now)) == 0..<8)
            _ = self.end(&machine, .retry(.failed, after: nil), at: now, jitter: 0, isClosing: false)
        }
        #expect(self.sent(machine.next(at: self.at(.seconds(3700)))) == 0..<8)
        let result = self.end(&machine, .delivered, at: self.at(.seconds(3700)), jitter: 0, isClosing: false)
        guard case .delivered? = result else {
            Issue.record("not delivered")
            return
        }
    }

    @Test func oneBatchIsInHandAtATime() {
        var machine = self.machine()
        #expect(self.sent(machine.next(at: self.at(.zero))) == 0..<8)
        #expect(self.sent(machine.next(at: self.at(.zero))) == 0..<8)
        _ = self.end(&machine, .delivered, at: self.at(.zero), jitter: 1, isClosing: false)
        guard case .take = machine.next(at: self.at(.zero)) else {
            Issue.record("something in hand")
            return
        }
    }
}

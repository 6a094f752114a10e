// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// How much is sent at a time, and what a destination has found too large.
@Suite(.timeLimit(.minutes(10))) struct RequestSizeTests {
    private static let timeout = Duration.seconds(15)

    /// Sends `bytes` over a link of so many bytes a second; the number of timeouts and the seconds it takes.
    private func send(
        _ bytes: Int,
        rate: Double,
        latency: Double = 0.05,
        size: inout RequestSize
    ) -> (timeouts: Int, seconds: Double, requests: Int) {
        var left = bytes
        var (timeouts, seconds, requests) = (0, 0.0, 0)
        while left > 0, requests < 100_000 {
            requests += 1
            let part = min(size.limit, left)
            let took = latency + Double(part) / rate
            if took > 15 {
                size.timedOut(bytes: part)
                timeouts += 1
                seconds += 15
            } else {
                size.succeeded(bytes: part, took: .nanoseconds(Int64(took * 1e9)))
                left -= part
                seconds += took
            }
        }
        return (timeouts, seconds, requests)
    }

    @Test(arguments: [6e3, 10e3, 40e3, 200e3, 1e6])
    func aSteadyLinkSeesNoTimeoutAndIsUsedInFull(rate: Double) {
        var size = RequestSize(timeout: Self.timeout)
        let (timeouts, seconds, _) = self.send(4_000_000, rate: rate, size: &size)
        #expect(timeouts == 0)
        #expect(seconds < 1.2 * 4_000_000 / rate + 2, "\(seconds)")
    }

    @Test func aQuickWayIsUsedInFullWithinAFewRequests() {
        var size = RequestSize(timeout: Self.timeout)
        let (timeouts, _, requests) = self.send(64 << 20, rate: 1e9, latency: 0.01, size: &size)
        #expect(timeouts == 0)
        #expect(requests <= 8, "\(requests)")
    }

    @Test func eachTimeoutMakesLessDownToOneByteAndSuccessesMakeMore() {
        var size = RequestSize(timeout: Self.timeout)
        _ = self.send(64 << 20, rate: 1e9, size: &size)
        var limits: [Int] = []
        for _ in 0..<12 {
            size.timedOut(bytes: size.limit)
            limits.append(size.limit)
        }
        #expect(limits[0] <= 16 << 10)
        #expect(zip(limits, limits.dropFirst()).allSatisfy { $1 < $0 || $1 == 1 })
        #expect(limits.last == 1)
        #expect(!size.isQuick)
        size.succeeded(bytes: 300, took: .milliseconds(20))
        #expect(size.limit == 16 << 10)
        #expect(size.isQuick)
    }

    @Test func whatTimedOutIsNotTriedAgainAtOnceButStepByStep() {
        var size = RequestSize(timeout: Self.timeout)
        _ = self.send(64 << 20, rate: 1e9, size: &size)
        size.timedOut(bytes: 200_000)
        var limits: [Int] = []
        for _ in 0..<40 {
            size.succeeded(bytes: size.limit, took: .milliseconds(10))
            limits.append(size.limit)
        }
        let above = limits.filter { $0 > 100_000 }
        #expect(above.count > 20)
        #expect(zip(above, above.dropFirst()).allSatisfy { $1 - $0 <= 4 << 10 })
        #expect(limits == limits.sorted())
    }

    @Test(arguments: [nil, 280, 300]) func timeoutsOfTinyRequestsDoNotMakeAQuickWayWithLongRoundTripsSlow(before: Int?)
    {
        var size = RequestSize(timeout: Self.timeout)
        if let before { size.succeeded(bytes: before, took: .milliseconds(300)) }
        for _ in 0..<4 { size.timedOut(bytes: 300) }
        let (timeouts, seconds, requests) = self.send(10 << 20, rate: 1e9, latency: 0.3, size: &size)
        #expect(timeouts == 0)
        #expect(requests <= 15 && seconds < 5, "\(requests) requests, \(seconds) s")
    }

    @Test func aTimeoutOfASmallBodyLetsRequestsGrowToTheOrdinarySizeWithinAFewRoundTrips() {
        var size = RequestSize(timeout: Self.timeout)
        size.timedOut(bytes: 9 << 10)
        var requests = 0
        while size.limit < RequestSize.first, requests < 1000 {
            size.succeeded(bytes: size.limit, took: .milliseconds(300))
            requests += 1
        }
        #expect(requests <= 10, "\(requests)")
    }

    @Test func aLinkOf10KBASecondIsUsedInFullAfterTimeoutsOfTinyRequests() {
        var size = RequestSize(timeout: Self.timeout)
        for _ in 0..<4 { size.timedOut(bytes: 300) }
        let (timeouts, seconds, _) = self.send(4_000_000, rate: 10e3, size: &size)
        #expect(timeouts == 0)
        #expect(seconds < 1.2 * 400 + 2, "\(seconds)")
    }

    @Test func whereOnlySmallRequestsPassTheirSizeIsFound() {
        var size = RequestSize(timeout: Self.timeout)
        var (delivered, timeouts) = (0, 0)
        for _ in 0..<200 {
            // As where something on the way lets no large packets through.
            let part = max(size.limit, 300)
            if part > 1400 {
                size.timedOut(bytes: part)
                timeouts += 1
            } else {
                size.succeeded(bytes: part, took: .milliseconds(100))
                delivered += part
            }
        }
        #expect(timeouts < 120, "\(timeouts)")
        #expect(delivered > 200 * 300, "\(delivered)")
    }

    @Test func aLinkThatBecomesSlowIsLearntFromWhatStillPasses() {
        var size = RequestSize(timeout: Self.timeout)
        _ = self.send(64 << 20, rate: 1e9, size: &size)
        size.succeeded(bytes: 20_000, took: .seconds(2))
        #expect(size.limit == 75_000)
    }

    @Test func smallRequestsThatAreQuickSayNothingAgainstLargeOnes() {
        var size = RequestSize(timeout: Self.timeout)
        _ = self.send(64 << 20, rate: 1e9, size: &size)
        let before = size.limit
        for _ in 0..<100 { size.succeeded(bytes: 500, took: .milliseconds(200)) }
        #expect(size.limit == before)
    }

    @Test func answersThatAreSlowWhateverIsSentDoNotMakeRequestsSmallForEver() {
        var size = RequestSize(timeout: Self.timeout)
        for _ in 0..<100 { size.succeeded(bytes: min(size.limit, 500), took: .seconds(8)) }
        for _ in 0..<100 { size.succeeded(bytes: size.limit, took: .seconds(8)) }
        #expect(size.limit >= 30_000)
        #expect(!size.isQuick)
    }

    @Test func aLostAnswerChangesNothingAndAnOutageMakesTheFirstRequestSmall() {
        var size = RequestSize(timeout: Self.timeout)
        _ = self.send(64 << 20, rate: 1e9, size: &size)
        let before = size.limit
        size.failed(bytes: 1000, took: .milliseconds(100), hasAnswer: false)
        #expect(size.limit == before)
        size.failed(bytes: 1000, took: .milliseconds(100), hasAnswer: false)
        #expect(size.limit == RequestSize.first)
    }

    @Test func theThirdFailureInARowThatTookItsTimeMakesLessDownToOneByte() {
        var size = RequestSize(timeout: Self.timeout)
        _ = self.send(64 << 20, rate: 1e9, size: &size)
        var limits: [Int] = []
        for _ in 0..<14 {
            size.failed(bytes: size.limit, took: .seconds(2), hasAnswer: false)
            limits.append(size.limit)
        }
        #expect(limits[1] == RequestSize.first && limits[2] == RequestSize.first / 4 && limits.last == 1)
        // Larger ones have passed before: it was no matter of size.
        size.succeeded(bytes: 300, took: .milliseconds(20))
        let (_, _, requests) = self.send(64 << 20, rate: 1e9, size: &size)
        #expect(requests <= 10, "\(requests)")
    }

    @Test(arguments: [(Duration.milliseconds(900), false), (.seconds(2), true)])
    func failuresThatAreQuickOrTheServicesOwnMakeNothingSmallerThanAFirstRequest(took: Duration, hasAnswer: Bool) {
        var size = RequestSize(timeout: Self.timeout)
        for _ in 0..<20 { size.failed(bytes: size.limit, took: took, hasAnswer: hasAnswer) }
        #expect(size.limit == RequestSize.first)
    }

    @Test func whatIsCutShortOnTheWayIsLearntAsItsSize() {
        var size = RequestSize(timeout: Self.timeout)
        // 10 KB/s, and a body that is not through after 3 s is cut.
        var (delivered, requests) = (0, 0)
        for _ in 0..<400 {
            requests += 1
            let bytes = size.limit
            if bytes > 30_000 {
                size.failed(bytes: bytes, took: .seconds(3), hasAnswer: false)
            } else {
                size.succeeded(bytes: bytes, took: .milliseconds(bytes / 10))
                delivered += bytes
            }
        }
        #expect(delivered > 400 * 10_000, "\(delivered)")
    }

    @Test func anAttemptThatLastedAboutTheTimeoutCountsAsOneWhateverItsError() {
        let size = RequestSize(timeout: Self.timeout)
        #expect(size.isTimeout(.seconds(15)) && size.isTimeout(.seconds(10)))
        #expect(!size.isTimeout(.seconds(7)))
    }

    // MARK: What was too large

    @Test func aLimitIsFoundWithAHandfulOfRefusalsAndKept() {
        var bound = BodyLimits.Bound()
        let now = MonotonicInstant(nanoseconds: 0)
        var refusals = 0
        for _ in 0..<3000 {
            let size = bound.limit ?? 64_000
            if size > 2048 {
                bound.refused(size, at: now)
                refusals += 1
            } else {
                bound.took(size, at: now)
            }
        }
        #expect(refusals <= 6, "\(refusals)")
        #expect((1000...2048).contains(bound.limit ?? 0))
    }

    @Test func aLimitGrowsAgainInSmallStepsAndFallsBackToWhatWasTaken() throws {
        var bound = BodyLimits.Bound()
        var now = MonotonicInstant(nanoseconds: 0)
        bound.refused(4000, at: now)
        bound.took(2000, at: now)
        #expect(bound.limit == 2000)
        now = now + BodyLimits.Bound.patience
        // A sixteenth and a little for each success, and what is much smaller says nothing.
        bound.took(500, at: now)
        #expect(bound.limit == 2000)
        bound.took(2000, at: now)
        #expect(bound.limit == 2189)
        bound.refused(2189, at: now)
        #expect(bound.limit == 2000)
        // The limit has come down.
        bound.refused(1900, at: now)
        #expect(bound.limit == 950)
        var large = BodyLimits.Bound()
        large.refused(4 << 20, at: now)
        large.took(1 << 20, at: now)
        now = now + BodyLimits.Bound.patience
        for _ in 0..<10 { large.took(2 << 20, at: now) }
        #expect(large.limit == 2 << 20 + 10 * (4 << 10))
    }

    @Test func whereALimitStaysItIsAskedMoreAndMoreSeldom() {
        var bound = BodyLimits.Bound()
        var now = MonotonicInstant(nanoseconds: 0)
        var refusals = 0
        // A request each second for a day.
        for _ in 0..<86_400 {
            now = now + .seconds(1)
            let size = bound.limit ?? 64_000
            if size > 2048 {
                bound.refused(size, at: now)
                refusals += 1
            } else {
                bound.took(size, at: now)
            }
        }
        #expect((140...160).contains(refusals), "\(refusals)")
    }

    @Test func whatIsTakenThoughItWasRefusedEndsALimit() throws {
        var bound = BodyLimits.Bound()
        let now = MonotonicInstant(nanoseconds: 0)
        // Something answers 413 to everything for a while, down to a record by itself.
        var size = 64_000
        while size > 600 {
            bound.refused(size, at: now)
            size /= 2
        }
        bound.refused(300, isLone: true, at: now)
        #expect(try #require(bound.limit) >= 300)
        bound.took(300, at: now)
        #expect(bound.limit == nil)
    }

    @Test func aRecordThatIsTooLargeByItselfBoundsNoOthers() {
        var bound = BodyLimits.Bound()
        let now = MonotonicInstant(nanoseconds: 0)
        bound.took(64_000, at: now)
        bound.refused(300, isLone: true, at: now)
        #expect(bound.limit == nil)
    }
}

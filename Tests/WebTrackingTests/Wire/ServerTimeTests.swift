// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import Testing
import WebTrackingTestKit

@testable import WebTracking

/// What a server says about the time, and what is made of it.
@Suite(.timeLimit(.minutes(10))) struct ServerTimeTests {
    /// 2026-06-01T00:00:00Z
    private static let date = "Mon, 01 Jun 2026 00:00:00 GMT"
    private static let seconds: Int64 = 1_780_272_000

    private static func answer(_ date: String) -> TransportResponse {
        ScriptedService.refusal(400, "RequestTimeExpired", "", date: date)
    }

    @Test(arguments: [
        "Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 31 Dec 2019 23:59:59 GMT", "Sat, 01 Jan 2101 00:00:00 GMT",
        "Mon, 01 Jan 2263 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "", "now",
    ])
    func aDateOfNoServiceIsNotBelieved(date: String) {
        let time = ServerTime(clock: ManualClock(wallTime: Rig.start))
        time.adopt(from: Self.answer(date))
        #expect(time.offset == 0)
        #expect(time.now == Rig.start)
    }

    @Test(arguments: [
        "Wed, 01 Jan 2020 00:00:00 GMT", "Mon, 01 Jun 2026 00:00:00 GMT", "Fri, 31 Dec 2100 23:59:59 GMT",
    ])
    func aDateOfTheServicesYearsIsTaken(date: String) throws {
        let time = ServerTime(clock: ManualClock(wallTime: Rig.start))
        time.adopt(from: Self.answer(date))
        #expect(time.now == (try #require(RetryAfter.date(date))) * 1_000_000_000)
    }

    /// A machine without a battery begins in 1970; others have been seen anywhere.
    @Test(arguments: [0, 1, -1, .min, .min + 1, .max, .max - 1, Rig.start] as [Int64])
    func noTimeOfThisMachineEndsTheProcess(wallTime: Int64) throws {
        let time = ServerTime(clock: ManualClock(wallTime: wallTime))
        time.adopt(from: Self.answer(Self.date))
        // Only a clock before 1748 is further away than the difference has room for.
        let isNear = wallTime > .min + Self.seconds * 1_000_000_000
        #expect(!isNear || time.now == Self.seconds * 1_000_000_000)
        var encoder = LogGroupEncoder(timeField: "time", now: time.now, offset: time.offset)
        let batch = #"{"__topic__":"","__source__":"","__logs__":[{"time":"2199-12-31T23:59:59.999999999Z"}]}"#
        let group = try LogGroupReader(try #require(Array(batch.utf8).withUnsafeBytes { encoder.encode($0) }))
        #expect((0...Int(UInt32.max)).contains(try #require(group.logs.first).time))
    }

    @Test(arguments: [
        "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 2263 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
    ])
    func recordsOutliveAnAnswerWithADateOfNoService(date: String) async throws {
        let count = Recorder<Int>()
        let service = ScriptedService { _ in
            count.add(1)
            return count.elements.count <= 3 ? Self.answer(date) : ScriptedService.success
        }
        let rig = try SignedRig(service, CountingProvider())
        rig.log("a")
        await rig.runUntilSettled()
        #expect(rig.producer.statistics.delivered == 1)
        #expect(service.requests.elements.allSatisfy { $0.header("x-log-date")?.hasPrefix("20260101T") == true })
        #expect(try service.requests.elements.last?.logGroup().logs.first?.time == Int(Rig.start / 1_000_000_000))
        await rig.stop()
    }

    @Test(arguments: [0, 86_400_000_000_000] as [Int64])
    func aMachineThatBeginsIn1970SignsAndDatesByTheServicesTime(wallTime: Int64) async throws {
        let service = ScriptedService { request in
            request.header("x-log-date")?.hasPrefix("20260601T") == true
                ? ScriptedService.success : Self.answer(Self.date)
        }
        let rig = try SignedRig(service, CountingProvider(), wallTime: wallTime)
        rig.log("a")
        await rig.runUntilSettled()
        #expect(rig.producer.statistics.delivered == 1)
        let time = try #require(try service.requests.elements.last?.logGroup().logs.first?.time)
        #expect(abs(time - Int(Self.seconds)) < 60)
        await rig.stop()
    }
}

#endif

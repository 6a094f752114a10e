// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What a producer does with a service in trouble.
@Suite(.timeLimit(.minutes(10))) struct DeliveryTests {
    @Test(arguments: [
        InMemoryTransport.Reply.failure(status: 500), .failure(status: 503, code: "ServerBusy"), .failure(status: 429),
        .failure(status: 403, code: "ShardWriteQuotaExceed"), .failure(status: 401, code: "Unauthorized"),
        .failure(status: 404, code: "LogStoreNotExist"), .noAnswer,
        .response(TransportResponse(status: 502, headers: [], body: Array("<html>".utf8))),
    ])
    func recordsSurviveTroubleThatPassesAndArriveOnceInOrder(trouble: InMemoryTransport.Reply) async throws {
        let transport = InMemoryTransport(script: [trouble, trouble, .success, trouble])
        let rig = try Rig(transport: transport) { $0.batching.maximumRecords = 10 }
        for index in 0..<30 { rig.sink().info("\(index)") }
        await rig.runUntilSettled()
        #expect(transport.logs.map { $0["message"] } == (0..<30).map { "\($0)" })
        let numbers = rig.producer.statistics
        #expect(numbers.delivered == 30)
        #expect(numbers.retries == 3)
        #expect(numbers.requests[.delivered] == 3)
        #expect(numbers.requests.values.reduce(0, +) == 6)
        await rig.stop()
    }

    @Test(arguments: [InMemoryTransport.Reply.lostAnswer, .withoutRequestID])
    func aLostAnswerMakesADuplicateAndNoLoss(reply: InMemoryTransport.Reply) async throws {
        let rig = try Rig(transport: InMemoryTransport(script: [reply]))
        for index in 0..<5 { rig.sink().info("\(index)") }
        await rig.runUntilSettled()
        #expect(rig.transport.stored.count == 2)
        #expect(rig.transport.stored[0].rawBody == rig.transport.stored[1].rawBody)
        #expect(rig.producer.statistics.delivered == 5)
        await rig.stop()
    }

    @Test func faultsInFrontOfAnotherTransportLoseNothing() async throws {
        let inner = InMemoryTransport()
        let transport = ScriptedFaultTransport(
            inner,
            script: [.failure(status: 503), .noAnswer, .lostAnswer, .withoutRequestID, .success]
        )
        let clock = ManualClock()
        let producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore"),
            transport: transport,
            diagnostics: .none,
            clock: clock
        )
        producer.makeLogHandler(label: "l").error("m")
        while producer.statistics.pending > 0 {
            if let rest = clock.timeToNextDeadline { clock.advance(by: rest) }
            await Task.yield()
        }
        #expect(inner.logs.map { $0["message"] } == ["m", "m", "m"])
        #expect(producer.statistics.retries == 4)
        await producer.shutdown(timeout: .seconds(1))
        #expect(inner.isShutDown)
    }

    @Test func aRejectedRecordIsDroppedWithTheServicesWordsInTheDiagnostic() async throws {
        let rig = try Rig(
            transport: InMemoryTransport(script: [.failure(status: 400, code: "PostBodyInvalid", message: "why")])
        )
        rig.sink().info("m")
        await rig.run { rig.producer.statistics.dropped[.rejected] == 1 }
        let reported = rig.diagnostics.elements.compactMap { diagnostic -> String? in
            guard case .recordRefused(_, .rejected, _, let failure) = diagnostic else { return nil }
            return failure?.description
        }
        #expect(reported.count == 1)
        #expect(reported.first?.contains("PostBodyInvalid: why") == true)
        await rig.stop()
    }

    @Test(arguments: [413, 400])
    func anOversizeBodyIsSplitAndOnlyARecordTooLargeByItselfIsDropped(status: Int) async throws {
        final class Picky: WebTrackingTransport {
            let inner = InMemoryTransport()
            let status: Int
            init(status: Int) { self.status = status }
            func send(_ request: TransportRequest) async throws -> TransportResponse {
                let recorded = try RecordedRequest(request)
                guard recorded.logs.count > 2 || recorded.logs.contains(where: { $0["message"] == "7" }) else {
                    return try await self.inner.send(request)
                }
                return TransportResponse(
                    status: self.status,
                    headers: [("x-log-requestid", "ID")],
                    body: Array(#"{"errorCode":"PostBodyTooLarge","errorMessage":"body too large"}"#.utf8)
                )
            }
        }
        let transport = Picky(status: status)
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.batching.urgentLevel = .critical
        // By no real time: under a sanitizer other tests may keep the processors for a minute.
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: transport,
            diagnostics: .none,
            clock: ManualClock()
        )
        let sink = producer.makeLogHandler(label: "l")
        for index in 0..<20 { sink.info("\(index)") }
        await producer.shutdown(timeout: .seconds(60))
        #expect(producer.statistics.dropped == [.tooLarge: 1])
        let messages = transport.inner.logs.compactMap { $0["message"] }.filter { Int($0) != nil }
        #expect(messages == (0..<20).filter { $0 != 7 }.map { "\($0)" })
        let numbers = producer.statistics
        #expect(numbers.accepted == numbers.delivered + numbers.totalDropped + numbers.pending)
    }

    @Test func recordsExpireAfterADay() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .noAnswer))
        rig.sink().info("m")
        await rig.run { rig.producer.statistics.dropped[.expired] != nil }
        #expect(rig.clock.now() >= MonotonicInstant(nanoseconds: 1_000_000_000) + .seconds(86_400))
        rig.checkConservation()
        rig.transport.reply(otherwise: .success)
        await rig.runUntilSettled()
        await rig.stop()
    }

    @Test func aBatchThatIsTooOldWhenItsTurnComesIsDroppedAndCounted() async throws {
        let rig = try Rig {
            $0.delivery.maximumAge = .seconds(60)
            $0.batching.linger = .seconds(120)
        }
        for number in 0..<3 { rig.sink().info("\(number)") }
        await rig.run { rig.producer.statistics.dropped[.expired] == 3 }
        rig.checkConservation()
        await rig.runUntilSettled()
        await rig.stop()
        #expect(rig.producer.statistics.pendingBytes == 0)
    }

    @Test func webTrackingSwitchedOffIsRetriedForTenMinutesWithALoudDiagnostic() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .failure(status: 401, code: "Unauthorized")))
        rig.sink().info("m")
        await rig.run { rig.producer.statistics.dropped[.unauthorized] == 1 }
        #expect(rig.clock.now() >= MonotonicInstant(nanoseconds: 1_000_000_000) + .seconds(600))
        #expect(rig.diagnostics.elements.contains { "\($0)".contains("is web tracking switched on") })
        rig.transport.reply(otherwise: .success)
        await rig.runUntilSettled()
        await rig.stop()
    }

    @Test func aBodyOnItsWayCountsWithTheCopyThatTheClientMakes() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .never)) {
            $0.compression = .none
            $0.batching.urgentLevel = nil
        }
        let padding = String(repeating: "x", count: 1000)
        for _ in 0..<40 { rig.sink().info("\(padding)") }
        let before = rig.producer.statistics.pendingBytes
        await rig.run { rig.transport.attempts.count == 1 }
        let body = rig.transport.attempts[0].request.body.count
        #expect(body > 40_000)
        #expect(rig.producer.statistics.pendingBytes >= before + 2 * body)
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func noMoreRequestsThanAllowedAreOnTheirWayAtOnce() async throws {
        final class Counting: WebTrackingTransport {
            let state = Lock((now: 0, most: 0, total: 0))
            func send(_ request: TransportRequest) async throws -> TransportResponse {
                self.state.withLock { state in
                    state.now += 1
                    state.total += 1
                    state.most = max(state.most, state.now)
                }
                for _ in 0..<20 { await Task.yield() }
                self.state.withLock { $0.now -= 1 }
                return TransportResponse(status: 200, headers: [("x-log-requestid", "ID")])
            }
        }
        let transport = Counting()
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.topic = .metadata(key: "t", fallback: "")
        configuration.delivery.maximumConcurrentRequests = 3
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: transport,
            diagnostics: .none,
            clock: ManualClock()
        )
        let sink = producer.makeLogHandler(label: "l")
        for index in 0..<200 { sink.info("m", metadata: ["t": "\(index)"]) }
        let report = await producer.shutdown(timeout: .seconds(60))
        #expect(report.delivered == 200)
        let (_, most, total) = transport.state.withLock { $0 }
        #expect(most == 3)
        #expect(total == 200)
    }

    @Test func sixtyFourSlotsServeAThousandTopicsFairly() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .metadata(key: "t", fallback: "")
            configuration.delivery.maximumConcurrentRequests = 64
        }
        for round in 0..<3 {
            for topic in 0..<1000 { rig.sink().info("\(round)", metadata: ["t": "\(topic)"]) }
        }
        await rig.runUntilSettled()
        let byTopic = Dictionary(grouping: rig.transport.stored, by: \.topic)
        #expect(byTopic.count == 1000)
        #expect(byTopic.values.allSatisfy { $0.flatMap(\.logs).map { $0["message"] } == ["0", "1", "2"] })
        await rig.stop()
    }

    @Test func theWorkersInheritNoTaskLocalValues() async throws {
        enum Context { @TaskLocal static var value = "default" }
        final class Looking: WebTrackingTransport {
            let seen = Recorder<String>()
            func send(_ request: TransportRequest) async throws -> TransportResponse {
                self.seen.add(Context.value)
                return TransportResponse(status: 200, headers: [("x-log-requestid", "ID")])
            }
        }
        let transport = Looking()
        let producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore"),
            transport: transport
        )
        Context.$value.withValue("the caller's") { producer.makeLogHandler(label: "l").error("m") }
        await producer.shutdown(timeout: .seconds(60))
        #expect(transport.seen.elements == ["default"])
    }

    @Test(arguments: [LogLevel.info, .critical])
    func aTransportThatLogsThroughItsOwnProducerMakesNoStorm(level: LogLevel) async throws {
        final class Chatty: WebTrackingTransport {
            let inner = InMemoryTransport()
            let sink = Lock<WebTrackingLogHandler?>(nil)
            let level: LogLevel
            init(level: LogLevel) { self.level = level }
            func send(_ request: TransportRequest) async throws -> TransportResponse {
                self.sink.withLock { $0 }?.log(level: self.level, "sending")
                return try await self.inner.send(request)
            }
        }
        let transport = Chatty(level: level)
        let clock = ManualClock()
        let producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore"),
            transport: transport,
            clock: clock
        )
        transport.sink.withLock { $0 = producer.makeLogHandler(label: "transport") }
        producer.makeLogHandler(label: "app").info("m")
        // Such a record waits for the linger like any other, so there is one request in each linger and no storm.
        for requests in 1...5 {
            await clock.waitForSleepers()
            while true {
                // What a timer has woken goes on first. Asked before the count: a linger that begins after the request must not
                // be cut short.
                for _ in 0..<64 { await Task.yield() }
                let rest = clock.timeToNextDeadline
                guard transport.inner.attempts.count < requests else { break }
                if let rest, rest <= .seconds(2) { clock.advance(by: rest) }
                await Task.yield()
            }
            for _ in 0..<1000 { await Task.yield() }
            #expect(transport.inner.attempts.count == requests)
        }
        transport.sink.withLock { $0 = nil }
        await producer.shutdown(timeout: .seconds(60))
        #expect(transport.inner.logs.count { $0["message"] == "m" } == 1)
    }

    @Test func diagnosticsNeverBecomeRecords() async throws {
        let rig = try Rig(transport: InMemoryTransport(script: [.noAnswer, .failure(status: 500), .noAnswer]))
        rig.sink().info("m")
        await rig.runUntilSettled()
        #expect(rig.diagnostics.elements.count == 3)
        #expect(rig.producer.statistics.accepted == 1)
        await rig.stop()
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// A producer that signs, against a service in trouble.
@Suite(.timeLimit(.minutes(10))) struct SignedDeliveryTests {
    private static let expired = ScriptedService.refusal(
        401,
        "Unauthorized",
        "The security token you provided has expired."
    )

    @Test func theSameRecordsGoToPutLogsUnderASignature() async throws {
        let service = ScriptedService()
        let rig = try SignedRig(service, CountingProvider()) { configuration in
            configuration.tags = ["env": "prod"]
            configuration.topic = .fixed("orders")
        }
        for index in 0..<50 { rig.log("message \(index) \"quoted\"\n") }
        await rig.producer.flush(timeout: .seconds(60))
        await rig.stop()

        let request = try #require(service.requests.elements.first)
        #expect(service.requests.elements.count == 1)
        #expect(request.url == "https://project.cn-test.log.aliyuncs.com/logstores/logstore/shards/lb")
        #expect(request.header("content-type") == "application/x-protobuf")
        #expect(request.header("x-log-apiversion") == "0.6.0")
        #expect(request.header("x-log-compresstype") == "lz4")
        #expect(request.header("x-log-date") == "20260101T000000Z")
        #expect(request.header("x-acs-security-token") == "token-1")
        #expect(request.header("x-log-content-sha256") == SignatureV4.hash(request.body))
        let expected = SignatureV4(credentials: CountingProvider.credentials(1), region: "cn-test").authorization(
            for: SignatureV4.Input(
                method: "POST",
                path: "/logstores/logstore/shards/lb",
                headers: request.headers + [("host", "project.cn-test.log.aliyuncs.com")],
                contentHash: SignatureV4.hash(request.body),
                time: "20260101T000000Z"
            )
        )
        #expect(request.header("authorization") == expected)

        let group = try request.logGroup()
        #expect(group.topic == "orders")
        #expect(group.source == "host")
        #expect(group.tags.contains(["env", "prod"]))
        #expect(group.logs.count == 50)
        for (index, log) in group.logs.enumerated() {
            let name = try #require(log.fields.firstIndex(of: "message"))
            #expect(log.fields[name + 1] == "message \(index) \"quoted\"\n")
            #expect(log.time == 1_767_225_600)
            #expect(log.nanoseconds == 0)
        }
        #expect(rig.producer.statistics.delivered == 50)
        #expect(rig.producer.statistics.rawBytes > rig.producer.statistics.wireBytes)
    }

    @Test(
        arguments: [
            ("https://logs.example.com:443", "logs.example.com", nil),
            ("http://logs.example.com:80", "logs.example.com", nil),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", 8080),
            ("https://logs.example.com:80", "logs.example.com:80", 80),
        ] as [(String, String, Int?)]
    )
    func theHostIsSignedAsClientsSendIt(endpoint: String, host: String, port: Int?) async throws {
        let service = ScriptedService()
        let rig = try SignedRig(service, CountingProvider()) { configuration in
            configuration.endpoint = endpoint
            configuration.allowsPlainHTTP = true
        }
        rig.log("a")
        await rig.producer.flush(timeout: .seconds(60))
        let request = try #require(service.requests.elements.first)
        #expect(request.port == port)
        let input = SignatureV4.Input(
            method: "POST",
            path: request.path,
            headers: request.headers + [("host", host)],
            contentHash: SignatureV4.hash(request.body),
            time: "20260101T000000Z"
        )
        #expect(
            request.header("authorization")
                == SignatureV4(credentials: CountingProvider.credentials(1), region: "cn-test").authorization(
                    for: input
                )
        )
        await rig.stop()
    }

    @Test(
        arguments: [
            ("https://logs.example.com", "project"), ("http://127.0.0.1:8080", "project"), ("cn-test", nil),
            ("https://project.example.com", nil), ("https://projects.example.com", "project"),
        ] as [(String, String?)]
    )
    func aHostThatDoesNotNameTheProjectIsToldItAndThatIsSigned(endpoint: String, project: String?) async throws {
        let service = ScriptedService()
        let rig = try SignedRig(service, CountingProvider()) { $0.endpoint = endpoint }
        rig.log("a")
        await rig.producer.flush(timeout: .seconds(60))
        let request = try #require(service.requests.elements.first)
        #expect(request.header("x-log-project") == project)
        let host = request.port.map { "\(request.host):\($0)" } ?? request.host
        let input = SignatureV4.Input(
            method: "POST",
            path: request.path,
            headers: request.headers + [("host", host)],
            contentHash: SignatureV4.hash(request.body),
            time: "20260101T000000Z"
        )
        let expected = SignatureV4(credentials: CountingProvider.credentials(1), region: "cn-test")
            .authorization(for: input)
        #expect(request.header("authorization") == expected)
        await rig.stop()
    }

    @Test func eachAttemptIsSignedAnewAtItsTime() async throws {
        let count = Recorder<Int>()
        let service = ScriptedService { _ in
            count.add(1)
            return count.elements.count < 4 ? TransportResponse(status: 503, headers: []) : ScriptedService.success
        }
        let rig = try SignedRig(service, CountingProvider()) { $0.delivery.initialBackoff = .seconds(5) }
        rig.log("a")
        await rig.runUntilSettled()
        let times = service.requests.elements.compactMap { $0.header("x-log-date") }
        let signatures = Set(service.requests.elements.compactMap { $0.header("authorization") })
        #expect(times.count == 4)
        #expect(times == times.sorted())
        #expect(signatures.count == Set(times).count)
        #expect(service.requests.elements.allSatisfy { $0.headers.count(where: { $0.name == "Authorization" }) == 1 })
        await rig.stop()
    }

    @Test func refusedCredentialsAreReplacedAndTheRequestSentAtOnce() async throws {
        let rotated = Recorder<Int>()
        let service = ScriptedService { request in
            // Good for three requests each, and the first ones for four.
            rotated.add(1)
            return request.accessKeyID == "STS.\((rotated.elements.count + 3) / 4)"
                ? ScriptedService.success : Self.expired
        }
        let provider = CountingProvider()
        let rig = try SignedRig(service, provider)
        for index in 0..<12 {
            rig.log("\(index)")
            rig.clock.advance(by: .seconds(1))
            await rig.producer.flush(timeout: .seconds(60))
        }
        #expect(rig.producer.statistics.delivered == 12)
        #expect(rig.producer.statistics.retries == 0)
        #expect(provider.calls == 4)
        #expect(rig.diagnostics.elements.isEmpty)
        await rig.stop()
    }

    @Test(arguments: [
        (401, "SignatureNotMatch", "signature abc not match"), (401, "InvalidAccessKeyId", ""),
        (401, "Unauthorized", "AccessKeyId is disabled: STS.1"), (403, "SecurityTokenExpired", ""),
        (403, "Unauthorized", "The security token you provided is invalid."),
    ])
    func credentialsThatStayRefusedAreRetriedAndToldAndNothingIsLost(
        status: Int,
        code: String,
        message: String
    ) async throws {
        let isMended = Recorder<Int>()
        let service = ScriptedService { _ in
            isMended.elements.isEmpty ? ScriptedService.refusal(status, code, message) : ScriptedService.success
        }
        let provider = CountingProvider()
        provider.repeatItself()
        let rig = try SignedRig(service, provider)
        rig.log("a")
        await rig.run { rig.producer.statistics.retries >= 3 }
        #expect(rig.producer.statistics.requests[.unauthorized, default: 0] >= 3)
        #expect(rig.diagnostics.elements.allSatisfy { "\($0)".contains("are the credentials right") })
        isMended.add(1)
        await rig.runUntilSettled()
        #expect(rig.producer.statistics.delivered == 1)
        await rig.stop()
    }

    @Test func aFailingProviderIsAnOutageAndNotALoss() async throws {
        let service = ScriptedService()
        let provider = CountingProvider()
        provider.fail(true)
        let rig = try SignedRig(service, provider) { $0.delivery.refusalPatience = .seconds(1) }
        rig.log("a")
        await rig.run { rig.producer.statistics.requests[.failed, default: 0] >= 10 && provider.calls >= 10 }
        #expect(service.requests.elements.isEmpty)
        #expect(rig.producer.statistics.pending == 1)
        #expect(rig.diagnostics.elements.contains { "\($0)".contains("cannot renew") })
        #expect(rig.diagnostics.elements.contains { "\($0)".contains("no credentials: the vault is sealed") })
        provider.fail(false)
        await rig.runUntilSettled()
        #expect(rig.producer.statistics.delivered == 1)
        await rig.stop()
    }

    /// An expired token is a refusal, which is given up at some time; a provider that is away is not.
    @Test func theSameKeysWithAnotherExpirationAreNoOthers() async throws {
        let service = ScriptedService { _ in Self.expired }
        let moving = MovingExpiration()
        let rig = try SignedRig(service, moving) { $0.delivery.maximumRefusalBackoff = .seconds(60) }
        rig.log("a")
        rig.clock.advance(by: .seconds(2))
        await rig.producer.flush(timeout: .zero)
        await rig.run { rig.diagnostics.elements.count == 3 }
        // One request for each attempt, although the provider said something else each time.
        #expect(service.requests.elements.count == 3)
        #expect(moving.calls.elements.count > 1)
        _ = await rig.producer.shutdown(timeout: .zero)
    }

    /// The same AccessKey each time, good for an hour from then on.
    private struct MovingExpiration: WebTrackingCredentialsProvider {
        let calls = Recorder<Int>()

        func credentials() async throws -> WebTrackingCredentials {
            self.calls.add(1)
            return CountingProvider.credentials(
                1,
                expiration: Rig.start / 1_000_000_000 + 3600 + Int64(self.calls.elements.count)
            )
        }
    }

    @Test func aProviderThatFailsAfterARefusalIsAnOutageToo() async throws {
        let isExpired = Recorder<Int>()
        let service = ScriptedService { request in
            isExpired.elements.isEmpty || request.accessKeyID != "STS.1" ? ScriptedService.success : Self.expired
        }
        let provider = CountingProvider()
        let rig = try SignedRig(service, provider) { $0.delivery.refusalPatience = .seconds(1) }
        rig.log("a")
        await rig.producer.flush(timeout: .seconds(60))
        provider.fail(true)
        isExpired.add(1)
        rig.clock.advance(by: .seconds(1))
        rig.log("b")
        await rig.run { provider.calls >= 8 }
        #expect(rig.producer.statistics.delivered == 1)
        #expect(rig.producer.statistics.pending == 1)
        #expect(rig.producer.statistics.totalDropped == 0)
        provider.fail(false)
        await rig.runUntilSettled()
        #expect(rig.producer.statistics.delivered == 2)
        await rig.stop()
    }

    @Test(arguments: ["RequestTimeExpired", "RequestTimeTooSkewed", "InvalidRequestTime"])
    func aWrongClockIsPutRightByTheServersDate(code: String) async throws {
        // The machine is at 00:00, the service at 02:00.
        let service = ScriptedService { request in
            (request.header("x-log-date") ?? "").hasPrefix("20260101T02")
                ? ScriptedService.success
                : ScriptedService.refusal(400, code, "expired", date: "Thu, 01 Jan 2026 02:00:00 GMT")
        }
        let rig = try SignedRig(service, CountingProvider())
        rig.log("a")
        // Only the backoff moves the clock, as the times are exact to the second.
        let flush = Task { await rig.producer.flush(timeout: .seconds(60)) }
        await rig.run(limit: .seconds(1)) { rig.producer.statistics.pending == 0 }
        _ = await flush.value
        let times = service.requests.elements.compactMap { $0.header("x-log-date") }
        #expect(times == ["20260101T000000Z", "20260101T020000Z"])
        // The record is as old as it was, by the service's clock; its own field says what it said.
        let log = try #require(try service.requests.elements[1].logGroup().logs.first)
        #expect(log.time == 1_767_225_600 + 7200)
        #expect(log.fields.contains("2026-01-01T00:00:00.000000000Z"))
        rig.clock.advance(by: .seconds(60))
        rig.log("b")
        await rig.producer.flush(timeout: .seconds(60))
        #expect(service.requests.elements.last?.header("x-log-date") == "20260101T020100Z")
        #expect(service.requests.elements.count == 3)
        #expect(rig.producer.statistics.delivered == 2)
        #expect(rig.diagnostics.elements.contains { "\($0)".contains("RequestTime") })
        await rig.stop()
    }

    @Test(arguments: ["", " "]) func anAnswerWithAnEmptyRequestIDMovesNoClockAndAsksForNoOtherCredentials(
        id: String
    ) async throws {
        for code in ["RequestTimeTooSkewed", "SignatureNotMatch"] {
            let service = ScriptedService { _ in
                TransportResponse(
                    status: 403,
                    headers: [("x-log-requestid", id), ("Date", "Thu, 01 Jan 2026 02:00:00 GMT")],
                    body: Array(#"{"errorCode":"\#(code)","errorMessage":""}"#.utf8)
                )
            }
            let provider = CountingProvider()
            let rig = try SignedRig(service, provider)
            rig.log("a")
            await rig.run { service.requests.elements.count >= 4 }
            let times = service.requests.elements.compactMap { $0.header("x-log-date") }
            #expect(times.allSatisfy { $0.hasPrefix("20260101T00") })
            #expect(provider.calls == 1)
            await rig.producer.shutdown(timeout: .zero)
        }
    }

    @Test func aTimeThatStaysRefusedIsRetriedWithABackoff() async throws {
        let count = Recorder<Int>()
        let service = ScriptedService { _ in
            count.add(1)
            // No date, the same date, and no date that can be read.
            let dates = [nil, "Thu, 01 Jan 2026 00:00:00 GMT", "later"]
            guard count.elements.count <= dates.count else { return ScriptedService.success }
            return ScriptedService.refusal(400, "RequestTimeExpired", "", date: dates[count.elements.count - 1])
        }
        let rig = try SignedRig(service, CountingProvider())
        rig.log("a")
        await rig.runUntilSettled()
        #expect(service.requests.elements.count == 4)
        #expect(rig.producer.statistics.requests == [.unavailable: 3, .delivered: 1])
        await rig.stop()
    }

    @Test func aMissingPermissionIsNoReasonToAskTheProvider() async throws {
        let service = ScriptedService { _ in
            ScriptedService.refusal(401, "Unauthorized", "denied by sts or ram, action: log:PostLogStoreLogs")
        }
        let provider = CountingProvider()
        let rig = try SignedRig(service, provider)
        rig.log("a")
        await rig.run { rig.producer.statistics.retries >= 2 }
        #expect(provider.calls == 1)
        #expect(rig.diagnostics.elements.contains { "\($0)".contains("does a policy of RAM allow them") })
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func withoutAuthenticationNothingIsSigned() async throws {
        let service = ScriptedService()
        let rig = try SignedRig(service, CountingProvider()) { $0.authentication = .anonymous }
        rig.log("a")
        await rig.producer.flush(timeout: .seconds(60))
        #expect(service.requests.elements.first?.path == "/logstores/logstore/track")
        #expect(service.requests.elements.first?.header("authorization") == nil)
        await rig.stop()
    }

    @Test(arguments: ["", "cn_hangzhou", "CN-HANGZHOU", "a/b"]) func aRegionThatCannotBeOneIsRefused(region: String) {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.authentication = .signed(credentials: CountingProvider(), region: region)
        #expect(throws: ConfigurationError.self) { try configuration.validate() }
    }
}

#endif

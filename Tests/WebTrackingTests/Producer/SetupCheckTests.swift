// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

/// What a look at a set-up says.
@Suite(.timeLimit(.minutes(10))) struct SetupCheckTests {
    private static func configuration(
        _ change: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) -> WebTrackingConfiguration {
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1:1",
            project: "project",
            logstore: "logstore"
        )
        change(&configuration)
        return configuration
    }

    // MARK: The way, decided without a network

    private static func way(
        _ exchange: ServiceChecks.Exchange,
        network: NetworkProbe? = NetworkProbe(addresses: ["192.0.2.1"], connected: "192.0.2.1"),
        isSecure: Bool = true
    ) -> ServiceChecks {
        ServiceChecks(
            isSecure: isSecure,
            host: "example.com",
            peer: (host: "example.com", port: 443),
            isProxy: false,
            destination: "project/logstore",
            isSigned: false,
            network: network,
            exchanges: [exchange]
        )
    }

    private static func answer(
        _ status: Int,
        _ code: String = "",
        isOfService: Bool = true,
        date: String? = "Thu, 01 Jan 2026 00:00:00 GMT",
        ahead: Int64 = 0
    ) -> ServiceChecks.Exchange {
        let headers = (isOfService ? [("x-log-requestid", "1")] : []) + (date.map { [("Date", $0)] } ?? [])
        let body = code.isEmpty ? "" : #"{"errorCode":"\#(code)","errorMessage":"m"}"#
        let time = Rig.start + ahead * 1_000_000_000
        return .answered(
            TransportResponse(status: status, headers: headers, body: Array(body.utf8)),
            sentAt: time,
            receivedAt: time
        )
    }

    private static func states(_ checks: [SetupCheck]) -> String {
        checks.map { "\($0.subject.rawValue) \($0.state.rawValue)" }.joined(separator: ", ")
    }

    @Test func anAnswerToARequestWithoutRecordsSaysThatTheWayIsOpen() {
        #expect(
            Self.states(Self.way(Self.answer(200)).checks)
                == "name ok, connection ok, tls ok, answer ok, clock ok, logstore ok, access ok"
        )
    }

    @Test func aRefusalForWantOfRecordsSaysNothingOfLogstoreAndAccess() {
        let checks = Self.way(Self.answer(400, "PostBodyInvalid")).checks
        #expect(Self.states(checks).hasSuffix("answer ok, clock ok, logstore skipped, access skipped"))
        #expect(
            checks.last?.finding
                == "not told: the service refuses a request without records (PostBodyInvalid); only a record tells"
        )
    }

    @Test func aConnectionThatBreaksOffBeforeARequestIsAMatterOfTLS() {
        let reset = "example.com closed the connection without an answer"
        let check = Self.way(.failed(reset)).checks[2]
        #expect(check.state == .failed && check.finding == "\(reset), in the handshake or right after it")
        #expect(
            check.suggestion?.hasSuffix("openssl s_client -connect example.com:443 -servername example.com") ?? false
        )
        #expect(Self.states(Self.way(.failed(reset), isSecure: false).checks).contains("tls skipped, answer failed"))
        // That is the transport's own time for an answer.
        #expect(Self.states(Self.way(.failed("late")).checks).contains("tls skipped, answer failed"))
    }

    @Test func missingCredentialsOfTheProgramsOwnProviderAreNotLookedForInTheEnvironment() {
        var way = Self.way(.failed("no credentials"))
        way.isSigned = true
        way.credentialsProblem = "the vault is sealed"
        #expect(way.checks[6].suggestion == "it is what the program's provider of credentials says")
        way.credentialsProblem = "the environment variable ALIBABA_CLOUD_ACCESS_KEY_ID is not set"
        #expect(way.checks[6].suggestion?.hasPrefix("export ALIBABA_CLOUD_ACCESS_KEY_ID=") ?? false)
    }

    @Test func aServerOfTLSThatAnswersPlainWordsIsNamed() {
        let words = Array("<h1>400</h1>The plain HTTP request was sent to HTTPS port".utf8)
        let exchange = ServiceChecks.Exchange.answered(
            TransportResponse(status: 400, headers: [], body: words),
            sentAt: Rig.start,
            receivedAt: Rig.start
        )
        #expect(
            Self.way(exchange, isSecure: false).checks[3].suggestion
                == "if the server speaks TLS there, write https:// in the endpoint"
        )
        #expect(Self.way(exchange).checks[3].suggestion?.contains("something in between") ?? false)
    }

    @Test func whatIsBehindAFailureIsSkippedAndNotFailed() {
        let refused = NetworkProbe(addresses: ["192.0.2.1"], connectError: ECONNREFUSED)
        #expect(
            Self.states(Self.way(.failed("broken"), network: refused).checks)
                == "name ok, connection failed, tls skipped, answer skipped, clock skipped, logstore skipped, "
                + "access skipped"
        )
        let unknown = NetworkProbe(nameError: "Name or service not known")
        for network in [unknown, nil] {
            let states = Self.states(Self.way(.failed("x"), network: network).checks)
            #expect(states.hasPrefix("name failed, connection skipped, tls skipped"))
        }
    }

    @Test func aTransportThatGoesAnotherWayIsNotJudgedByTheNetwork() {
        let unknown = NetworkProbe(nameError: "Name or service not known")
        #expect(
            Self.states(Self.way(Self.answer(200), network: unknown).checks)
                == "name skipped, connection skipped, tls ok, answer ok, clock ok, logstore ok, access ok"
        )
        // Unless it is something in between that answers.
        let portal = Self.answer(200, isOfService: false)
        #expect(Self.states(Self.way(portal, network: unknown).checks).hasPrefix("name failed"))
    }

    @Test func aFailureOfTLSIsItsOwnRowWithWhatToDo() {
        let check = Self.way(.failed("TLS with example.com failed: it is old; renew it")).checks[2]
        #expect(check == SetupCheck(.tls, .failed, "TLS with example.com failed: it is old", suggestion: "renew it"))
        #expect(
            Self.way(.failed("TLS with example.com failed: it is old")).checks[2].finding
                == "TLS with example.com failed: it is old"
        )
        #expect(Self.states(Self.way(.failed("x"), isSecure: false).checks).contains("tls skipped, answer failed"))
    }

    @Test(arguments: [
        (401, "Unauthorized", "logstore skipped, access failed"),
        (403, "Unauthorized", "logstore skipped, access failed"),
        (404, "ProjectNotExist", "logstore failed, access skipped"),
        (403, "WriteQuotaExceed", "logstore skipped, access warning"),
    ])
    func eachRefusalOfTheServiceIsARow(status: Int, code: String, states: String) {
        #expect(Self.states(Self.way(Self.answer(status, code)).checks).hasSuffix("answer ok, clock ok, \(states)"))
    }

    @Test func anOutageAndAnAnswerThatIsNotTheServicesAreFailures() {
        #expect(Self.states(Self.way(Self.answer(503)).checks).contains("answer failed, clock skipped"))
        #expect(Self.states(Self.way(Self.answer(200, isOfService: false)).checks).contains("answer failed"))
    }

    @Test func aClockThatIsOffHidesNothing() {
        let checks = Self.way(Self.answer(200, ahead: 1200)).checks
        #expect(Self.states(checks).hasSuffix("clock failed, logstore ok, access ok"))
        #expect(checks[4].finding == "this machine's clock is 1200 s ahead of the service's")
        let signed = Self.way(Self.answer(400, "RequestTimeExpired", ahead: -1200)).checks
        #expect(Self.states(signed).contains("answer ok, clock failed"))
        #expect(Self.states(Self.way(Self.answer(200, date: nil)).checks).contains("clock skipped"))
    }

    // MARK: Limits and the spool, decided without a machine

    @Test func fewFilesAreAFailureBelowWhatAProducerTakesAndAWarningBelowAllRequests() {
        let configuration = Self.configuration()
        func check(_ left: Int, limit: Int? = 64) -> SetupCheck {
            LimitChecks.openFiles(limit: limit, left: left, for: configuration)
        }
        // Six of Dispatch, six of the transport, and eight requests.
        #expect(check(11).state == .failed && check(12).state == .warning)
        #expect(check(19).state == .warning && check(20).state == .ok)
        #expect(check(0, limit: nil).state == .ok)
    }

    #if AsyncHTTPClient
    @Test func theFilesOfTheTransportAreThoseThatItAsksFor() {
        #expect(Descriptors.forTransport == EventLoops.leastDescriptors)
    }
    #endif

    @Test func aLimitOnMemoryIsAWarningIfItIsTooLow() {
        let configuration = Self.configuration()
        func check(_ limit: Int?) -> SetupCheck {
            LimitChecks.memory(Surroundings(memoryLimit: limit), for: configuration)
        }
        #expect(check(nil).state == .ok && check(116 << 20).state == .ok && check(100 << 20).state == .warning)
        #expect(LimitChecks.memory(nil, for: configuration).state == .skipped)
    }

    private static func spool(
        _ place: SpoolProbe.Place = .directory("/spool"),
        _ change: (inout SpoolProbe) -> Void = { _ in }
    ) -> [SetupCheck] {
        var look = SpoolProbe(place: place, user: 7)
        look.freeBytes = 1 << 40
        look.surroundings.spoolFileSystem = "ext4"
        change(&look)
        let configuration = self.configuration {
            $0.durability = .process
            $0.spool.directory = "/spool"
        }
        return SpoolChecks(directory: "/spool", look: look).checks(for: configuration)
    }

    @Test func aSpoolThatCanBeUsedIsOk() {
        let ok = "spool ok, spool_file_system ok, spool_space ok, spool_left ok"
        #expect(Self.states(Self.spool()) == ok)
        #expect(Self.states(Self.spool(.parent("/"))) == ok)
    }

    @Test(arguments: [
        (EACCES, "install -d -m 700 -o 7 /spool"), (EROFS, "mount a volume"), (ENOSPC, "df -h -i /spool"),
        (EDQUOT, "quota -u 7"), (EFBIG, "ulimit -f unlimited"),
    ])
    func aSpoolWithoutFilesSaysWhatHelps(code: CInt, words: String) {
        let check = Self.spool { $0.failure = FileError("open", "/spool/f", code: code) }[0]
        #expect(check.state == .failed && check.suggestion?.contains(words) ?? false, "\(check)")
    }

    @Test func aDirectoryThatMayNotBeUsedIsNamedWithTheCommandForIt() {
        let check = Self.spool(.refused("/spool", .otherUser(3)))[0]
        #expect(check.finding == "/spool: it belongs to another user (3), and this process is user 7")
        #expect(check.suggestion == "chown -R 7 /spool")
    }

    @Test func rootIsToldToLookAsTheUserOfTheProgramFirst() {
        let check = Self.spool(.refused("/spool", .otherUser(3))) { $0.user = 0 }[0]
        #expect(check.suggestion == "if the program runs as user 3, look as that user; if as root, chown -R 0 /spool")
    }

    @Test func aLookAtWhatIsLeftThatTakesTooLongIsNotADiskThatDoesNotAnswer() {
        #expect(
            Self.states(Self.spool { $0.left = nil })
                == "spool ok, spool_file_system ok, spool_space ok, spool_left skipped"
        )
    }

    @Test func lessRoomThanTheSpoolMayTakeIsAWarningAndNoneAFailure() {
        func space(_ free: Int, used: Int = 0) -> SetupCheck.State {
            Self.spool {
                $0.freeBytes = free
                $0.usedBytes = used
            }[2].state
        }
        #expect(space(1 << 30) == .ok && space(1 << 30 - 1) == .warning)
        #expect(space(1 << 29, used: 1 << 29) == .ok)
        #expect(space(1 << 20) == .warning && space(1 << 20 - 1) == .failed)
        // At its maximum already.
        #expect(space(1 << 20, used: 1 << 30) == .ok && space(0, used: 1 << 30) == .failed)
        #expect(Self.spool { $0.freeFiles = 0 }[2].state == .failed)
    }

    @Test func aDiskThatDoesNotAnswerIsAFailure() {
        let configuration = Self.configuration {
            $0.durability = .process
            $0.spool.directory = "/spool"
        }
        let checks = SpoolChecks(directory: "/spool", look: nil).checks(for: configuration)
        #expect(checks.map(\.state) == [.failed, .skipped, .skipped, .skipped])
    }

    // MARK: Looked at

    @Test func workThatHangsTakesOneThreadHoweverOftenItIsAskedFor() async throws {
        let gate = DispatchSemaphore(value: 0)
        let calls = Lock(0)
        func ask(_ patience: Duration) async -> Bool? {
            await SetupChecks.inTime("SetupCheckTests", patience: patience) {
                calls.withLock { $0 += 1 }
                gate.wait()
                return true
            }
        }
        for _ in 0..<3 { #expect(await ask(.milliseconds(1)) == nil) }
        try #require(calls.withLock { $0 } <= 1)
        // Once it has ended, it is asked for again.
        for _ in 0..<2 { gate.signal() }
        while await ask(.seconds(60)) == nil { await Task.yield() }
        #expect(calls.withLock { $0 } == 2)
    }

    @Test func aCheckSendsOneRequestWithoutRecordsAndLeavesNothingInTheSpool() async throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        let transport = Answering(status: 200)
        let checks = await WebTrackingProducer.check(
            Self.configuration {
                $0.compression = .none
                $0.durability = .process
                $0.spool.directory = directory.path
            },
            transport: transport
        )
        #expect(checks.map(\.subject) == SetupCheck.Subject.allCases)
        #expect(checks.allSatisfy { $0.state != .failed }, "\(checks)")
        #expect(transport.requests.withLock { $0 }.count == 1)
        #expect(try FileSystem.names(in: directory.path, includingHidden: true) == [])
        let body = try #require(transport.requests.withLock { $0.first })
        #expect(body.contains(#""__logs__":[]"#))
    }

    @Test func settingsThatCannotWorkAreTheOnlyThingLookedAt() async {
        let transport = Answering(status: 200)
        let checks = await WebTrackingProducer.check(Self.configuration { $0.project = "No" }, transport: transport)
        #expect(checks.map(\.subject) == SetupCheck.Subject.allCases)
        #expect(checks.map(\.state) == [.failed] + checks.dropFirst().map { _ in .skipped })
        #expect(transport.requests.withLock { $0 }.isEmpty)
    }

    @Test func aProducerChecksItselfWithItsOwnTransport() async throws {
        let transport = Answering(status: 401)
        let producer = try WebTrackingProducer(
            configuration: Self.configuration(),
            transport: transport,
            diagnostics: .none
        )
        let checks = await producer.check()
        #expect(checks.first { $0.subject == .access }?.state == .failed)
        // It is none of its records.
        #expect(producer.statistics.accepted == 0 && producer.statistics.requests.isEmpty)
        await producer.shutdown(timeout: .zero)
    }

    #if SignedPutLogs
    @Test func aSignedRequestWithoutRecordsIsALogGroup() {
        var encoder = LogGroupEncoder(timeField: "time", now: 0)
        let batch = Array(#"{"__topic__":"","__source__":"s","__logs__":[]}"#.utf8)
        #expect(batch.withUnsafeBytes { encoder.encode($0) } == [0x1A, 0, 0x22, 1, UInt8(ascii: "s")])
    }
    #endif

    /// Answers each request alike, and keeps its body.
    private final class Answering: WebTrackingTransport {
        let requests = Lock<[String]>([])
        private let status: Int

        init(status: Int) {
            self.status = status
        }

        func send(_ request: TransportRequest) async throws -> TransportResponse {
            let body = String(decoding: request.body, as: UTF8.self)
            self.requests.withLock { $0.append(body) }
            return TransportResponse(status: self.status, headers: [("x-log-requestid", "1")])
        }
    }
}

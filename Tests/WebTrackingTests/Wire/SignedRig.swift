// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Credentials for tests: the first is 1, the next 2, and so on.
final class CountingProvider: WebTrackingCredentialsProvider {
    struct Unavailable: Error, CustomStringConvertible {
        var description: String { "the vault\nis sealed" }
    }

    private struct State {
        var calls = 0
        var isFailing = false
        var isHanging = false
        var repeatsItself = false
        var running = 0
        var mostRunning = 0
    }

    private let state = Lock(State())
    /// The expiration of the credentials of a call.
    private let expiration: @Sendable (_ call: Int) -> Int64?

    init(expiration: @escaping @Sendable (_ call: Int) -> Int64? = { _ in nil }) {
        self.expiration = expiration
    }

    var calls: Int { self.state.withLock { $0.calls } }
    var mostAtOnce: Int { self.state.withLock { $0.mostRunning } }
    func fail(_ isFailing: Bool) { self.state.withLock { $0.isFailing = isFailing } }
    func hang(_ isHanging: Bool) { self.state.withLock { $0.isHanging = isHanging } }
    func repeatItself() { self.state.withLock { $0.repeatsItself = true } }

    static func credentials(_ number: Int, expiration: Int64? = nil) -> WebTrackingCredentials {
        WebTrackingCredentials(
            accessKeyID: "STS.\(number)",
            accessKeySecret: "secret-\(number)",
            securityToken: "token-\(number)",
            expiration: expiration
        )
    }

    func credentials() async throws -> WebTrackingCredentials {
        let (call, isFailing, isHanging) = self.state.withLock { state in
            state.calls += 1
            state.running += 1
            state.mostRunning = max(state.mostRunning, state.running)
            return (state.repeatsItself ? 1 : state.calls, state.isFailing, state.isHanging)
        }
        defer { self.state.withLock { $0.running -= 1 } }
        await Task.yield()
        if isHanging { try await Task.sleep(for: .seconds(86_400)) }
        if isFailing { throw Unavailable() }
        return Self.credentials(call, expiration: self.expiration(call))
    }
}

/// What answers a request in the place of the service.
final class ScriptedService: WebTrackingTransport {
    private let answer: @Sendable (TransportRequest) -> TransportResponse
    let requests = Recorder<TransportRequest>()

    init(_ answer: @escaping @Sendable (TransportRequest) -> TransportResponse = { _ in ScriptedService.success }) {
        self.answer = answer
    }

    static let success = TransportResponse(status: 200, headers: [("x-log-requestid", "ID")])

    static func refusal(_ status: Int, _ code: String, _ message: String, date: String? = nil) -> TransportResponse {
        TransportResponse(
            status: status,
            headers: [("x-log-requestid", "ID")] + (date.map { [("Date", $0)] } ?? []),
            body: Array(#"{"errorCode":"\#(code)","errorMessage":"\#(message)"}"#.utf8)
        )
    }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        self.requests.add(request)
        return self.answer(request)
    }
}

extension TransportRequest {
    /// The id of the AccessKey that signed it.
    var accessKeyID: String? {
        self.header("authorization")?.split(separator: "=")[1].split(separator: "/").first.map(String.init)
    }

    /// The body as the service reads it.
    func logGroup() throws -> LogGroupReader {
        let size = try #require(self.header("x-log-bodyrawsize").flatMap { Int($0) })
        let raw = Compression.decompress(self.body, headerValue: self.header("x-log-compresstype"), rawSize: size)
        return try LogGroupReader(try #require(raw))
    }
}

/// A producer that signs, with everything around it in the test's hands.
struct SignedRig {
    let producer: WebTrackingProducer
    let clock: ManualClock
    let diagnostics = Recorder<ProducerDiagnostic>()

    init(
        _ service: ScriptedService,
        _ provider: any WebTrackingCredentialsProvider,
        wallTime: Int64 = Rig.start,
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.source = "host"
        configuration.authentication = .signed(credentials: provider, region: "cn-test")
        configuration.delivery.maximumBackoff = .seconds(5)
        configuration.delivery.maximumRefusalBackoff = .seconds(5)
        configure(&configuration)
        let clock = ManualClock(wallTime: wallTime)
        self.clock = clock
        self.producer = try WebTrackingProducer(
            configuration: configuration,
            transport: service,
            diagnostics: DiagnosticHandler { [diagnostics] in
                if case .settingsInForce = $0 { return }
                diagnostics.add($0)
            },
            clock: clock
        )
    }

    func log(_ message: String) {
        self.producer.makeLogHandler(label: "label").info("\(message)")
    }

    /// Moves the clock from one deadline to the next until nothing is pending.
    func runUntilSettled() async {
        await self.run { self.producer.statistics.pending == 0 }
    }

    /// Moves the clock from one deadline to the next until `condition` holds.
    ///
    /// Not to deadlines further away than `limit`: the time of a provider's call, or of a worker that goes. Work that is
    /// slower than this loop meets a later time than its deadline.
    func run(limit: Duration = .seconds(10), until condition: () -> Bool) async {
        while !condition() {
            guard !Task.isCancelled else {
                Issue.record("the time limit came before the condition held")
                return
            }
            await Task.yield()
            if let rest = self.clock.timeToNextDeadline, rest < limit, !condition() {
                self.clock.advance(by: rest)
            }
        }
    }

    func stop() async {
        let report = await self.producer.shutdown(timeout: .seconds(60))
        #expect(report.remaining == 0)
        let numbers = self.producer.statistics
        #expect(numbers.accepted == numbers.delivered + numbers.totalDropped + numbers.pending)
    }
}

#endif

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import WebTracking

/// The whole signing transport against answers that the fuzzer thinks up: any status, code, date and clock, and any
/// credentials. It traps on nothing, signs at a time that one of both clocks says, and dates logs within their field.
enum SigningDrive {
    static func run(_ input: inout FuzzInput) {
        let clock = FuzzClock(wallTime: self.wallTime(&input))
        let provider = FuzzProvider(answers: (0..<3).map { _ in self.credentials(&input) })
        let service = FuzzService(answers: (0..<4).map { _ in self.answer(&input) })
        let steps = (0..<3).map { _ in self.wallTime(&input) }
        let batch = self.batch(&input)
        let operation = SignedPutLogs(
            Signing(provider: provider, region: "cn-test"),
            project: "project",
            timeField: "time",
            timeout: .seconds(15),
            clock: clock,
            diagnostics: { self.check($0) }
        )
        let factory = RequestFactory(
            isSecure: true,
            host: "logs.example.com",
            port: nil,
            logstore: "logstore",
            operation: operation,
            compression: .none,
            timeout: .seconds(15)
        )
        let transport = operation.transport(over: service)
        self.wait {
            for step in steps {
                let request = batch.withUnsafeBytes { factory.request(for: $0) }.request
                if let group = try? LogGroupReader(request.body) {
                    for log in group.logs { require((0...Int(UInt32.max)).contains(log.time), "the time \(log.time)") }
                } else {
                    require(request.body == batch, "a LogGroup that cannot be read")
                }
                if let response = try? await transport.send(request) {
                    _ = ResponseClassifier.classify(response, wallTime: clock.wallTime())
                }
                clock.set(step)
            }
        }
        for request in service.requests { self.check(request) }
    }

    private static func wait(_ body: @escaping @Sendable () async -> Void) {
        let end = DispatchSemaphore(value: 0)
        Task.detached {
            await body()
            end.signal()
        }
        end.wait()
    }

    private static func check(_ diagnostic: ProducerDiagnostic) {
        require(!"\(diagnostic)".unicodeScalars.contains { $0.value < 32 }, "a control character in a diagnostic")
    }

    private static func check(_ request: TransportRequest) {
        require(request.headers.count { $0.name == "Authorization" } == 1, "not signed once")
        let time = request.header("x-log-date") ?? ""
        require(time.utf8.count == 16 && time.hasSuffix("Z"), "the time \(time)")
        for header in request.headers {
            let isClean = header.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            require(isClean, "a control character in the header \(header.name)")
        }
    }

    private static func wallTime(_ input: inout FuzzInput) -> Int64 {
        switch input.byte() & 3 {
        case 0: 1_767_225_600_000_000_000
        case 1: Int64(input.short()) * 1_000_000_000
        case 2: input.choice([.min, .max, 0, -1, 4_294_967_295_000_000_000])
        default: Int64(bitPattern: input.word())
        }
    }

    private static func credentials(_ input: inout FuzzInput) -> WebTrackingCredentials? {
        switch input.byte() & 3 {
        case 0: WebTrackingCredentials(accessKeyID: "id\(input.byte())", accessKeySecret: "secret\n")
        case 1:
            WebTrackingCredentials(
                accessKeyID: "id",
                accessKeySecret: "secret",
                securityToken: "token",
                expiration: Int64(bitPattern: input.word())
            )
        case 2:
            WebTrackingCredentials(
                accessKeyID: input.text(),
                accessKeySecret: input.text(),
                securityToken: input.text()
            )
        default: nil
        }
    }

    private static func answer(_ input: inout FuzzInput) -> TransportResponse {
        let status = input.choice([200, 400, 401, 403, 500])
        let code = input.choice([
            "RequestTimeExpired", "RequestTimeTooSkewed", "InvalidRequestTime", "SignatureNotMatch",
            "InvalidAccessKeyId",
            "SecurityTokenExpired", input.text(),
        ])
        let date = Responses.retryAfter(&input)
        return TransportResponse(
            status: status,
            headers: [("x-log-requestid", "ID"), ("Date", date)],
            body: Array("{\"errorCode\":\"\(code)\",\"errorMessage\":\"AccessKeyId\"}".utf8)
        )
    }

    private static func batch(_ input: inout FuzzInput) -> [UInt8] {
        let time = input.choice(["2026-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z"])
        let text = "{\"__topic__\":\"\",\"__source__\":\"\",\"__logs__\":[{\"time\":\"\(time)\",\"a\":\"b\"}]}"
        guard input.bool() else { return Array(text.utf8) }
        // One byte is another; of a text still.
        var bytes = Array(text.utf8)
        bytes[input.short() % bytes.count] = input.byte() & 0x7F
        return bytes
    }
}

private final class FuzzClock: ProducerClock {
    private let time: Lock<Int64>

    init(wallTime: Int64) {
        self.time = Lock(wallTime)
    }

    func set(_ wallTime: Int64) { self.time.withLock { $0 = wallTime } }
    func wallTime() -> Int64 { self.time.withLock { $0 } }
    /// Late enough that a provider is asked again each time.
    func now() -> MonotonicInstant {
        MonotonicInstant(
            nanoseconds: self.ticks.withLock { ticks in
                ticks += 20_000_000_000
                return ticks
            }
        )
    }
    func sleep(until deadline: MonotonicInstant) async throws { try await Task.sleep(for: .seconds(3600)) }

    private let ticks = Lock<Int64>(0)
}

private final class FuzzProvider: WebTrackingCredentialsProvider {
    private struct None: Error {}
    private let answers: Lock<[WebTrackingCredentials?]>

    init(answers: [WebTrackingCredentials?]) {
        self.answers = Lock(answers.reversed())
    }

    func credentials() async throws -> WebTrackingCredentials {
        guard let next = self.answers.withLock({ $0.popLast() }), let credentials = next else { throw None() }
        return credentials
    }
}

private final class FuzzService: WebTrackingTransport {
    private struct State {
        var answers: [TransportResponse]
        var requests: [TransportRequest] = []
    }

    private let state: Lock<State>

    init(answers: [TransportResponse]) {
        self.state = Lock(State(answers: answers.reversed()))
    }

    var requests: [TransportRequest] { self.state.withLock { $0.requests } }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        try self.state.withLock { state in
            state.requests.append(request)
            guard let answer = state.answers.popLast() else { throw TransportError.timedOut }
            return answer
        }
    }
}

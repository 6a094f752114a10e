// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WebTracking
import WebTrackingTestKit
import WebTrackingURLSession

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The suite against transports that are wrong: each has to be found out, and by the right check.
@Suite(.timeLimit(.minutes(10))) struct ConformanceSuiteTests {
    @Test(arguments: Fault.all)
    func findsOut(_ fault: Fault) async throws {
        let suite = TransportConformance { FaultyTransport(fault) }
        for check in fault.checks {
            let sentence = try #require(await suite.problem(with: check), "\(check) has noticed nothing")
            #expect(sentence.contains(fault.telling), "\(check)")
        }
    }

    @Test func listsEveryCheckThatFailed() async throws {
        // These wait for requests that never come.
        let slow: [TransportConformance.Check] = [.endsOnCancellation, .sendsInParallel]
        let checks = TransportConformance.Check.allCases.filter { !slow.contains($0) }
        let failure = try await #require(throws: TransportConformanceFailure.self) {
            try await TransportConformance { ContentedTransport() }.run(checks)
        }
        // It does shut down.
        #expect(failure.problems.map(\.check) == checks.filter { $0 != .shutsDown })
        #expect(failure.description.contains("postsToThePath: For one request, 0 arrived."))
        #expect(failure.description.split(separator: "\n").count == failure.problems.count)
    }

    @Test func doesNotHangWithATransportThatDoes() async throws {
        let suite = TransportConformance(limit: .milliseconds(200)) { HangingTransport() }
        for check in [TransportConformance.Check.postsToThePath, .sendsConcurrently, .reusesConnections] {
            let sentence = await suite.problem(with: check)
            #expect(sentence == "It did not end within 0.2 seconds.")
        }
    }

    @Test func saysThatATransportCouldNotBeMade() async throws {
        let suite = TransportConformance { throw TransportError.invalidRequest("no such thing") }
        let sentence = try #require(await suite.problem(with: .postsToThePath))
        #expect(sentence.contains("could not start"))
        #expect(sentence.contains("no such thing"))
    }
}

/// A way to get it wrong.
struct Fault: Sendable, CustomTestStringConvertible {
    typealias Send = @Sendable (TransportRequest, URLSessionTransport) async throws -> TransportResponse

    var testDescription: String
    /// The checks that have to notice.
    var checks: [TransportConformance.Check]
    /// What the sentence has to say.
    var telling: String
    var send: Send

    init(_ name: String, _ checks: [TransportConformance.Check], _ telling: String, send: @escaping Send) {
        self.testDescription = name
        self.checks = checks
        self.telling = telling
        self.send = send
    }

    static let all = Self.request + Self.answer + Self.failure + Self.time + Self.connection

    private static let request = [
        Fault("adds a slash to the path", [.postsToThePath], "arrived as") { request, base in
            try await base.send(request.with { $0.path += "/" })
        },
        Fault("names another host", [.namesTheHost], "Host header") { request, base in
            try await base.send(request.with { $0.headers.append((name: "Host", value: "example.com")) })
        },
        Fault("sends chunks", [.announcesTheLength], "Transfer-Encoding") { request, _ in
            var message = URLRequest(url: try #require(URL(string: request.url)))
            message.httpMethod = "POST"
            message.httpBodyStream = InputStream(data: Data(request.body))
            _ = try await URLSession.shared.data(for: message)
            return TransportResponse(status: 200, headers: [])
        },
        Fault("loses the last byte", [.sendsTheBody], "arrived with") { request, base in
            try await base.send(request.with { $0.body = $0.body.dropLast() })
        },
        Fault("replaces what is not UTF-8", [.sendsTheBody], "arrived with") { request, base in
            try await base.send(request.with { $0.body = Array(String(decoding: $0.body, as: UTF8.self).utf8) })
        },
        Fault("drops a header", [.sendsTheHeaders], "x-log-bodyrawsize") { request, base in
            try await base.send(request.with { $0.headers.removeAll { $0.name == "x-log-bodyrawsize" } })
        },
        Fault("logs in", [.addsNoHeaders], "Authorization") { request, base in
            try await base.send(request.with { $0.headers.append((name: "Authorization", value: "Basic eA==")) })
        },
        Fault("names a coding", [.addsNoHeaders], "Content-Encoding") { request, base in
            try await base.send(request.with { $0.headers.append((name: "Content-Encoding", value: "lz4")) })
        },
        Fault("brings a cookie", [.keepsNoCookies, .addsNoHeaders], "ookie") { request, base in
            try await base.send(request.with { $0.headers.append((name: "Cookie", value: "flavour=vanilla")) })
        },
    ]

    private static let answer = [
        Fault("throws for what is not 200", [.returnsEveryStatus, .returnsRedirects], "threw") { request, base in
            let response = try await base.send(request)
            if response.status != 200 { throw TransportError.connectionFailed("status \(response.status)") }
            return response
        },
        Fault("tries again for 503", [.returnsEveryStatus], "sent again") { request, base in
            let response = try await base.send(request)
            return response.status == 503 ? try await base.send(request) : response
        },
        Fault("drops the headers", [.returnsTheHeaders, .returnsEveryStatus], "header") { request, base in
            try await base.send(request).with { $0.headers = [] }
        },
        Fault("drops the body", [.returnsTheBody, .returnsAChunkedBody, .returnsABodyUntilClose], "body") {
            try await $1.send($0).with { $0.body = [] }
        },
        Fault("makes up a body", [.returnsAnEmptyBody], "where there was none") { request, base in
            try await base.send(request).with { if $0.body.isEmpty { $0.body = Array("null".utf8) } }
        },
        Fault("cuts too early", [.bearsALargeBody], "1000 bytes") { request, base in
            try await base.send(request).with { $0.body = Array($0.body.prefix(1000)) }
        },
        Fault("follows redirects", [.returnsRedirects], "followed") { request, base in
            let response = try await base.send(request)
            guard response.header("location") != nil else { return response }
            return try await base.send(request.with { $0.path = "/elsewhere" })
        },
    ]

    private static let failure = [
        Fault(
            "takes errors for success",
            [
                .throwsOnReset, .throwsOnClose, .throwsOnCutBody, .throwsOnGarbage, .throwsOnRefusedConnection,
                .timesOut, .timesOutInTheAnswer, .timesOutInTheRequest,
            ],
            "should have thrown"
        ) { request, base in
            (try? await base.send(request)) ?? TransportResponse(status: 200, headers: [])
        },
        Fault("tries again after errors", [.throwsOnReset, .throwsOnClose], "2 times") { request, base in
            do { return try await base.send(request) } catch { return try await base.send(request) }
        },
    ]

    private static let time = [
        Fault("knows no timeout", [.timesOut], "still waiting") { request, base in
            try await base.send(request.with { $0.timeout = .seconds(60) })
        },
        Fault("knows no timeout in the answer", [.timesOutInTheAnswer], "still waiting") { request, base in
            try await base.send(request.with { $0.timeout = .seconds(60) })
        },
        Fault("knows no timeout in the request", [.timesOutInTheRequest], "still waiting") { request, base in
            try await base.send(request.with { $0.timeout = .seconds(60) })
        },
        Fault("cannot be cancelled", [.endsOnCancellation], "had been cancelled") { request, base in
            try await Task.detached { try await base.send(request.with { $0.timeout = .seconds(15) }) }.value
        },
        Fault("answers when it is cancelled", [.endsOnCancellation], "had no answer") { request, base in
            (try? await base.send(request)) ?? TransportResponse(status: 200, headers: [])
        },
    ]

    private static let connection = [
        Fault("takes a new connection each time", [.reusesConnections], "5 connections") { request, _ in
            let base = URLSessionTransport()
            let response = try await base.send(request)
            await base.shutdown()
            return response
        },
        Fault("takes one after the other", [.sendsInParallel], "only 1") { [queue = Queue()] request, base in
            try await queue.run { try await base.send(request) }
        },
        Fault("mixes the answers up", [.sendsConcurrently], "of another") { [known = Recorder<[UInt8]>()] in
            let response = try await $1.send($0)
            known.add(response.body)
            return response.with { $0.body = known.elements[0] }
        },
    ]
}

/// A transport that works, except for its fault.
private final class FaultyTransport: WebTrackingTransport {
    private let base = URLSessionTransport()
    private let fault: Fault

    init(_ fault: Fault) {
        self.fault = fault
    }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        try await self.fault.send(request, self.base)
    }

    func shutdown() async {
        await self.base.shutdown()
    }
}

/// Sends nothing and is content.
private struct ContentedTransport: WebTrackingTransport {
    func send(_ request: TransportRequest) async throws -> TransportResponse {
        TransportResponse(status: 200, headers: [])
    }
}

/// Comes back from nothing.
private struct HangingTransport: WebTrackingTransport {
    func send(_ request: TransportRequest) async throws -> TransportResponse {
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        throw TransportError.timedOut
    }

    func shutdown() async {
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
}

/// Lets one at a time through.
private actor Queue {
    private var last: Task<Void, Never>?

    func run(
        _ operation: @escaping @Sendable () async throws -> TransportResponse
    ) async throws -> TransportResponse {
        let before = self.last
        let task = Task {
            await before?.value
            return try await operation()
        }
        self.last = Task { _ = await task.result }
        return try await task.value
    }
}

extension TransportRequest {
    fileprivate func with(_ change: (inout Self) -> Void) -> Self {
        var copy = self
        change(&copy)
        return copy
    }
}

extension TransportResponse {
    fileprivate func with(_ change: (inout Self) -> Void) -> Self {
        var copy = self
        change(&copy)
        return copy
    }
}

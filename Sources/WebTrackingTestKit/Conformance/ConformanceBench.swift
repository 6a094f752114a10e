// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// The tools of a check: a server, a transport, and ways to report failures.
final class ConformanceBench: Sendable {
    /// How much longer than its limit something may take. It is generous, for busy machines.
    static let slack = Duration.seconds(5)

    let server: LoopbackServer
    let transport: any WebTrackingTransport
    private let isShutDown = Lock(false)

    init(server: LoopbackServer, transport: any WebTrackingTransport) {
        self.server = server
        self.transport = transport
    }

    /// Shuts the transport down, once.
    func shutdown() async {
        let isFirst = self.isShutDown.withLock { isShutDown in
            defer { isShutDown = true }
            return !isShutDown
        }
        if isFirst { await self.transport.shutdown() }
    }

    /// The answer to `request`; an error is a failure of the check.
    func answer(to request: TransportRequest, _ situation: String) async throws -> TransportResponse {
        do {
            return try await self.transport.send(request)
        } catch {
            throw Complaint("It threw \(String(reflecting: error)) \(situation).")
        }
    }

    /// The request as it arrives when it is sent and answered with 200.
    func arrival(of request: TransportRequest) async throws -> LoopbackServer.Request {
        let before = self.server.requests.count
        _ = try await self.answer(to: request, "for a request that was answered with 200")
        let requests = self.server.requests
        guard requests.count == before + 1 else {
            throw Complaint("For one request, \(requests.count - before) arrived.")
        }
        return requests[before]
    }

    /// Sends `request`, which must lead to an error, at the timeout plus ``slack`` at the latest.
    func failure(of request: TransportRequest, _ situation: String) async throws {
        let transport = self.transport
        let limit = request.timeout + Self.slack
        do {
            let response = try await within(limit) { try await transport.send(request) }
            throw Complaint("It returned status \(response.status) \(situation), and should have thrown.")
        } catch is Overdue {
            throw Complaint("It was still waiting \(limit) later \(situation); the timeout was \(request.timeout).")
        } catch let complaint as Complaint {
            throw complaint
        } catch {}
    }
}

/// What is wrong with a transport.
struct Complaint: Error {
    var sentence: String

    init(_ sentence: String) {
        self.sentence = sentence
    }
}

func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
    if !condition { throw Complaint(sentence()) }
}

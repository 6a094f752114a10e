// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// How connections are used.
extension ConformanceBench {
    func reusesConnections() async throws {
        // Only with good answers: after others, a transport may open a new connection.
        let id = [(name: "x-log-requestid", value: "5642EFA499248C827B012B39")]
        for status in [200, 429, 403, 400, 200] {
            self.server.reply(otherwise: .answer(status: status, headers: id, body: Self.pattern(1000)))
            _ = try await self.answer(to: self.server.request(), "for one of 5 requests in a row")
        }
        let count = self.server.connectionCount
        try require(count == 1, "5 requests one after another took \(count) connections.")
    }

    func sendsConcurrently() async throws {
        self.server.reply(otherwise: .computed { .answer(body: $0.body) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...32 {
                let body = Array("request \(number)".utf8)
                let request = self.server.request(body: body)
                group.addTask {
                    let response = try await self.answer(to: request, "for one of 32 requests at the same time")
                    try require(response.status == 200, "One of 32 requests got the status \(response.status).")
                    try require(response.body == body, "One of 32 requests got the answer of another.")
                }
            }
            try await group.waitForAll()
        }
    }

    func sendsInParallel() async throws {
        let gate = LoopbackServer.Gate()
        self.server.reply(otherwise: .gated(gate, .answer()))
        let server = self.server
        let requests = (1...8).map { _ in server.request(timeout: .seconds(15)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for request in requests {
                group.addTask { _ = try await self.answer(to: request, "for one of 8 requests at the same time") }
            }
            // No request is answered before all have arrived.
            let arrived = try? await within(Self.slack) { await server.waitForRequests(8) }
            let count = server.requests.count
            gate.open()
            try require(arrived == true, "Of 8 requests at the same time, only \(count) were on their way.")
            try await group.waitForAll()
        }
    }

    func shutsDown() async throws {
        _ = try await self.answer(to: self.server.request(), "for a request that was answered with 200")
        do {
            try await within(Self.slack) { await self.shutdown() }
        } catch {
            throw Complaint("shutdown() did not return within \(Self.slack).")
        }
        // The producer sends nothing after a shutdown. The call may succeed or throw, but it has to end.
        let transport = self.transport
        let request = self.server.request(timeout: .seconds(1))
        do {
            _ = try await within(request.timeout + Self.slack) { try await transport.send(request) }
        } catch is Overdue {
            throw Complaint("A request after shutdown() was still waiting \(request.timeout + Self.slack) later.")
        } catch {}
    }
}

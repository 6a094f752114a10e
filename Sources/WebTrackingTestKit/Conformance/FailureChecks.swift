// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// What happens when no answer comes, or none in time.
extension ConformanceBench {
    func throwsOnReset() async throws {
        try await self.throwsOnce(.reset, "when the connection was reset")
    }

    func throwsOnClose() async throws {
        try await self.throwsOnce(.close, "when the connection was closed without an answer")
    }

    func throwsOnCutBody() async throws {
        let body = Self.pattern(1000)
        let head = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        let replies: [(LoopbackServer.Reply, String)] = [
            (.cut(body: body, announced: 2000), "for 1000 of 2000 bytes"),
            (.cut(body: [], announced: 10), "for 0 of 10 bytes"),
            (.cut(status: 503, body: body, announced: 2000), "for a 503 with 1000 of 2000 bytes"),
            (.raw(head + Array("10\r\n12345".utf8)), "for a chunk without its end"),
            (.raw(head + Array("5\r\n12345\r\n".utf8)), "for a body without its last chunk"),
        ]
        for (reply, situation) in replies {
            self.server.reply(otherwise: reply)
            try await self.failure(of: self.server.request(), situation)
        }
    }

    func throwsOnCutHeaders() async throws {
        for text in ["HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 20"] {
            self.server.reply([.raw(Array(text.utf8))], otherwise: .stall(after: Array(text.utf8)))
            try await self.failure(of: self.server.request(), "for headers without their end")
            try await self.failure(of: self.hurried(), "when the server stopped among the headers")
        }
    }

    func throwsOnGarbage() async throws {
        for text in ["SSH-2.0-OpenSSH_9.2\r\n", "\r\n\r\n", "HTTP/1.1 OK fine\r\n\r\n"] {
            self.server.reply(otherwise: .raw(Array(text.utf8)))
            try await self.failure(of: self.server.request(timeout: .seconds(1)), "for an answer that is not HTTP")
        }
    }

    func throwsOnRefusedConnection() async throws {
        // Bound but not listening, so that no other process can get the port in the meantime.
        let socket = try LoopbackSocket(listening: false)
        var request = self.server.request(timeout: .seconds(1))
        request.port = socket.port
        try await self.failure(of: request, "when the connection was refused")
        withExtendedLifetime(socket) {}
    }

    func timesOut() async throws {
        self.server.reply(otherwise: .never)
        try await self.failure(of: self.hurried(), "when the server did not answer")
    }

    func timesOutInTheAnswer() async throws {
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".utf8)
        let replies: [(LoopbackServer.Reply, String)] = [
            (.stall(after: head), "when the server stopped after the headers"),
            (.stall(after: head + Self.pattern(100)), "when the server stopped in the body"),
            (.trickle(every: .milliseconds(50)), "when the server sent a byte every 50 ms"),
        ]
        for (reply, situation) in replies {
            self.server.reply(otherwise: reply)
            try await self.failure(of: self.hurried(), situation)
        }
    }

    func timesOutInTheRequest() async throws {
        self.server.reply(otherwise: .neverRead)
        // More than the buffers of both sockets take.
        let request = self.hurried(body: [UInt8](repeating: 0, count: 32 << 20))
        try await self.failure(of: request, "when the server did not read the request")
    }

    func endsOnCancellation() async throws {
        self.server.reply(otherwise: .never)
        let transport = self.transport
        let request = self.server.request(timeout: .seconds(600))
        let sending = Task { try await transport.send(request) }
        defer { sending.cancel() }
        let server = self.server
        do {
            _ = try await within(Self.slack) { await server.waitForRequests(1) }
        } catch {
            throw Complaint("The request did not arrive within \(Self.slack).")
        }
        sending.cancel()
        do {
            let response = try await within(Self.slack) { try await sending.value }
            throw Complaint("It returned status \(response.status) for a request that had no answer.")
        } catch is Overdue {
            throw Complaint("It was still waiting \(Self.slack) after its task had been cancelled.")
        } catch let complaint as Complaint {
            throw complaint
        } catch {}
    }

    private func throwsOnce(_ reply: LoopbackServer.Reply, _ situation: String) async throws {
        self.server.reply(otherwise: reply)
        try await self.failure(of: self.server.request(), situation)
        let count = self.server.requests.count
        try require(count == 1, "It sent the request \(count) times \(situation); only the producer retries.")
    }

    /// A request that cannot wait.
    private func hurried(body: [UInt8] = Array("{}".utf8)) -> TransportRequest {
        self.server.request(body: body, timeout: .milliseconds(300))
    }
}

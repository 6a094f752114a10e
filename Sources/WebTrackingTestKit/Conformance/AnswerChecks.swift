// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// What becomes of an answer.
extension ConformanceBench {
    func returnsEveryStatus() async throws {
        for status in [200, 400, 401, 403, 404, 413, 429, 500, 503] {
            let body = Array("{\"errorCode\":\"Some\(status)\"}".utf8)
            var headers = [(name: "x-log-requestid", value: "5642EFA499248C827B012B39")]
            // Clients have mechanisms of their own for these, which must not set in.
            if status == 401 { headers.append(("WWW-Authenticate", "Basic realm=\"service\"")) }
            if status == 429 || status == 503 { headers.append(("Retry-After", "0")) }
            self.server.reply(otherwise: .answer(status: status, headers: headers, body: body))
            let before = self.server.requests.count
            let response = try await self.answer(to: self.server.request(), "for the status \(status)")
            try require(response.status == status, "The status \(status) was returned as \(response.status).")
            try require(response.body == body, "With the status \(status) the body was not the one sent.")
            let id = response.header("x-log-requestid")
            try require(id == headers[0].value, "With the status \(status) a header was lost.")
            let count = self.server.requests.count - before
            try require(count == 1, "After the status \(status) the request was sent again, \(count) times in all.")
        }
    }

    func returnsTheHeaders() async throws {
        let headers = [
            (name: "x-log-requestid", value: "5642EFA499248C827B012B39"),
            (name: "X-Log-Time", value: "1767225600"),
            (name: "RETRY-AFTER", value: "Fri, 02 Jan 2026 00:00:00 GMT"),
        ]
        self.server.reply(otherwise: .answer(headers: headers))
        let response = try await self.answer(to: self.server.request(), "for an answer with headers")
        for (name, value) in headers {
            for name in [name, name.lowercased(), name.uppercased()] {
                let found = response.header(name)
                try require(found == value, "The answer's header \(name) was \(found ?? "not there"), not \(value).")
            }
        }
    }

    func returnsTheBody() async throws {
        for count in [1, 256, TransportResponse.maximumBodyBytes] {
            try await self.returns(Self.pattern(count), .answer(body: Self.pattern(count)), "of \(count) bytes")
        }
    }

    func returnsAnEmptyBody() async throws {
        for status in [200, 400, 503] {
            self.server.reply(otherwise: .answer(status: status))
            let response = try await self.answer(to: self.server.request(), "for an answer without a body")
            try require(response.status == status, "The status \(status) was returned as \(response.status).")
            try require(response.body.isEmpty, "A body was returned where there was none.")
        }
    }

    func returnsAChunkedBody() async throws {
        let chunks = [1, 5000, 16, 20_000].map { Self.pattern($0) }
        try await self.returns(Array(chunks.joined()), .answerInChunks(chunks: chunks), "in chunks")
        try await self.returns([], .answerInChunks(chunks: []), "in no chunk")
    }

    func returnsABodyUntilClose() async throws {
        for body in [Self.pattern(20_000), []] {
            try await self.returns(body, .answerUntilClose(body: body), "that ends with the connection")
        }
        try await self.returns([], .answer(), "on a new connection")
    }

    func bearsALargeBody() async throws {
        let body = Self.pattern(1 << 20)
        self.server.reply([.answer(body: body)], otherwise: .answer())
        let response = try await self.answer(to: self.server.request(), "for an answer of 1 MiB")
        let count = response.body.count
        try require(
            count >= TransportResponse.maximumBodyBytes && count <= body.count && body.starts(with: response.body),
            "Of an answer of 1 MiB, \(count) bytes were returned, or other bytes; at least the beginning has to be."
        )
        try await self.returns([], .answer(), "after a large one")
    }

    func returnsRedirects() async throws {
        let elsewhere = "http://127.0.0.1:\(self.server.port)/elsewhere"
        for status in [301, 302, 303, 307, 308] {
            self.server.reply([.redirect(status: status, to: elsewhere)], otherwise: .answer())
            let before = self.server.requests.count
            let response = try await self.answer(to: self.server.request(), "for a redirect")
            let targets = self.server.requests.dropFirst(before).map(\.target)
            try require(targets.count == 1, "A redirect with \(status) was followed: \(targets).")
            try require(response.status == status, "A redirect with \(status) was returned as \(response.status).")
            try require(response.header("location") == elsewhere, "A redirect was returned without its Location.")
        }
    }

    private func returns(_ body: [UInt8], _ reply: LoopbackServer.Reply, _ kind: String) async throws {
        self.server.reply(otherwise: reply)
        let response = try await self.answer(to: self.server.request(), "for a body \(kind)")
        try require(response.status == 200, "With a body \(kind) the status 200 became \(response.status).")
        try require(
            response.body == body,
            "A body \(kind), \(body.count) bytes, was returned with \(response.body.count) bytes, or other bytes."
        )
    }
}

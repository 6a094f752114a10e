// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// How the request arrives.
extension ConformanceBench {
    func postsToThePath() async throws {
        for path in ["/logstores/app/track", "/logstores/a-b_c9/track", "/"] {
            let arrived = try await self.arrival(of: self.server.request(path: path))
            try require(arrived.method == "POST", "The method was \(arrived.method), not POST.")
            try require(arrived.target == path, "The path \(path) arrived as \(arrived.target).")
        }
    }

    func namesTheHost() async throws {
        let arrived = try await self.arrival(of: self.server.request())
        let expected = "127.0.0.1:\(self.server.port)"
        let hosts = arrived.values(of: "Host")
        try require(hosts == [expected], "The Host header was \(hosts), and should have been \(expected).")
    }

    func announcesTheLength() async throws {
        for count in [0, 1, 100_000] {
            let arrived = try await self.arrival(of: self.server.request(body: Self.pattern(count)))
            let codings = arrived.values(of: "Transfer-Encoding")
            try require(codings.isEmpty, "A body of \(count) bytes came with Transfer-Encoding \(codings).")
            let lengths = arrived.values(of: "Content-Length")
            // Without a body the header may be left out.
            let isRight = lengths == [String(count)] || (count == 0 && lengths.isEmpty)
            try require(isRight, "A body of \(count) bytes came with Content-Length \(lengths).")
        }
    }

    func sendsTheBody() async throws {
        for count in [0, 1, 256, 65_535, 65_536, 65_537, 1 << 20, 3 << 20] {
            let body = Self.pattern(count)
            let arrived = try await self.arrival(of: self.server.request(body: body)).body
            try require(arrived.count == count, "A body of \(count) bytes arrived with \(arrived.count).")
            try require(arrived == body, "A body of \(count) bytes arrived with other bytes.")
        }
    }

    func sendsTheHeaders() async throws {
        let headers = [
            (name: "Content-Type", value: "application/json"),
            (name: "x-log-apiversion", value: "0.6.0"),
            (name: "x-log-bodyrawsize", value: "1234567"),
            (name: "x-log-compresstype", value: "lz4"),
            (name: "x-log-mode", value: "a, b; c=\"d\""),
        ]
        let arrived = try await self.arrival(of: self.server.request(headers: headers))
        for (name, value) in headers {
            let values = arrived.values(of: name)
            try require(values == [value], "The header \(name): \(value) arrived with the values \(values).")
        }
    }

    func addsNoHeaders() async throws {
        let arrived = try await self.arrival(of: self.server.request())
        for name in ["Content-Encoding", "Authorization", "Proxy-Authorization", "Cookie"] {
            let values = arrived.values(of: name)
            try require(values.isEmpty, "There was a header \(name), with the values \(values).")
        }
    }

    func keepsNoCookies() async throws {
        self.server.reply(otherwise: .answer(headers: [("Set-Cookie", "flavour=vanilla; Path=/; Max-Age=3600")]))
        for _ in 1...2 {
            let arrived = try await self.arrival(of: self.server.request())
            let cookies = arrived.values(of: "Cookie")
            try require(cookies.isEmpty, "A cookie came back: \(cookies).")
        }
    }

    /// `count` bytes, all values among them, in an order that does not repeat itself soon.
    static func pattern(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index ^ (index >> 8) ^ (index >> 16)) }
            written = count
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingPlatform

/// One connection of a ``LoopbackServer``, served by a thread of its own.
struct LoopbackConnection {
    static let readable = Int32(POLLIN)

    private let descriptor: Descriptor
    private let number: Int
    private let core: LoopbackCore
    /// What has been received and belongs to no request yet.
    private var received: [UInt8] = []

    init(_ descriptor: Descriptor, number: Int, core: LoopbackCore) {
        self.descriptor = descriptor
        self.number = number
        self.core = core
    }

    /// Answers requests until the connection or the server ends.
    mutating func serve() {
        while var request = self.readHead() {
            let reply = self.core.nextReply()
            if case .neverRead = reply {
                self.core.record(request)
                self.ignoreClient()
                return
            }
            if request.values(of: "Expect").contains("100-continue") {
                guard self.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) else { return }
            }
            guard let body = self.readBody(of: request) else { return }
            request.body = body
            self.core.record(request)
            guard self.perform(reply, for: request) else { return }
            if request.values(of: "Connection").contains(where: { $0.lowercased() == "close" }) { return }
        }
    }

    // MARK: Reading

    private mutating func readHead() -> LoopbackServer.Request? {
        let separator = Array("\r\n\r\n".utf8)
        while true {
            if let end = self.received.position(of: separator) {
                let lines = self.received[..<end].split(separator: UInt8(ascii: "\n")).map { line in
                    String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
                }
                self.received.removeFirst(end + separator.count)
                return Self.parse(lines, connection: self.number)
            }
            guard self.receive() else { return nil }
        }
    }

    private static func parse(_ lines: [String], connection: Int) -> LoopbackServer.Request? {
        let words = lines.first?.split(separator: " ", omittingEmptySubsequences: false) ?? []
        guard words.count == 3 else { return nil }
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1] : ""
            // Only the spaces that HTTP allows around a value.
            let trimmed = value.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            return (name: String(parts[0]), value: String(trimmed))
        }
        return LoopbackServer.Request(
            method: String(words[0]),
            target: String(words[1]),
            headers: headers,
            body: [],
            connection: connection
        )
    }

    private mutating func readBody(of request: LoopbackServer.Request) -> [UInt8]? {
        if request.values(of: "Transfer-Encoding").contains(where: { $0.lowercased() == "chunked" }) {
            return self.readChunks()
        }
        return self.take(request.values(of: "Content-Length").first.flatMap { Int($0) } ?? 0)
    }

    private mutating func readChunks() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            guard let line = self.takeLine(), let size = Int(line.prefix { $0 != ";" }, radix: 16) else { return nil }
            guard size > 0 else { break }
            guard let chunk = self.take(size), self.takeLine() == "" else { return nil }
            body += chunk
        }
        while let trailer = self.takeLine() {
            if trailer.isEmpty { return body }
        }
        return nil
    }

    private mutating func takeLine() -> String? {
        let end = Array("\r\n".utf8)
        while true {
            if let position = self.received.position(of: end) {
                defer { self.received.removeFirst(position + end.count) }
                return String(decoding: self.received[..<position], as: UTF8.self)
            }
            guard self.receive() else { return nil }
        }
    }

    private mutating func take(_ count: Int) -> [UInt8]? {
        while self.received.count < count {
            guard self.receive() else { return nil }
        }
        defer { self.received.removeFirst(count) }
        return Array(self.received[..<count])
    }

    private mutating func receive() -> Bool {
        let ready = Descriptor.wait(
            [(self.descriptor, for: Self.readable), (self.core.end.signal, for: Self.readable)],
            until: self.core.deadline
        )
        guard ready[0] && !ready[1], let bytes = self.descriptor.read() else { return false }
        self.received += bytes
        return true
    }

    // MARK: Answering

    /// Does what `reply` says; `false` if that ends the connection.
    private func perform(_ reply: LoopbackServer.Reply, for request: LoopbackServer.Request) -> Bool {
        switch reply {
        case .answer(let status, let headers, let body):
            let length = [(name: "Content-Length", value: String(body.count))]
            return self.write(Self.head(status, headers + length) + body)
        case .answerUntilClose(let status, let headers, let body):
            _ = self.write(Self.head(status, headers + [("Connection", "close")]) + body)
            return false
        case .answerInChunks(let status, let headers, let chunks):
            var bytes = Self.head(status, headers + [("Transfer-Encoding", "chunked")])
            for chunk in chunks where !chunk.isEmpty {
                bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
            }
            return self.write(bytes + Array("0\r\n\r\n".utf8))
        case .cut(let status, let headers, let body, let announced):
            let length = [(name: "Content-Length", value: String(announced))]
            _ = self.write(Self.head(status, headers + length) + body)
            return false
        case .raw(let bytes):
            _ = self.write(bytes)
            return false
        case .stall(let bytes):
            if self.write(bytes) { _ = self.isOpened(self.core.end) }
            return false
        case .trickle(let interval):
            guard self.write(Self.head(200, [("Content-Length", "1000000")])) else { return false }
            repeat {
                guard self.write([UInt8(ascii: " ")]) else { return false }
            } while self.isQuiet(for: interval)
            return false
        case .close:
            return false
        case .reset:
            self.descriptor.abort()
            return false
        case .never, .neverRead:
            _ = self.isOpened(self.core.end)
            return false
        case .gated(let gate, let reply):
            return self.isOpened(gate.latch) && self.perform(reply, for: request)
        case .computed(let closure):
            return self.perform(closure(request), for: request)
        }
    }

    /// Waits for `latch`; `false` if the client or the server ends before that.
    private func isOpened(_ latch: Latch) -> Bool {
        while true {
            let ready = Descriptor.wait(
                [
                    (latch.signal, for: Self.readable), (self.core.end.signal, for: Self.readable),
                    (self.descriptor, for: Self.readable),
                ],
                until: self.core.deadline
            )
            if ready[0] || ready[1] { return !ready[1] }
            // Nothing is due from the client but the end of the connection.
            guard ready[2], self.descriptor.read() != nil else { return false }
        }
    }

    /// Waits for `interval`; `false` if the client or the server ends meanwhile.
    private func isQuiet(for interval: Duration) -> Bool {
        let end = min(SystemProducerClock().now() + interval, self.core.deadline)
        let ready = Descriptor.wait(
            [(self.core.end.signal, for: Self.readable), (self.descriptor, for: Self.readable)],
            until: end
        )
        return !ready.contains(true) && end < self.core.deadline
    }

    /// Waits for the end of the server, or the reset of the connection, and leaves alone what the client sends.
    private func ignoreClient() {
        _ = Descriptor.wait(
            [(self.core.end.signal, for: Self.readable), (self.descriptor, for: 0)],
            until: self.core.deadline
        )
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let ready = Descriptor.wait(
                [(self.descriptor, for: Int32(POLLOUT)), (self.core.end.signal, for: Self.readable)],
                until: self.core.deadline
            )
            guard ready[0] && !ready[1], let count = self.descriptor.write(rest) else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func head(_ status: Int, _ headers: [(name: String, value: String)]) -> [UInt8] {
        var text = "HTTP/1.1 \(status) Scripted\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}

extension [UInt8] {
    fileprivate func position(of needle: [UInt8]) -> Int? {
        guard var position = self.firstIndex(of: needle[0]) else { return nil }
        while position + needle.count <= self.count {
            if self[position..<(position + needle.count)].elementsEqual(needle) { return position }
            guard let next = self[(position + 1)...].firstIndex(of: needle[0]) else { return nil }
            position = next
        }
        return nil
    }
}

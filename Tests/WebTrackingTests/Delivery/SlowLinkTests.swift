// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Testing
import WebTrackingPlatform
import WebTrackingURLSession

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// A link that carries few bytes a second: a real socket, of which somebody reads slowly.
@Suite(.timeLimit(.minutes(10))) struct SlowLinkTests {
    @Test func whatIsTooMuchForTheLinkInOneRequestArrivesInSeveral() async throws {
        let link = try SlowLink(bytesPerSecond: 100_000)
        defer { link.close() }
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1:\(link.port)",
            project: "project",
            logstore: "logstore"
        )
        configuration.compression = .none
        configuration.delivery.requestTimeout = .seconds(1)
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: URLSessionTransport(),
            diagnostics: .none
        )
        let sink = producer.makeLogHandler(label: "l")
        let text = String(repeating: "x", count: 800)
        // As one request, more than twice what the link carries within the timeout.
        for number in 0..<300 { sink.info("\(number) \(text)", metadata: ["n": .string(String(number))]) }
        await producer.shutdown(timeout: .seconds(60))
        #expect(producer.statistics.delivered == 300)
        let stored = link.numbers
        #expect(Set(stored) == Set(0..<300))
        #expect(stored.count < 400, "\(stored.count - 300) twice")
    }
}

/// A server that reads so many bytes a second, over all its connections, and takes what it reads.
private final class SlowLink: Sendable {
    let port: Int
    private let descriptor: Int32
    private let bytesPerSecond: Int
    /// Held while bytes are on the link.
    private let link = Lock(0)
    private let stored = Lock([Int]())

    init(bytesPerSecond: Int) throws {
        self.bytesPerSecond = bytesPerSecond
        #if canImport(Glibc)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        self.descriptor = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Little is under way that nobody has read.
        var room: Int32 = 4096
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        let descriptor = self.descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(isBound)
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                Thread.detachNewThread { [self] in self.serve(connection) }
            }
        }
    }

    /// The numbers of all records, in the order in which they came.
    var numbers: [Int] { self.stored.withLock { $0 } }

    func close() { shutdown(self.descriptor, Int32(SHUT_RDWR)) }

    private func serve(_ connection: Int32) {
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        func receive() -> Bool {
            self.link.withLock { total in
                let count = read(connection, &chunk, chunk.count)
                guard count > 0 else { return false }
                received += chunk[..<count]
                total += count
                // The link itself, not a wait of the test's.
                usleep(UInt32(count * 1_000_000 / self.bytesPerSecond))
                return true
            }
        }
        // Only one connection at a time is read from: whoever has nothing to read must not hold the link.
        func wait() -> Bool {
            var wanted = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
            return poll(&wanted, 1, 60_000) == 1
        }
        defer { _ = systemClose(connection) }
        while true {
            while received.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
                guard wait(), receive() else { return }
            }
            guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            let head = String(decoding: received[..<end.lowerBound], as: UTF8.self).lowercased()
            let length = head.components(separatedBy: "content-length: ").dropFirst().first
                .flatMap { Int($0.prefix { $0.isNumber }) }
            let size = length ?? 0
            while received.count < end.upperBound + size {
                guard wait(), receive() else { return }
            }
            let body = Array(received[end.upperBound..<end.upperBound + size])
            received.removeFirst(end.upperBound + size)
            self.take(body)
            let answer = Array("HTTP/1.1 200 OK\r\nx-log-requestid: 1\r\nContent-Length: 0\r\n\r\n".utf8)
            guard send(connection, answer, answer.count, Self.flags) == answer.count else { return }
        }
    }

    #if canImport(Darwin)
    private static let flags: Int32 = 0
    #else
    private static let flags = Int32(MSG_NOSIGNAL)
    #endif

    private func take(_ body: [UInt8]) {
        guard let content = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let logs = content["__logs__"] as? [[String: String]]
        else { return }
        let numbers = logs.compactMap { $0["n"].flatMap { Int($0) } }
        self.stored.withLock { $0 += numbers }
    }
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

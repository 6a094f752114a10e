// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A TCP connection that sends what it is told, however wrong.
final class RawClient {
    private let descriptor: CInt

    struct Failure: Error {}

    init(port: Int) throws {
        #if canImport(Darwin)
        self.descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
        self.descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure() }
    }

    /// Sends, as far as the other side takes it.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        #if canImport(Darwin)
        _ = Foundation.send(self.descriptor, bytes, bytes.count, 0)
        #else
        _ = Foundation.send(self.descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL))
        #endif
    }

    /// Whether the other side has closed or reset the connection, or does so within the time.
    func isClosedByPeer(waitingMilliseconds: Int32) -> Bool {
        var request = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, waitingMilliseconds) > 0 else { return false }
        var byte: UInt8 = 0
        return recv(self.descriptor, &byte, 1, 0) <= 0
    }

    /// What comes back first.
    func answer() -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(self.descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// Says that nothing more is sent.
    func finish() { shutdown(self.descriptor, CInt(SHUT_WR)) }

    /// Closes with a reset, as a client that is killed while something is unread.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        self.close()
    }

    /// What comes until it ends with `text`, or until the other side closes. Throws if neither happens.
    func read(until text: String? = nil) throws -> String {
        var answer: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        while text.map({ !answer.suffix($0.utf8.count).elementsEqual($0.utf8) }) ?? true {
            var request = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&request, 1, Self.patience) > 0 else { throw Failure() }
            let count = recv(self.descriptor, &bytes, bytes.count, 0)
            guard count > 0 else { break }
            answer += bytes.prefix(count)
        }
        return String(decoding: answer, as: UTF8.self)
    }

    /// In milliseconds; only what is broken takes it.
    private static let patience: Int32 = 30_000

    func close() {
        #if canImport(Darwin)
        Darwin.close(self.descriptor)
        #else
        Glibc.close(self.descriptor)
        #endif
    }
}

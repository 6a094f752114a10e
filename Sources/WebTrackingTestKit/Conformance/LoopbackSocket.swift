// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingPlatform

/// An open file descriptor, closed with the last reference to it.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        close(self.number)
    }

    /// Makes the close a reset: the peer gets RST instead of an orderly end.
    func abort() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(self.number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// The bytes that are there; `nil` at the end of the stream or on an error, empty if there are none yet.
    func read() -> [UInt8]? {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            let result = recv(self.number, buffer.baseAddress, buffer.count, 0)
            failed = result == 0 || (result < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            count = max(result, 0)
        }
        return failed ? nil : bytes
    }

    /// How many of `bytes` the socket took; `nil` on an error.
    func write(_ bytes: ArraySlice<UInt8>) -> Int? {
        #if canImport(Darwin)
        let flags: Int32 = 0  // SO_NOSIGPIPE is set instead.
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        let result = bytes.withUnsafeBytes { send(self.number, $0.baseAddress, $0.count, flags) }
        if result >= 0 { return result }
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : nil
    }

    /// Waits until one of `descriptors` is ready, or until `deadline`. Returns which ones are.
    static func wait(_ descriptors: [(Descriptor, for: Int32)], until deadline: MonotonicInstant) -> [Bool] {
        var polled = descriptors.map { pollfd(fd: $0.0.number, events: Int16($0.for), revents: 0) }
        while true {
            let rest = (deadline - SystemProducerClock().now()) / .milliseconds(1)
            let result = poll(&polled, nfds_t(polled.count), Int32(min(max(rest.rounded(.up), 0), 1e6)))
            if result < 0 && errno == EINTR { continue }
            return polled.map { $0.revents != 0 }
        }
    }
}

/// Something that happens once, and that threads can wait for beside their sockets: a pipe that is closed.
final class Latch: Sendable {
    /// Becomes readable when the latch is opened.
    let signal: Descriptor
    private let writer: Lock<Descriptor?>

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no file descriptors left for a pipe")
        self.signal = Descriptor(ends[0])
        self.writer = Lock(Descriptor(ends[1]))
    }

    func open() {
        // The reader of the other end now sees the end of the stream.
        self.writer.withLock { $0 = nil }
    }
}

/// A TCP socket on 127.0.0.1, on a port that the system has chosen.
struct LoopbackSocket: Sendable {
    let descriptor: Descriptor
    let port: Int

    /// Binds a socket; connections to it are refused unless it listens.
    init(listening: Bool) throws {
        #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        let number = socket(AF_INET, kind, 0)
        guard number >= 0 else { throw LoopbackServer.SocketError(call: "socket", code: errno) }
        self.descriptor = Descriptor(number)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
            let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            let result = bind(number, address, size)
            return result == 0 ? getsockname(number, address, &size) : result
        }
        guard result == 0 else { throw LoopbackServer.SocketError(call: "bind", code: errno) }
        guard !listening || listen(number, 128) == 0 else {
            throw LoopbackServer.SocketError(call: "listen", code: errno)
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Self.prepare(number)
    }

    /// The next connection; `nil` if the client has already closed it.
    func accept() -> Descriptor? {
        let number = systemAccept(self.descriptor.number, nil, nil)
        guard number >= 0 else { return nil }
        Self.prepare(number)
        var isOn: Int32 = 1
        // An answer takes several writes. Without this, each would wait for the acknowledgement of the one before
        // (Nagle).
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        return Descriptor(number)
    }

    private static func prepare(_ number: Int32) {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        #if canImport(Darwin)
        var isOn: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_NOSIGPIPE, &isOn, socklen_t(MemoryLayout<Int32>.size))
        #endif
    }
}

/// The C function, which a method of this name hides.
private let systemAccept = accept

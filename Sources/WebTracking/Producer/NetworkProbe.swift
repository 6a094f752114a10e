// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// What the system says about a host's name, and about a TCP connection to it.
struct NetworkProbe: Equatable, Sendable {
    /// The addresses, in the order in which they are tried.
    var addresses: [String] = []
    /// Why there are none.
    var nameError: String?
    /// The address to which there was a connection.
    var connected: String?
    /// Why there was none: the system's number for it.
    var connectError: CInt?

    /// For all connections together.
    private static let limit = Duration.seconds(5)

    /// Looks the name up, and opens and closes a connection. Blocks the thread, and the name server may take its time.
    static func take(host: String, port: Int, clock: any ProducerClock = SystemProducerClock()) -> NetworkProbe {
        var hints = addrinfo()
        #if canImport(Glibc)
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var found: UnsafeMutablePointer<addrinfo>?
        var look = NetworkProbe()
        let code = getaddrinfo(host, "\(port)", &hints, &found)
        guard code == 0, let found else {
            look.nameError = String(cString: gai_strerror(code))
            return look
        }
        defer { freeaddrinfo(found) }
        look.reach(found, clock: clock)
        return look
    }

    /// Tries the addresses one after the other until one takes a connection.
    private mutating func reach(_ first: UnsafeMutablePointer<addrinfo>, clock: any ProducerClock) {
        let entries = Array(sequence(first: first, next: { $0.pointee.ai_next }))
        self.addresses = entries.map { Self.text(of: $0.pointee) }
        let deadline = clock.now() + Self.limit
        for (index, entry) in entries.enumerated() {
            let now = clock.now()
            // One that is silent leaves the others their time. All at once would take a file for each.
            let share = max(deadline - now, .zero) / (entries.count - index)
            let error = Self.attempt(entry.pointee, until: now + share, clock)
            if error == 0 {
                self.connected = self.addresses[index]
                return
            }
            // A machine without IPv6 fails there first, which is not what the user has to know.
            if self.connectError.map(Self.isWithoutRoute) ?? true { self.connectError = error }
        }
    }

    private static func isWithoutRoute(_ code: CInt) -> Bool {
        [ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT].contains(code)
    }

    private static func text(of entry: addrinfo) -> String {
        var name = [CChar](repeating: 0, count: 128)
        let code = getnameinfo(
            entry.ai_addr,
            entry.ai_addrlen,
            &name,
            socklen_t(name.count),
            nil,
            0,
            NI_NUMERICHOST
        )
        guard code == 0 else { return "an address" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// 0, or the number of the error.
    private static func attempt(
        _ entry: addrinfo,
        until deadline: MonotonicInstant,
        _ clock: any ProducerClock
    ) -> CInt {
        let descriptor = socket(entry.ai_family, entry.ai_socktype, entry.ai_protocol)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        if connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 { return 0 }
        guard errno == EINPROGRESS else { return errno }
        var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while true {
            let rest = (deadline - clock.now()) / .milliseconds(1)
            let result = poll(&polled, 1, CInt(max(rest.rounded(.up), 0)))
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { return result == 0 ? ETIMEDOUT : errno }
            var code: CInt = 0
            var size = socklen_t(MemoryLayout<CInt>.size)
            return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Holds the logging threads while too much waits in memory, so that nothing is dropped and no peer grows without bound.
///
/// A thread of its own looks every two milliseconds; the logging threads read a flag between their calls, and the time
/// for which they are held is no part of a call's. The same limits hold for everything that is measured: 30 MiB of the
/// 51 MiB that this library gives to `info` records by default.
final class Valve: Sendable {
    private static let closesAbove = 30 << 20
    private static let opensBelow = 20 << 20

    private let closed = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)

    /// Watches `subject` every `interval` microseconds until ``end()``.
    func watch(_ subject: any Subject, interval: UInt32) {
        while !self.ended.load(ordering: .relaxed) {
            let pending = subject.pendingBytes
            if pending > Self.closesAbove { self.closed.store(true, ordering: .relaxed) }
            if pending < Self.opensBelow { self.closed.store(false, ordering: .relaxed) }
            usleep(interval)
        }
    }

    func end() {
        self.ended.store(true, ordering: .relaxed)
    }

    /// Waits while the valve is closed; returns for how long, in nanoseconds.
    @inline(__always)
    func pass() -> UInt64 {
        self.closed.load(ordering: .relaxed) ? self.wait() : 0
    }

    @inline(never)
    private func wait() -> UInt64 {
        let start = now()
        while self.closed.load(ordering: .relaxed) { usleep(200) }
        return now() - start
    }
}

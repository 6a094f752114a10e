// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
public import Darwin
#elseif canImport(Glibc)
public import Glibc
#elseif canImport(Musl)
public import Musl
#endif

/// The wall clock of a process, moved while it runs, as an administrator or a time service does.
///
/// What asks the C library for the wall time, is answered by this program. The machine's own clock, and the one that only
/// goes forwards, stay as they are.
enum SteppedClock {
    /// Nanoseconds since the true time, as `UInt64` bits; in a page that another process writes.
    nonisolated(unsafe) private(set) static var offset: SharedCounters?

    /// Takes the clock's offset from a page from now on. Called once, before the process has a second thread.
    static func follow(_ page: SharedCounters) { self.offset = page }

    typealias Read = @convention(c) (clockid_t, UnsafeMutablePointer<timespec>?) -> CInt

    /// The C library's own function.
    static let read: Read = {
        guard let next = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "clock_gettime") else { abort() }
        return unsafeBitCast(next, to: Read.self)
    }()
}

@_cdecl("clock_gettime")
public func readSteppedClock(_ id: clockid_t, _ time: UnsafeMutablePointer<timespec>?) -> CInt {
    let code = SteppedClock.read(id, time)
    guard code == 0, id == CLOCK_REALTIME, let time, let page = SteppedClock.offset else { return code }
    let offset = Int64(bitPattern: page[0])
    time.pointee.tv_sec += Int(offset / 1_000_000_000)
    return code
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The clock that durations are measured with, in nanoseconds.
@inline(__always)
func now() -> UInt64 {
    nanoseconds(CLOCK_MONOTONIC)
}

/// What this process uses up.
enum ProcessMeter {
    /// User and system time of all threads so far, in nanoseconds.
    static var cpuTime: UInt64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    /// The largest resident set so far, in KiB; 0 where it cannot be told.
    ///
    /// Not `getrusage`, whose maximum a process inherits from the one that started it.
    static var peakResidentKiB: Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line: [CChar] = Array(repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if text.hasPrefix("VmHWM:") { return Int(text.filter(\.isNumber)) ?? 0 }
        }
        return 0
    }
}

@inline(__always)
private func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

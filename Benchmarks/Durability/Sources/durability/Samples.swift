// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Durations in nanoseconds, and their quantiles.
struct Samples {
    private var values: [UInt32] = []

    init(capacity: Int) { self.values.reserveCapacity(capacity) }

    var count: Int { self.values.count }

    @inline(__always)
    mutating func time(_ body: () -> Void) {
        let start = Self.now()
        body()
        self.values.append(UInt32(clamping: Self.now() - start))
    }

    func sorted() -> [UInt32] { self.values.sorted() }

    @inline(__always)
    static func now() -> UInt64 { clock_gettime_nsec() }

    @inline(__always)
    private static func clock_gettime_nsec() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

extension [UInt32] {
    /// The value that this share of all is at most; of sorted values.
    func quantile(_ share: Double) -> Int {
        self.isEmpty ? 0 : Int(self[Swift.min(Int(Double(self.count) * share), self.count - 1)])
    }
}

/// A line of `/proc/self/status` in KiB; 0 where there is none.
func processStatus(_ name: String) -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix(name + ":") else { continue }
        return Int(text.split(whereSeparator: { !$0.isNumber }).first ?? "0") ?? 0
    }
    return 0
}

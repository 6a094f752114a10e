//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Where the work at hand stands in a trace, after W3C Trace Context.
///
/// A service that uses swift-distributed-tracing gets this from its tracer; here it is spelled out.
struct TraceContext: Sendable, Equatable {
    /// 32 hexadecimal digits that all services share which work for the same cause.
    let traceID: String
    /// 16 hexadecimal digits for this service's part of the work.
    let spanID: String
    /// The caller's span; `nil` where the trace begins.
    let parentID: String?
    /// Whether the caller records the trace.
    let isSampled: Bool

    /// The trace that the current task works for.
    @TaskLocal static var current: TraceContext?

    /// Begins a trace.
    init() {
        self.traceID = Self.randomID() + Self.randomID()
        self.spanID = Self.randomID()
        self.parentID = nil
        self.isSampled = true
    }

    /// Continues the trace of a caller's `traceparent` header; `nil` if the header is malformed.
    ///
    /// As the standard asks, a later version than 00 may have more parts behind the four known ones.
    init?(traceparent: String) {
        let parts = traceparent.split(separator: "-", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 4 || (parts.count == 5 && parts[0] != "00") else { return nil }
        guard Self.isHex(parts[0], digits: 2), parts[0] != "ff" else { return nil }
        guard Self.isID(parts[1], digits: 32), Self.isID(parts[2], digits: 16) else { return nil }
        guard Self.isHex(parts[3], digits: 2), let flags = UInt8(parts[3], radix: 16) else { return nil }
        self.traceID = String(parts[1])
        self.spanID = Self.randomID()
        self.parentID = String(parts[2])
        self.isSampled = flags & 1 == 1
    }

    /// The `traceparent` header of requests that this work leads to.
    var traceparent: String {
        "00-\(self.traceID)-\(self.spanID)-\(self.isSampled ? "01" : "00")"
    }

    /// 16 hexadecimal digits, not all of them zero.
    private static func randomID() -> String {
        let digits = String(UInt64.random(in: 1...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func isID(_ text: Substring, digits: Int) -> Bool {
        self.isHex(text, digits: digits) && text.contains { $0 != "0" }
    }

    private static func isHex(_ text: Substring, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

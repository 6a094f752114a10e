// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Tracing

/// Where a span stands in a trace, after W3C Trace Context.
struct TraceContext: Sendable, Equatable {
    /// 32 hexadecimal digits that all services share which work for the same cause.
    let traceID: String
    /// 16 hexadecimal digits for this part of the work.
    let spanID: String
    /// Whether the one who began the trace records it.
    let isSampled: Bool

    /// Begins a trace.
    init() {
        self.init(traceID: Self.randomID() + Self.randomID(), isSampled: true)
    }

    private init(traceID: String, isSampled: Bool) {
        self.traceID = traceID
        self.spanID = Self.randomID()
        self.isSampled = isSampled
    }

    /// Reads a `traceparent` header; `nil` if it is malformed.
    ///
    /// As the standard asks, a later version than 00 may have more parts behind the four known ones.
    init?(traceparent: String) {
        let parts = traceparent.split(separator: "-", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 4 || (parts.count == 5 && parts[0] != "00") else { return nil }
        guard Self.isHex(parts[0], digits: 2), parts[0] != "ff" else { return nil }
        guard Self.isID(parts[1], digits: 32), Self.isID(parts[2], digits: 16) else { return nil }
        guard Self.isHex(parts[3], digits: 2), let flags = UInt8(parts[3], radix: 16) else { return nil }
        self.traceID = String(parts[1])
        self.spanID = String(parts[2])
        self.isSampled = flags & 1 == 1
    }

    /// The `traceparent` header that names this span.
    var traceparent: String {
        "00-\(self.traceID)-\(self.spanID)-\(self.isSampled ? "01" : "00")"
    }

    /// A new span of the same trace.
    func child() -> TraceContext {
        TraceContext(traceID: self.traceID, isSampled: self.isSampled)
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

extension ServiceContext {
    private enum TraceKey: ServiceContextKey {
        typealias Value = TraceContext
        static let nameOverride: String? = "trace"
    }

    /// The span that ``PropagatingTracer`` has started, or that it was told of.
    var trace: TraceContext? {
        get { self[TraceKey.self] }
        set { self[TraceKey.self] = newValue }
    }
}

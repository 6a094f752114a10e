// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What one request may hold. The defaults are the strictest the service has documented.
public struct TrackLimits: Sendable, Equatable {
    /// The most bytes of a body before compression; beyond it, status 400.
    public var rawBytes: Int = 3 * 1024 * 1024

    /// The most bytes of a body that the service reads at all; beyond it, status 413.
    public var hardRawBytes: Int = 10 * 1024 * 1024

    /// The most logs of one request.
    public var logs: Int = 4096

    /// The most fields of one log, and the most tags of one request. The service documents none; this one keeps one
    /// unreadably large log from taking the room of thousands.
    public var fields: Int = 1024

    /// The longest name of a field or tag, in bytes of UTF-8.
    public var keyBytes: Int = 128

    /// The longest value of a field or tag, in bytes of UTF-8.
    public var valueBytes: Int = 1024 * 1024

    /// The longest topic and the longest source, in bytes of UTF-8.
    public var topicBytes: Int = 128

    /// The longest request target of a `GET`, in bytes; the target has to be shorter.
    public var targetBytes: Int = 16 * 1024

    public init() {}

    /// The largest that the service has documented.
    public static var lenient: TrackLimits {
        var limits = TrackLimits()
        limits.rawBytes = limits.hardRawBytes
        limits.logs = 100_000
        return limits
    }

    /// The most bytes a body may take on the wire: a block of LZ4 can be a little longer than what it holds.
    var wireBytes: Int { self.hardRawBytes + self.hardRawBytes / 255 + 64 }
}

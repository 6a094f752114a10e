// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// A point in time on a clock that never runs backwards, in nanoseconds since an unknown start.
public struct MonotonicInstant: Sendable, Hashable, Comparable {
    /// Nanoseconds since the clock's start.
    public var nanoseconds: Int64

    /// Creates an instant.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Orders instants by time.
    public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant `duration` later. If that is out of range, the end of the range.
    public static func + (instant: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: instant.nanoseconds.saturatingAdd(duration.saturatedNanoseconds))
    }

    /// The time from `right` to `left`. If that is out of range, the end of the range.
    public static func - (left: MonotonicInstant, right: MonotonicInstant) -> Duration {
        .nanoseconds(left.nanoseconds.saturatingSubtract(right.nanoseconds))
    }
}

extension Duration {
    /// The duration in nanoseconds, limited to the range of the type.
    package var saturatedNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds.saturatingMultiply(1_000_000_000).saturatingAdd(attoseconds / 1_000_000_000)
    }

    /// The duration in seconds.
    package var inSeconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }
}

/// The clock of a producer. Tests replace it, so that they need not wait.
///
/// `WebTrackingTestKit` has a clock that the test moves.
public protocol ProducerClock: Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z. Read once for every record, on the caller's thread.
    func wallTime() -> Int64

    /// The current instant of a clock that never runs backwards.
    func now() -> MonotonicInstant

    /// Suspends until `deadline`. Throws `CancellationError` as soon as the task is cancelled.
    func sleep(until deadline: MonotonicInstant) async throws
}

/// The system's own clocks.
public struct SystemProducerClock: ProducerClock {
    /// Creates the clock.
    public init() {}

    /// The system's wall clock.
    public func wallTime() -> Int64 {
        Self.read(CLOCK_REALTIME)
    }

    /// The system's monotonic clock.
    public func now() -> MonotonicInstant {
        MonotonicInstant(nanoseconds: Self.read(CLOCK_MONOTONIC))
    }

    /// Suspends on Swift's continuous clock.
    public func sleep(until deadline: MonotonicInstant) async throws {
        // At most a day at a time: longer sleeps are untested. The loop also corrects for a machine that was suspended:
        // Swift's clock may count that time, `CLOCK_MONOTONIC` on Linux does not.
        while true {
            let rest = deadline - self.now()
            guard rest > .zero else { return try Task.checkCancellation() }
            try await Task.sleep(for: Swift.min(rest, Duration.seconds(86_400)), clock: .continuous)
        }
    }

    private static func read(_ id: clockid_t) -> Int64 {
        var time = timespec()
        // For these two clocks it cannot fail (man 2 clock_gettime: EINVAL is for unknown ones).
        clock_gettime(id, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

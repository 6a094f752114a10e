// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0
import WebTracking

/// The system's time, but for the record of a line that says when its event was: then that.
struct EventClock: ProducerClock {
    /// Nanoseconds since 1970, for what the present task logs.
    @TaskLocal static var eventTime: Int64?

    private let system = SystemProducerClock()

    func wallTime() -> Int64 { Self.eventTime ?? self.system.wallTime() }
    func now() -> MonotonicInstant { self.system.now() }
    func sleep(until deadline: MonotonicInstant) async throws { try await self.system.sleep(until: deadline) }
}

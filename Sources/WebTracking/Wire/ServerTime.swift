// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// The service's time: this machine's, and what answers have shown it to be off by.
///
/// The service refuses signatures with a time that is more than 15 minutes off.
final class ServerTime: Sendable {
    private let clock: any ProducerClock
    private let state = Lock<Int64>(0)

    init(clock: any ProducerClock) {
        self.clock = clock
    }

    /// Nanoseconds by which the service is ahead of this machine.
    var offset: Int64 { self.state.withLock { $0 } }

    /// Nanoseconds since 1970.
    var now: Int64 { self.clock.wallTime().saturatingAdd(self.offset) }

    /// Takes the time over from the `Date` of an answer that refuses a request for its time, if it is one to believe.
    func adopt(from response: TransportResponse) {
        guard let date = response.header("date").flatMap({ RetryAfter.date($0) }) else { return }
        // Such a date has room for its nanoseconds; this machine's time may be anything.
        let offset = (date * 1_000_000_000).saturatingSubtract(self.clock.wallTime())
        self.state.withLock { $0 = offset }
    }
}

#endif

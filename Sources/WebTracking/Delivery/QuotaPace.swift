// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How far apart the requests of a topic are while the service's write quota is short.
///
/// A quota is shared with producers that know nothing of each other, so each finds out for itself what it can have: an
/// exceeded quota doubles the distance, a success takes a little off it. Distances that start anew after each success
/// never settle: with a fifth of the requests that a fleet would like to send, six of ten are refused for ever.
struct QuotaPace: Sendable {
    private let limits: RetryPolicy.Backoff
    /// The greatest distance to the next request; zero while there is no shortage.
    private(set) var interval = Duration.zero

    init(limits: RetryPolicy.Backoff) {
        self.limits = limits
    }

    /// A quota was exceeded.
    mutating func slowDown() {
        self.interval = min(max(self.interval * 2, self.limits.initial), self.limits.maximum)
    }

    /// A request was taken.
    mutating func speedUp() {
        self.interval = self.interval * 9 / 10
        if self.interval < self.limits.initial / 2 { self.interval = .zero }
    }

    /// The wait before the next request; half of it is certain.
    func wait(jitter: Double) -> Duration {
        self.interval / 2 + .nanoseconds(Int64(Double(self.interval.wholeNanoseconds) * jitter / 2))
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How long to wait before a batch is sent again.
struct RetryPolicy: Sendable {
    /// Waits grow from `initial` to `maximum`, each at most twice the one before.
    struct Backoff: Sendable {
        var initial: Duration
        var maximum: Duration

        /// The wait after the given number of failed attempts (from 1 on), with full jitter.
        ///
        /// `jitter` is uniform in 0..<1: producers that failed together do not come back together.
        func delay(failures: Int, jitter: Double) -> Duration {
            let ceiling = min(self.initial * (1 << min(max(failures - 1, 0), 30)), self.maximum)
            return .nanoseconds(Int64(Double(ceiling.wholeNanoseconds) * jitter))
        }

        /// The wait with half of it certain: for a service that has to be left alone for a while.
        func steadyDelay(failures: Int, jitter: Double) -> Duration {
            let whole = self.delay(failures: failures, jitter: 1)
            return whole / 2 + .nanoseconds(Int64(Double(whole.wholeNanoseconds) * jitter / 2))
        }
    }

    /// After no answer, 408, 429 and 5xx.
    var transient: Backoff
    /// After a 403 for an exceeded quota.
    var throttled: Backoff
    /// After 401 and 404, and in a rescue after any refusal of the request.
    var refused: Backoff
    /// For how long 401 and 404 are retried before a batch is given up; `nil` for ever.
    var refusalPatience: Duration?
    /// How old a batch's first record may get; `nil` for any age.
    var maximumAge: Duration?
    /// Whether a batch is given up at once where the service refuses the request for good, whatever is in it.
    var givesUpRequests = true
    /// The longest wait that a `Retry-After` header is granted.
    var longestRetryAfter: Duration = .seconds(300)
    /// The longest wait while the producer shuts down.
    var longestWhileClosing: Duration = .seconds(1)

    /// The same for what a rescue takes over: no time is too long, and no refusal of all is for good.
    var patient: RetryPolicy {
        var policy = self
        policy.refusalPatience = nil
        policy.maximumAge = nil
        policy.givesUpRequests = false
        return policy
    }
}

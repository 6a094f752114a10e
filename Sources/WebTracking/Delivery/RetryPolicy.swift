// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides how long to wait before a batch is sent again.
struct RetryPolicy: Sendable {
    /// Delays grow from `initial` to `maximum`. Each is at most twice the one before.
    struct Backoff: Sendable {
        var initial: Duration
        var maximum: Duration

        /// The delay after the given number of failures (from 1), with full jitter.
        ///
        /// `jitter` is uniform in 0..<1, so that producers that failed together do not retry together.
        func delay(failures: Int, jitter: Double) -> Duration {
            let ceiling = min(self.initial * (1 << min(max(failures - 1, 0), 30)), self.maximum)
            return .nanoseconds(Int64(Double(ceiling.saturatedNanoseconds) * jitter))
        }

        /// A delay of at least half of the full one, for a service that needs some time without requests.
        func steadyDelay(failures: Int, jitter: Double) -> Duration {
            let whole = self.delay(failures: failures, jitter: 1)
            return whole / 2 + .nanoseconds(Int64(Double(whole.saturatedNanoseconds) * jitter / 2))
        }
    }

    /// After no answer, 408, 429 and 5xx.
    var transient: Backoff
    /// After a 403 for an exceeded quota.
    var throttled: Backoff
    /// After 401 and 404, and in a rescue after any refusal of the request.
    var refused: Backoff
    /// How long 401 and 404 are retried before a batch is dropped; `nil` for ever.
    var refusalPatience: Duration?
    /// The age of a batch's first record at which the batch is dropped; `nil` for any age.
    var maximumAge: Duration?
    /// Whether a batch is dropped at once if the service rejects the request permanently, whatever is in it.
    var dropsRejected = true
    /// The longest delay that a `Retry-After` header may ask for.
    var longestRetryAfter: Duration = .seconds(300)
    /// The longest delay during a shutdown.
    var longestWhileClosing: Duration = .seconds(1)

    /// The policy for a rescue: nothing is dropped because of time, or because the service refuses every request.
    var patient: RetryPolicy {
        var policy = self
        policy.refusalPatience = nil
        policy.maximumAge = nil
        policy.dropsRejected = false
        return policy
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Compares this machine's clock with the service's `Date`, and says once that they are far apart.
final class ClockWatch: Sendable {
    /// The service refuses signatures whose time is more than 15 minutes from its own, and an answer has a way behind it.
    static let limit = Duration.seconds(300)

    private let isReported = Atomic(false)

    /// What is to be reported of an answer of the service to a request that was sent and answered at these times; `nil` for
    /// nothing.
    func note(_ response: TransportResponse, sentAt: Int64, receivedAt: Int64) -> ProducerDiagnostic? {
        guard !self.isReported.load(ordering: .relaxed), response.requestID != nil,
            let date = response.header("date").flatMap({ RetryAfter.date($0) })
        else { return nil }
        // The date is of some time between the two, which may be far apart: a process can be stopped meanwhile.
        let least = Duration.nanoseconds(sentAt.saturatingSubtract(date * 1_000_000_000))
        let most = Duration.nanoseconds(receivedAt.saturatingSubtract(date * 1_000_000_000))
        guard let ahead = least > Self.limit ? least : most < .zero - Self.limit ? most : nil,
            !self.isReported.exchange(true, ordering: .relaxed)
        else { return nil }
        let seconds = ahead.components.seconds
        return .environment(
            code: .clockDifference,
            reason:
                "this machine's clock is \(seconds.magnitude) s \(seconds < 0 ? "behind" : "ahead of") the service's",
            suggestion: "correct it (timedatectl), or times in the log and the age of records in a spool are wrong"
        )
    }
}

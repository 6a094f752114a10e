// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What signals ask for: the first to stop in order, a later one to stop at once.
///
/// Signals within a moment are one request. GNU `timeout` sends SIGTERM to the program and then to its group, and so
/// twice to the program.
struct StopRequests {
    enum Action: Equatable {
        case stop
        case exit
    }

    private static let moment = Duration.seconds(1)

    private var first: ContinuousClock.Instant?

    /// What to do about a signal that came now; `nil` for nothing.
    mutating func add(at now: ContinuousClock.Instant) -> Action? {
        guard let first = self.first else {
            self.first = now
            return .stop
        }
        return now - first < Self.moment ? nil : .exit
    }
}

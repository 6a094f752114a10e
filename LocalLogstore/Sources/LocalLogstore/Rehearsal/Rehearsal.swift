// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The rehearsal of an endpoint, whose settings can change while it runs.
public final class Rehearsal: Sendable {
    /// Where a rehearsal is.
    public struct Status: Sendable, Equatable {
        public var settings: RehearsalSettings
        /// Seconds since the settings apply.
        public var elapsed: Double
        public var isInOutage: Bool
        public var isTrackingOff: Bool
        /// Requests that went wrong on purpose since then.
        public var faults: Int
    }

    private struct State {
        var plan: RehearsalPlan
        var start: ContinuousClock.Instant
        var faults = 0
    }

    private let state: Mutex<State>

    init(_ settings: RehearsalSettings) {
        self.state = Mutex(State(plan: RehearsalPlan(settings), start: .now))
    }

    /// Goes on with other settings; windows count from now.
    public func apply(_ settings: RehearsalSettings) {
        self.state.withLock { $0 = State(plan: RehearsalPlan(settings), start: .now) }
    }

    public var status: Status {
        self.state.withLock { state in
            let elapsed = Self.seconds(since: state.start)
            let settings = state.plan.settings
            return Status(
                settings: settings,
                elapsed: elapsed,
                isInOutage: settings.outage?.contains(elapsed) == true,
                isTrackingOff: settings.trackingOff?.contains(elapsed) == true,
                faults: state.faults
            )
        }
    }

    /// For how long a hash key is remembered after a write; `nil` for as long as its logs are there.
    var memoryOfKeys: Duration? {
        self.state.withLock { $0.plan.settings.forgetKeys.map { .seconds($0) } }
    }

    func verdict(for request: RehearsalPlan.Request) -> RehearsalPlan.Verdict {
        self.state.withLock { state in
            let verdict = state.plan.verdict(
                for: request,
                at: Self.seconds(since: state.start),
                chance: .random(in: 0...1)
            )
            if verdict.fault != nil { state.faults += 1 }
            return verdict
        }
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        (ContinuousClock.now - start) / .seconds(1)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

package import WebTracking

/// What happens in one run; made from a seed.
package struct Scenario: Sendable {
    /// The families of scenarios: which kinds of trouble there are.
    package enum Family: String, CaseIterable, Sendable {
        case calm, outage, quota, lossy, refusal, limits, flaky, memory, shutdown, topics, mixed
        /// Links that carry few bytes a second, and records that are refused.
        case slow, poison
        /// Processes with spools that are killed and started again; the same in a crash loop.
        case spool, crash
        /// Thousands of producers.
        case crowd
    }

    package var family: Family
    package var service: ServiceModel.Settings
    package var producers: [ProducerPlan]
    /// How long producers log; after that the service is healthy.
    package var length: Duration
    /// The chance that time passes before a task runs that could run.
    package var slowness: Double
    /// Jumps of the wall clock.
    package var clockJumps: [(at: Duration, by: Duration)]
}

/// What one producer does.
package struct ProducerPlan: Sendable {
    package enum Action: Sendable {
        case flush(timeout: Duration)
        case shutdown(timeout: Duration)
    }

    package var configuration: WebTrackingConfiguration
    package var labels: [String]
    /// The mean time between bursts of records, and the largest burst.
    package var pause: Duration
    package var burst: Int
    /// The sizes of messages, in bytes.
    package var sizes: ClosedRange<Int>
    /// The chance that a record names a tag or a topic of its own.
    package var ownKey: Double
    package var actions: [(at: Duration, Action)]
    /// How long a record takes at most from the call to the service's answer; `nil` where something may hold it up.
    package var longestWay: Duration?
    /// Where its records live, and when its processes begin and end; `nil` for one that is there all the time, without a
    /// spool.
    package var spool: SpoolPlan?
    /// Whether no limit of the producer stands in the way of delivering all that it logs.
    package var isRoomy: Bool
}

/// A spool, and the processes that one after the other use it.
package struct SpoolPlan: Sendable {
    /// The life of one process.
    package struct Life: Sendable {
        package enum End: Sendable {
            /// It is killed when so many more tasks have taken a step.
            case kill(steps: Int)
            case shutdown(timeout: Duration)
        }

        package var start: Duration
        /// `nil` for the last one, which is there when the run ends.
        package var end: (at: Duration, how: End)?
    }

    /// The directory's; producers of the same name share it.
    package var name: String
    package var lives: [Life]
    /// No file of the spool is larger.
    package var largestFile: Int
}

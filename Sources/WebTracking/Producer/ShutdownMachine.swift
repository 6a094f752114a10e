// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides how a producer stops: what comes after what, and until when.
struct ShutdownMachine {
    /// What to do next.
    enum Step: Equatable {
        /// Take no more records.
        case close
        /// Announce drops and ask all topics to deliver, and tell ``asked(topics:isRecovering:)``.
        case ask
        /// Wait until the topics have delivered what they were asked for, and all that others left.
        case wait(until: MonotonicInstant)
        /// Give up what is left, and tell ``gaveUp()``.
        case abandon
        /// Stop the transport, and wait for what goes on behind the spool.
        case stop(until: MonotonicInstant)
        /// Sync what is left in the spool, if that is asked for.
        case sync(until: MonotonicInstant)
        /// Let go of the spool, report, and wait for the report's line to be written.
        case report(until: MonotonicInstant)
    }

    private enum Phase {
        case begun, open, asked, waited, settled, left, stopped, synced
    }

    /// How long the last sync may take where there is less time: what is left is left to the disk.
    static let syncGrace = Duration.seconds(1)
    /// Even past the deadline, the spool's background work gets this long to end, and the last line to be written.
    static let stopGrace = Duration.milliseconds(100)
    static let lineGrace = Duration.milliseconds(50)

    /// So many topics are given up in no time to speak of.
    static let quickTopics = 1000

    /// How long before a deadline the waiting has to end, for what is left of so many topics to be counted until then.
    static func timeToCount(topics: Int) -> Duration { .microseconds(2) * max(topics - Self.quickTopics, 0) }

    private let deadline: MonotonicInstant
    private var waitsUntil: MonotonicInstant
    private var phase = Phase.begun

    init(deadline: MonotonicInstant) {
        self.deadline = deadline
        self.waitsUntil = deadline
    }

    /// What to do at `now`.
    mutating func next(at now: MonotonicInstant) -> Step {
        switch self.phase {
        case .begun:
            self.phase = .open
            return .close
        case .open: return .ask
        case .asked:
            self.phase = .waited
            return .wait(until: self.waitsUntil)
        case .waited where now < self.waitsUntil:
            // Drops on the way are announced, and the announcements have to be delivered as well.
            self.phase = .open
            return .ask
        case .waited, .settled: return .abandon
        case .left:
            self.phase = .stopped
            return .stop(until: self.deadline)
        case .stopped:
            self.phase = .synced
            return .sync(until: max(self.deadline, now + Self.syncGrace))
        case .synced: return .report(until: max(self.deadline, now + Self.lineGrace))
        }
    }

    /// Takes in how many topics, of how many, have something to deliver, and whether what others left is being taken over.
    mutating func asked(topics: Int, of all: Int = 0, isRecovering: Bool = false) {
        self.waitsUntil = self.deadline + (.zero - Self.timeToCount(topics: all))
        self.phase = topics > 0 || isRecovering ? .asked : .settled
    }

    /// Takes in that the rest was given up.
    mutating func gaveUp() { self.phase = .left }
}

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
    /// How long what goes on behind the spool may take where there is less time, and whoever reads the last line.
    static let stopGrace = Duration.milliseconds(100)
    static let lineGrace = Duration.milliseconds(50)

    private let deadline: MonotonicInstant
    private var phase = Phase.begun

    init(deadline: MonotonicInstant) {
        self.deadline = deadline
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
            return .wait(until: self.deadline)
        case .waited where now < self.deadline:
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

    /// Takes in how many topics have something to deliver, and whether what others left is being taken over.
    mutating func asked(topics: Int, isRecovering: Bool = false) {
        self.phase = topics > 0 || isRecovering ? .asked : .settled
    }

    /// Takes in that the rest was given up.
    mutating func gaveUp() { self.phase = .left }
}

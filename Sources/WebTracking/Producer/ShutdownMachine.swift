// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides the steps of a producer's shutdown, and how long each may take.
struct ShutdownMachine {
    /// What to do next.
    enum Step: Equatable {
        /// Accept no more records.
        case close
        /// Announce drops and ask all topics to deliver, and report ``asked(topics:of:isRecovering:)``.
        case ask
        /// Wait until the topics have delivered their records, and all that were recovered.
        case wait(until: MonotonicInstant)
        /// Drop what is left, and call ``abandoned()``.
        case abandon
        /// Stop the transport, and wait for the spool's background work.
        case stop(until: MonotonicInstant)
        /// Sync what is left in the spool, if durability asks for it.
        case sync(until: MonotonicInstant)
        /// Release the spool.
        case release(until: MonotonicInstant)
        /// Report, and wait until the report's line is written.
        case report(until: MonotonicInstant)
    }

    private enum Phase {
        case begun, open, asked, waited, settled, left, stopped, synced, released
    }

    /// The time for the last sync if less is left: after that, the disk finishes on its own.
    static let syncGrace = Duration.seconds(1)
    /// Even after the deadline, the spool's background work has this long to end, and the last line to be written.
    static let stopGrace = Duration.milliseconds(100)
    static let lineGrace = Duration.milliseconds(50)

    /// To drop the rest of so few topics takes no noticeable time.
    static let quickTopics = 1000

    /// How long before the deadline the waiting has to end, so that there is time to count the rest of so many topics.
    static func timeToCount(topics: Int) -> Duration { .microseconds(1) * max(topics - Self.quickTopics, 0) }

    /// The same, to abandon the rest, and with a spool to look for its files.
    static func timeToAbandon(topics: Int, inFiles: Bool) -> Duration {
        // No more than so many are in files.
        let files = inFiles ? min(max(topics - Self.quickTopics, 0), SpoolFile.mostMapped) : 0
        return Self.timeToCount(topics: topics) * 2 + .microseconds(12) * files
    }

    /// When to stop moving the records of so many topics to files at `now`, so that there is time to abandon the rest.
    static func endOfSpill(at now: MonotonicInstant, deadline: MonotonicInstant, topics: Int) -> MonotonicInstant {
        let time = self.timeToAbandon(topics: topics, inFiles: true)
        return max(deadline + (.zero - time), now + max(self.stopGrace - time, self.stopGrace / 5))
    }

    private let deadline: MonotonicInstant
    private let topics: Int
    private let hasSpool: Bool
    private var waitsUntil: MonotonicInstant
    private var phase = Phase.begun

    /// For a producer with so many topics.
    init(deadline: MonotonicInstant, topics: Int = 0, hasSpool: Bool = false) {
        self.deadline = deadline
        self.topics = topics
        self.hasSpool = hasSpool
        self.waitsUntil = deadline
    }

    /// The step to take at `now`.
    mutating func next(at now: MonotonicInstant) -> Step {
        switch self.phase {
        case .begun:
            self.phase = .open
            return .close
        case .open where self.isTooLateToAsk(at: now): return .abandon
        case .open: return .ask
        case .asked:
            self.phase = .waited
            return .wait(until: self.waitsUntil)
        case .waited where now < self.waitsUntil:
            // Drops in the meantime are announced, and the announcements must be delivered, too.
            self.phase = .open
            return .ask
        case .waited, .settled: return .abandon
        case .left:
            self.phase = .stopped
            return .stop(until: self.deadline)
        case .stopped:
            self.phase = .synced
            return .sync(until: max(self.deadline, now + Self.syncGrace))
        case .synced:
            self.phase = .released
            return .release(until: now + Self.stopGrace)
        case .released: return .report(until: max(self.deadline, now + Self.lineGrace))
        }
    }

    /// Whether only asking all topics would take the time that is needed to abandon the rest.
    private func isTooLateToAsk(at now: MonotonicInstant) -> Bool {
        let time = Self.timeToCount(topics: self.topics)
        let end = self.deadline + (.zero - Self.timeToAbandon(topics: self.topics, inFiles: self.hasSpool))
        return time > .zero && now + time >= end
    }

    /// Notes how many topics of how many have records, and whether records of earlier processes are being recovered.
    mutating func asked(topics: Int, of all: Int = 0, isRecovering: Bool = false) {
        self.waitsUntil = self.deadline + (.zero - Self.timeToAbandon(topics: all, inFiles: self.hasSpool))
        self.phase = topics > 0 || isRecovering ? .asked : .settled
    }

    /// Notes that the rest was dropped.
    mutating func abandoned() { self.phase = .left }
}

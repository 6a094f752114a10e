// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// When the files of a spool are synced next, and whether that takes longer than it may.
struct SyncSchedule {
    private let interval: Duration
    /// When the next round begins. From beginning to beginning it is one interval; a record that comes just behind the sync
    /// of its file waits for the end of the next round: for an interval and one round at most.
    private(set) var next: MonotonicInstant
    private var isSlow = false

    init(interval: Duration, now: MonotonicInstant) {
        self.interval = interval
        self.next = now + interval
    }

    /// Takes in that a round has ended; returns how long it took if that is too long, once until it is better.
    mutating func finished(from start: MonotonicInstant, to end: MonotonicInstant) -> Duration? {
        self.next = start + self.interval
        let wasSlow = self.isSlow
        self.isSlow = end - start > self.interval
        return self.isSlow && !wasSlow ? end - start : nil
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// When the files of a spool are synced next, and whether that takes longer than it may.
struct SyncSchedule {
    private let interval: Duration
    /// When the next round begins. Rounds begin one interval apart. A record that is written just after the sync of its
    /// file is on the disk when the next round ends: after one interval and one round at most.
    private(set) var next: MonotonicInstant
    private var isSlow = false

    init(interval: Duration, now: MonotonicInstant) {
        self.interval = interval
        self.next = now + interval
    }

    /// Notes the end of a round. Returns its duration if it is longer than the interval, and the round before was not.
    mutating func finished(from start: MonotonicInstant, to end: MonotonicInstant) -> Duration? {
        self.next = start + self.interval
        let wasSlow = self.isSlow
        self.isSlow = end - start > self.interval
        return self.isSlow && !wasSlow ? end - start : nil
    }
}

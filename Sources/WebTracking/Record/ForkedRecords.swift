// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts the records that are logged in a child of `fork` through its parent's producer; takes no lock.
final class ForkedRecords: Sendable {
    private let counts = (0..<7).map { _ in AtomicCount() }
    private let isReported = Atomic(false)

    private final class AtomicCount: Sendable {
        let value = Atomic<Int>(0)
    }

    /// Counts a record; `true` for the first one.
    func countOne(_ rank: Int) -> Bool {
        self.counts[rank].value.add(1, ordering: .relaxed)
        return !self.isReported.exchange(true, ordering: .relaxed)
    }

    /// All of them, accepted and dropped.
    var tally: Tally {
        var levels = LevelCounts()
        for rank in 0..<7 { levels[rank] = self.counts[rank].value.load(ordering: .relaxed) }
        var tally = Tally()
        tally.accepted = levels
        if levels.total > 0 { tally.dropped[.afterFork] = levels }
        return tally
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The rank of the most severe record that found the spool full. Other topics may have to evict batches for it.
struct SpoolPressure {
    private var rank: Int?

    /// Notes that a record of this rank found no room. With `nil`, nothing is to be evicted for it.
    mutating func note(_ rank: Int?) {
        if let rank { self.rank = max(self.rank ?? 0, rank) }
    }

    /// Returns the rank, and resets it.
    mutating func take() -> Int? { self.rank.take() }
}

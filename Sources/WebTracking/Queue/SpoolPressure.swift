// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The rank of the most severe record that found the spool full, for which other topics may have to make room.
struct SpoolPressure {
    private var rank: Int?

    /// Notes that there was no room for a record of this rank; `nil` if none is to be made for it.
    mutating func note(_ rank: Int?) {
        if let rank { self.rank = max(self.rank ?? 0, rank) }
    }

    /// What was noted since this was last asked.
    mutating func take() -> Int? { self.rank.take() }
}

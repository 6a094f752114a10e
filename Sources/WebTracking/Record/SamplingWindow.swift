// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Which records of one statement are let through in one second after the other.
struct SamplingWindow: Equatable {
    /// What was left out in a second.
    struct Summary: Equatable {
        var leftOut: Int
        var offered: Int
    }

    /// The second, counted from 1970, that the numbers are of.
    private(set) var second: Int64
    private var offered = 0
    /// What has not been told yet, of this second and of those before it that found no room.
    private var unreported = Summary(leftOut: 0, offered: 0)

    init(second: Int64) {
        self.second = second
    }

    /// Decides about one record. A clock that jumps, in whichever direction, begins a new second.
    mutating func offer(at second: Int64, rate: Sampling.Rate) -> (isKept: Bool, ended: Summary?) {
        let ended = second == self.second ? nil : self.end(at: second)
        self.offered += 1
        self.unreported.offered += 1
        let beyond = self.offered - rate.first
        let isKept = beyond <= 0 || rate.thenOneIn.map { beyond % $0 == 0 } ?? false
        if !isKept { self.unreported.leftOut += 1 }
        return (isKept, ended)
    }

    /// Begins another second, and tells what was left out in the one before it, if anything was.
    mutating func end(at second: Int64) -> Summary? {
        defer { self = SamplingWindow(second: second) }
        return self.unreported.leftOut > 0 ? self.unreported : nil
    }

    /// Tells what was left out so far, if anything was, and goes on: what is let through in this second does not change.
    mutating func takeSummary() -> Summary? {
        guard self.unreported.leftOut > 0 else { return nil }
        defer { self.unreported = Summary(leftOut: 0, offered: 0) }
        return self.unreported
    }

    /// Takes back what could not be told.
    mutating func putBack(_ summary: Summary) {
        self.unreported.leftOut += summary.leftOut
        self.unreported.offered += summary.offered
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides which records of one statement are kept, second by second.
struct SamplingWindow: Equatable {
    /// The counts of a second.
    struct Summary: Equatable {
        var leftOut: Int
        var offered: Int
    }

    /// The second, counted from 1970, that the numbers are of.
    private(set) var second: Int64
    private var offered = 0
    /// The counts that are not reported yet, of this second and of earlier ones with no room for the report.
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

    /// Begins another second. Returns what was left out in the one before it, if anything was.
    mutating func end(at second: Int64) -> Summary? {
        defer { self = SamplingWindow(second: second) }
        return self.unreported.leftOut > 0 ? self.unreported : nil
    }

    /// Returns what was left out so far, if anything was. The decisions for this second do not change.
    mutating func takeSummary() -> Summary? {
        guard self.unreported.leftOut > 0 else { return nil }
        defer { self.unreported = Summary(leftOut: 0, offered: 0) }
        return self.unreported
    }

    /// Takes back a report that found no room.
    mutating func restore(_ summary: Summary) {
        self.unreported.leftOut += summary.leftOut
        self.unreported.offered += summary.offered
    }
}

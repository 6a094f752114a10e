//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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
    private var leftOut = 0

    init(second: Int64) {
        self.second = second
    }

    /// Decides about one record. A clock that jumps, in whichever direction, begins a new second.
    mutating func offer(at second: Int64, rate: Sampling.Rate) -> (isKept: Bool, ended: Summary?) {
        let ended = second == self.second ? nil : self.end(at: second)
        self.offered += 1
        let beyond = self.offered - rate.first
        let isKept = beyond <= 0 || rate.thenOneIn.map { beyond % $0 == 0 } ?? false
        if !isKept { self.leftOut += 1 }
        return (isKept, ended)
    }

    /// Begins another second, and tells what was left out in the one before it, if anything was.
    mutating func end(at second: Int64) -> Summary? {
        defer { self = SamplingWindow(second: second) }
        return self.leftOut > 0 ? Summary(leftOut: self.leftOut, offered: self.offered) : nil
    }
}

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import CCounting

#if canImport(Glibc)
import Glibc
#endif

/// What the calling thread allocates while it logs the records of a scenario.
///
/// What the no-op handler costs is taken off record by record: the same index gives the same record, and the front end
/// allocates the same for it. A record that opens a batch may allocate, and the first one of a second may do so once,
/// for the text of its time; no other may, beyond what the scenario itself allows.
struct AllocationCount {
    private static let logs = 20_000

    let scenario: Scenario
    private let noOp: [UInt32]
    private let ours: [UInt32]
    /// Which of our records may have been the first of a second.
    private let startsSecond: [Bool]

    init(of scenario: Scenario, handler: Subject.Handler = .ours) throws {
        self.scenario = scenario
        self.noOp = Self.count(try Subject(scenario, handler: .noop)).counts
        (self.ours, self.startsSecond) = Self.count(try Subject(scenario, handler: handler))
    }

    private static func count(_ subject: Subject) -> (counts: [UInt32], startsSecond: [Bool]) {
        // Once without counting, so that everything has the size that it needs.
        _ = self.countOnce(subject)
        return self.countOnce(subject)
    }

    private static func countOnce(_ subject: Subject) -> (counts: [UInt32], startsSecond: [Bool]) {
        let length = subject.scenario.roundLength
        var counts: [UInt32] = Array(repeating: 0, count: self.logs)
        var startsSecond: [Bool] = Array(repeating: false, count: self.logs)
        var last = Self.second
        var hadTick = false
        for start in stride(from: 0, to: self.logs, by: length) {
            subject.logRound(start..<min(start + length, self.logs)) { index, log in
                let before = allocation_counter_read()
                log()
                counts[index] = UInt32(allocation_counter_read() - before)
                // The record took its time before this or after it, so the second may be the next one's, too.
                let now = Self.second
                startsSecond[index] = now != last || hadTick
                (hadTick, last) = (now != last, now)
            }
        }
        return (counts, startsSecond)
    }

    /// The second of the clock that records take their time from.
    private static var second: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec
    }

    private func isOpening(_ index: Int) -> Bool { index % self.scenario.roundLength < self.scenario.openings }

    /// By record, how many allocations are this library's.
    private var added: [Int] { zip(self.ours, self.noOp).map { max(0, Int($0) - Int($1)) } }

    /// By record, how many of those are not allowed.
    private var excess: [Int] {
        self.added.enumerated().map { index, count in
            if self.isOpening(index) { return 0 }
            return max(0, count - self.scenario.allowed - (self.startsSecond[index] ? 1 : 0))
        }
    }

    var row: String {
        let openings = self.added.enumerated().filter { self.isOpening($0.offset) }.map(\.element)
        return "| \(self.scenario.name) | \(Self.mean(self.noOp)) | \(Self.mean(self.ours)) | \(self.scenario.allowed) "
            + "| \(self.excess.reduce(0, +)) | \(openings.max() ?? 0) at most, in \(openings.count) records |"
    }

    var failure: String? {
        let guilty = self.excess.enumerated().filter { $0.element > 0 }
        guard let first = guilty.first else { return nil }
        return "\(guilty.count) of \(Self.logs) records of the kind \(self.scenario.name) allocate more than they may, "
            + "\(self.excess.reduce(0, +)) times in all; the first is number \(first.offset)"
    }

    private static func mean(_ counts: [UInt32]) -> String {
        let hundredths = (counts.reduce(0) { $0 + Int($1) } * 100 + counts.count / 2) / counts.count
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

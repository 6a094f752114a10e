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
import ReferenceRecords

/// How often the calling thread allocates while it logs one of the reference records.
///
/// What the no-op handler costs is taken off call by call: the same index gives the same record, and the front end
/// allocates the same for it.
struct AllocationCount {
    private static let logs = 20_000
    /// Calls that may allocate beside those that open a batch: memory that grows once and is kept.
    private static let slack = 10

    let record: ReferenceRecord
    private let noOp: [UInt32]
    private let ours: [UInt32]
    /// How many calls opened a batch; these may allocate.
    private let rounds: Int

    init(of record: ReferenceRecord) throws {
        self.record = record
        self.noOp = Self.count(try Subject(record, handler: .noop))
        let subject = try Subject(record, handler: .ours)
        self.ours = Self.count(subject)
        self.rounds = (Self.logs + subject.roundLength - 1) / subject.roundLength
    }

    private static func count(_ subject: Subject) -> [UInt32] {
        // Once without counting, so that everything has the size that it needs.
        _ = self.countOnce(subject)
        return self.countOnce(subject)
    }

    private static func countOnce(_ subject: Subject) -> [UInt32] {
        let length = subject.roundLength
        var counts: [UInt32] = Array(repeating: 0, count: self.logs)
        for start in stride(from: 0, to: self.logs, by: length) {
            for index in start..<min(start + length, self.logs) {
                let before = allocation_counter_read()
                subject.record.log(index, to: subject.logger)
                counts[index] = UInt32(allocation_counter_read() - before)
            }
            subject.endRound()
        }
        return counts
    }

    /// How many calls allocated more often than with the no-op handler.
    private var allocatingCalls: Int { zip(self.ours, self.noOp).count { $0 > $1 } }

    var row: String {
        "| \(self.record.rawValue) | \(Self.mean(self.noOp)) | \(Self.mean(self.ours)) "
            + "| \(self.allocatingCalls) of \(Self.logs) | \(self.rounds) that open a batch, and \(Self.slack) |"
    }

    var failure: String? {
        guard self.allocatingCalls > self.rounds + Self.slack else { return nil }
        return "logging a \(self.record.rawValue) record allocates in \(self.allocatingCalls) of \(Self.logs) calls, "
            + "\(Self.mean(self.ours)) times on average, \(Self.mean(self.noOp)) of which is swift-log itself"
    }

    private static func mean(_ counts: [UInt32]) -> String {
        let hundredths = (counts.reduce(0) { $0 + Int($1) } * 100 + counts.count / 2) / counts.count
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

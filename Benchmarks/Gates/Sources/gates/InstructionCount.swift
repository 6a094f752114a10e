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

/// How many instructions the calling thread executes to log one of the reference records, counted by callgrind.
struct InstructionCount {
    /// By how much the count may differ from the stored one, in percent.
    private static let tolerance = 5.0

    let record: ReferenceRecord
    /// swift-log with a handler that does nothing.
    let noOp: Int
    /// The whole call with this library's handler.
    let ours: Int
    /// What this library adds.
    var added: Int { self.ours - self.noOp }

    init(of record: ReferenceRecord) throws {
        self.record = record
        self.noOp = try Self.count(record, handler: .noop)
        self.ours = try Self.count(record, handler: .ours)
    }

    func row(threshold: Int?) -> String {
        let change = threshold.map { Self.percent(self.change(from: $0)) } ?? "–"
        return "| \(self.record.rawValue) | \(self.noOp) | \(self.ours) | \(self.added) "
            + "| \(threshold.map(String.init) ?? "none") | \(change) |"
    }

    func failure(threshold: Int?) -> String? {
        guard let threshold else {
            return "there is no threshold for \(self.record.rawValue) records; Scripts/benchmark --update-thresholds"
        }
        let change = self.change(from: threshold)
        guard abs(change) > Self.tolerance else { return nil }
        let what =
            "logging a \(self.record.rawValue) record adds \(self.added) instructions, \(Self.percent(change)) against "
            + "the threshold of \(threshold)"
        return change > 0 ? what : what + "; keep what was gained with Scripts/benchmark --update-thresholds"
    }

    private func change(from threshold: Int) -> Double {
        (Double(self.added) / Double(threshold) - 1) * 100
    }

    private static func percent(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "+")\(abs(tenths) / 10).\(abs(tenths) % 10) %"
    }

    // MARK: Under callgrind

    private static let logs = 4_000

    private static func count(_ record: ReferenceRecord, handler: Subject.Handler) throws -> Int {
        let total = try Callgrind.instructions(
            inside: "counted_region",
            arguments: ["log", record.rawValue, handler.rawValue]
        )
        return (total + self.logs / 2) / self.logs
    }

    /// What runs under callgrind, which counts within `counted_region` only.
    static func logForCallgrind(_ record: ReferenceRecord, handler: Subject.Handler) throws {
        let subject = try Subject(record, handler: handler)
        for _ in 0..<4 {
            for index in 0..<subject.roundLength { record.log(index, to: subject.logger) }
            subject.endRound()
        }
        for start in stride(from: 0, to: self.logs, by: subject.roundLength) {
            var round = Round(subject: subject, indices: start..<min(start + subject.roundLength, self.logs))
            // The pointer is used during the call only.
            withUnsafeMutablePointer(to: &round) { pointer in
                counted_region({ $0?.assumingMemoryBound(to: Round.self).pointee.log() }, pointer)
            }
            subject.endRound()
        }
    }
}

/// Records to be logged in the counted region.
private struct Round {
    let subject: Subject
    let indices: Range<Int>

    func log() {
        for index in self.indices { self.subject.record.log(index, to: self.subject.logger) }
    }
}

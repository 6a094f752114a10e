// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CCounting

/// What the calling thread allocates while it logs the records of a scenario.
///
/// What the no-op handler costs is taken off record by record: the same index gives the same record, and the front end
/// allocates the same for it. A record that opens a batch may allocate; no other may, beyond what the scenario
/// itself allows.
struct AllocationCount {
    private static let logs = 20_000

    let scenario: Scenario
    private let noOp: [UInt32]
    private let ours: [UInt32]

    init(of scenario: Scenario, handler: Subject.Handler = .ours) throws {
        self.scenario = scenario
        self.noOp = Self.count(try Subject(scenario, handler: .noop))
        self.ours = Self.count(try Subject(scenario, handler: handler))
    }

    private static func count(_ subject: Subject) -> [UInt32] {
        // Once without counting, so that everything has the size that it needs.
        _ = self.countOnce(subject)
        return self.countOnce(subject)
    }

    private static func countOnce(_ subject: Subject) -> [UInt32] {
        let length = subject.scenario.roundLength
        var counts: [UInt32] = Array(repeating: 0, count: self.logs)
        for start in stride(from: 0, to: self.logs, by: length) {
            subject.logRound(start..<min(start + length, self.logs)) { index, log in
                let before = allocation_counter_read()
                log()
                counts[index] = UInt32(allocation_counter_read() - before)
            }
        }
        return counts
    }

    private func isOpening(_ index: Int) -> Bool { index % self.scenario.roundLength < self.scenario.openings }

    /// By record, how many allocations are this library's.
    private var added: [Int] { zip(self.ours, self.noOp).map { max(0, Int($0) - Int($1)) } }

    /// By record, how many of those are not allowed.
    private var excess: [Int] {
        self.added.enumerated().map { index, count in
            if self.isOpening(index) { return 0 }
            return max(0, count - self.scenario.allowed)
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

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CCounting

/// How many instructions the calling thread executes to log one record of a scenario, counted by callgrind.
struct InstructionCount {
    /// By how much the count may differ from the stored one, in percent.
    private static let tolerance = 5.0
    /// A difference that is none, where the threshold is so small that its percents are less than one.
    private static let slack = 3

    let scenario: Scenario
    /// swift-log with a handler that does nothing.
    let noOp: Int
    /// The whole call with this library's handler.
    let ours: Int
    /// What this library adds.
    var added: Int { self.ours - self.noOp }

    init(of scenario: Scenario, handler: Subject.Handler = .ours) throws {
        self.scenario = scenario
        self.noOp = try Self.count(scenario, handler: .noop)
        self.ours = try Self.count(scenario, handler: handler)
    }

    func row(threshold: Int?) -> String {
        let change = threshold.map { Self.percent(self.change(from: $0)) } ?? "–"
        return "| \(self.scenario.name) | \(self.noOp) | \(self.ours) | \(self.added) "
            + "| \(threshold.map(String.init) ?? "none") | \(change) |"
    }

    func failure(threshold: Int?) -> String? {
        guard let threshold else {
            return "there is no threshold for \(self.scenario.name) records; Scripts/benchmark --update-thresholds"
        }
        let change = self.change(from: threshold)
        guard abs(change) > Self.tolerance, abs(self.added - threshold) > Self.slack else { return nil }
        let what =
            "logging a \(self.scenario.name) record adds \(self.added) instructions, \(Self.percent(change)) against "
            + "the threshold of \(threshold)"
        return change > 0 ? what : what + "; keep what was gained with Scripts/benchmark --update-thresholds"
    }

    private func change(from threshold: Int) -> Double {
        Double(self.added - threshold) / Double(max(abs(threshold), 1)) * 100
    }

    private static func percent(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "+")\(abs(tenths) / 10).\(abs(tenths) % 10) %"
    }

    // MARK: Under callgrind

    private static let logs = 4_000

    private static func count(_ scenario: Scenario, handler: Subject.Handler) throws -> Int {
        let total = try Callgrind.instructions(
            inside: "counted_region",
            arguments: ["log", scenario.name, handler.rawValue]
        )
        return (total + self.logs / 2) / self.logs
    }

    /// What runs under callgrind, which counts within `counted_region` only; prints how many logs were in there.
    static func logForCallgrind(_ scenario: Scenario, handler: Subject.Handler) throws {
        let subject = try Subject(scenario, handler: handler)
        let length = scenario.roundLength
        let logs = max(self.logs, length)
        for _ in 0..<4 {
            for index in 0..<length { subject.log(index) }
            subject.endRound()
        }
        var counted = 0
        for start in stride(from: 0, to: logs, by: length) {
            let first = scenario.countsOpenings ? start : start + scenario.openings
            for index in start..<first { subject.log(index) }
            var round = Round(subject: subject, indices: first..<min(start + length, logs))
            counted += round.indices.count
            // The pointer is used during the call only.
            withUnsafeMutablePointer(to: &round) { pointer in
                counted_region({ $0?.assumingMemoryBound(to: Round.self).pointee.log() }, pointer)
            }
            subject.endRound()
        }
        print("logs \(counted)")
    }
}

/// Records to be logged in the counted region.
private struct Round {
    let subject: Subject
    let indices: Range<Int>

    func log() {
        for index in self.indices { self.subject.log(index) }
    }
}

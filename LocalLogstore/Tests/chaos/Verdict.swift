// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore

/// Compares what was stored with what was logged.
struct Verdict {
    /// The lines of one thread of a process, which are those of a topic unless threads share one.
    struct Line: Hashable {
        var incarnation: Int
        var writer: Int
    }

    /// The batch in which each number of a topic and process came first, by number.
    private var first: [Line: [UInt64: String]] = [:]
    private var highest: [Line: UInt64] = [:]
    private(set) var stored = 0
    private(set) var duplicates = 0
    private(set) var logged: UInt64 = 0
    private(set) var violations: [String] = []
    private(set) var violationCount = 0
    private(set) var lost: UInt64 = 0
    /// How many lines are missing that are excused.
    private(set) var missing: UInt64 = 0
    /// How many lines are missing of which the library said that they were in memory only.
    private(set) var unspooled: UInt64 = 0
    /// How many lines the library itself has said that it dropped.
    private(set) var announced: UInt64 = 0
    /// The first and the last of the lines' own times, in seconds since 1970.
    private var times: ClosedRange<Double>?
    private let excused: [Line: Set<UInt64>]
    /// The last line, for each topic and process, that was not in memory only.
    private let spooled: [UInt64]
    private let writers: Int
    /// By process, the highest of the library's own numbers, and how many of them there are.
    private var sequences: [Int: (highest: Int, count: Int)] = [:]

    /// - Parameters:
    ///   - excused: The numbers of lines that may be missing.
    ///   - spooled: The numbers behind which lines may be missing, since the library said that they were in memory only.
    init(excused: [Line: Set<UInt64>] = [:], spooled: [UInt64], writers: Int) {
        self.excused = excused
        self.spooled = spooled
        self.writers = writers
    }

    /// How many records were never finished although ones with higher numbers were.
    var interrupted: Int { self.sequences.values.reduce(0) { $0 + $1.highest - $1.count } }

    private func mayBeMissing(_ line: Line, _ number: UInt64) -> Bool {
        self.excused[line]?.contains(number) ?? false || self.isUnspooled(line, number)
    }

    private func isUnspooled(_ line: Line, _ number: UInt64) -> Bool {
        let slot = line.incarnation * self.writers + line.writer
        return self.spooled.indices.contains(slot) && number > self.spooled[slot]
    }

    var summary: String {
        "\(self.storedSummary), lost \(self.lost), and \(self.unspooled) that were said to be in memory only"
    }

    var storedSummary: String {
        "logged \(self.logged), stored \(self.stored) with \(self.duplicates) duplicates"
    }

    /// The seconds between the first and the last of the lines' own times.
    var span: Double { self.times.map { $0.upperBound - $0.lowerBound } ?? 0 }

    /// The line of a record's JSON text, and its number.
    static func line(of record: Data, topic: String) -> (Line, UInt64)? {
        guard let fields = try? JSONDecoder().decode([String: String].self, from: record) else { return nil }
        return self.line(topic: topic) { fields[$0] }
    }

    private static func line(topic: String, _ field: (String) -> String?) -> (Line, UInt64)? {
        guard let incarnation = field("incarnation").flatMap({ Int($0) }),
            let number = field("number").flatMap({ UInt64($0) }),
            let writer = field("thread").flatMap({ Int($0) }) ?? topic.split(separator: "-").last.flatMap({ Int($0) })
        else { return nil }
        return (Line(incarnation: incarnation, writer: writer), number)
    }

    /// Takes in a stored line, in the order of arrival.
    mutating func take(_ log: StoredLog) {
        if log.log["label"] == "webtracking" {
            self.announced += log.log["dropped.total"].flatMap { UInt64($0) } ?? 0
            return
        }
        guard let (line, number) = Self.line(topic: log.request.topic, { log.log[$0] }) else {
            return self.violate("a foreign line: \(log.log.json)")
        }
        self.stored += 1
        if let time = log.log["time"].flatMap({ try? Self.time.parse($0) })?.timeIntervalSince1970 {
            self.times = min(time, self.times?.lowerBound ?? time)...max(time, self.times?.upperBound ?? time)
        }
        let batch = log.request.tags.first { $0.name == "__pack_id__" }.map { Self.base($0.value) } ?? ""
        if batch.isEmpty { self.violate("a line without a batch id") }
        if let before = self.first[line]?[number] {
            self.duplicates += 1
            if before != batch { self.violate("\(line) \(number) is twice, in batches \(before) and \(batch)") }
            return
        }
        var expected = (self.highest[line] ?? 0) + 1
        while expected < number, self.mayBeMissing(line, expected) { expected += 1 }
        if number != expected { self.violate("\(line): \(number) came first where \(expected) should have") }
        self.highest[line] = max(number, self.highest[line] ?? 0)
        if let sequence = log.log["seq"].flatMap({ Int($0) }) {
            let before = self.sequences[line.incarnation] ?? (0, 0)
            self.sequences[line.incarnation] = (max(sequence, before.highest), before.count + 1)
        }
        self.first[line, default: [:]][number] = batch
    }

    /// Checks that every number is there whose call had returned, unless it was said to be in memory only.
    mutating func check(_ progress: [UInt64]) {
        for (index, count) in progress.enumerated() {
            let line = Line(incarnation: index / self.writers, writer: index % self.writers)
            self.logged += count
            let present = UInt64(self.first[line]?.keys.count { $0 <= count } ?? 0)
            guard present < count else { continue }
            let missing = (1...count).filter { self.isMissing(line, $0) }
            let excused = missing.filter { self.excused[line]?.contains($0) ?? false }
            self.missing += UInt64(excused.count)
            let unspooled = missing.count { self.isUnspooled(line, $0) && !(self.excused[line]?.contains($0) ?? false) }
            self.unspooled += UInt64(unspooled)
            let lost = missing.count - excused.count - unspooled
            guard lost > 0 else { continue }
            self.lost += UInt64(lost)
            self.violate("\(line): \(lost) of \(count) are lost")
        }
        // For an instant at a time, or nothing would be safe.
        self.expect(self.unspooled <= self.logged / 10, "\(self.unspooled) of \(self.logged) were in memory only")
    }

    func isMissing(_ line: Line, _ number: UInt64) -> Bool { self.first[line]?[number] == nil }

    /// Checks that everything that is missing was announced as dropped, and nothing else.
    mutating func checkAnnounced(_ count: UInt64) {
        self.expect(self.announced == count, "\(self.announced) lines were announced as dropped, not \(count)")
    }

    /// Notes what is not as it should be.
    mutating func expect(_ isSo: Bool, _ what: String) {
        if !isSo { self.violate(what) }
    }

    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// A batch's id without the marks of its halves.
    private static func base(_ id: String) -> String {
        String(id.prefix { $0 != "." })
    }

    private mutating func violate(_ text: String) {
        self.violationCount += 1
        if self.violations.count < 20 { self.violations.append(text) }
    }
}

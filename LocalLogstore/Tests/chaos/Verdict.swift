//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import LocalLogstore

/// Compares what was stored with what was logged.
struct Verdict {
    private struct Line: Hashable {
        var incarnation: Int
        var topic: Int
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

    /// Takes in a stored line, in the order of arrival.
    mutating func take(_ log: StoredLog) {
        guard let incarnation = log.log["incarnation"].flatMap({ Int($0) }),
            let number = log.log["number"].flatMap({ UInt64($0) }),
            let topic = log.request.topic.split(separator: "-").last.flatMap({ Int($0) })
        else { return self.violate("a foreign line: \(log.log.json)") }
        self.stored += 1
        let line = Line(incarnation: incarnation, topic: topic)
        let batch = log.request.tags.first { $0.name == "__pack_id__" }.map { Self.base($0.value) } ?? ""
        if batch.isEmpty { self.violate("a line without a batch id") }
        if let before = self.first[line]?[number] {
            self.duplicates += 1
            if before != batch { self.violate("\(line) \(number) is twice, in batches \(before) and \(batch)") }
            return
        }
        let expected = (self.highest[line] ?? 0) + 1
        if number != expected { self.violate("\(line): \(number) came first where \(expected) should have") }
        self.highest[line] = max(number, self.highest[line] ?? 0)
        self.first[line, default: [:]][number] = batch
    }

    /// Checks that every number is there whose call had returned.
    mutating func check(_ progress: SharedCounters) {
        for index in 0..<progress.count {
            let line = Line(incarnation: index / Plan.topics, topic: index % Plan.topics)
            let count = progress[index]
            self.logged += count
            let present = UInt64(self.first[line]?.keys.count { $0 <= count } ?? 0)
            guard present < count else { continue }
            self.lost += count - present
            self.violate("\(line): \(count - present) of \(count) are lost")
        }
    }

    /// A batch's id without the marks of its halves.
    private static func base(_ id: String) -> String {
        String(id.prefix { $0 != "." })
    }

    private mutating func violate(_ text: String) {
        self.violationCount += 1
        if self.violations.count < 20 { self.violations.append(text) }
    }
}

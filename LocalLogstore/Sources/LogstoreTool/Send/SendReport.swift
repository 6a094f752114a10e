// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// What became of everything that was read.
struct SendReport {
    var records: Int
    var malformedLines: Int
    var repairedLines: Int
    var mendedLines: Int
    var brokenLines: Int
    var statistics: WebTrackingStatistics
    var seconds: Double

    /// Whether the service has every record.
    var isComplete: Bool {
        self.statistics.totalDropped == 0 && self.statistics.pending == 0
            && self.statistics.delivered - self.statistics.synthetic == self.records
    }

    /// Several lines for people.
    var text: String {
        let statistics = self.statistics
        let drops = statistics.dropped.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.key.rawValue) \($0.value)" }
        let requests = statistics.requests.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.key.rawValue) \($0.value)" }
        var lines = [
            "records    \(self.records) read, \(statistics.delivered - statistics.synthetic) delivered",
            "dropped    " + (drops.isEmpty ? "0" : drops.joined(separator: ", ")),
            "requests   " + (requests.isEmpty ? "0" : requests.joined(separator: ", ")),
            "bytes      \(statistics.rawBytes) raw, \(statistics.wireBytes) on the wire",
            "seconds    \(Self.rounded(self.seconds))",
        ]
        if self.malformedLines > 0 {
            lines.append("warning    \(self.malformedLines) lines were no JSON objects, and were sent as text")
        }
        if self.repairedLines > 0 {
            lines.append("warning    \(self.repairedLines) lines were not UTF-8; U+FFFD is in place of the bad bytes")
        }
        if self.mendedLines > 0 {
            lines.append(
                "warning    \(self.mendedLines) lines had a name twice or half a character; name_2 and U+FFFD are in place"
            )
        }
        if self.brokenLines > 0 {
            lines.append("warning    \(self.brokenLines) lines were too long for one record, and were sent in pieces")
        }
        let repairs = statistics.repaired.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.key.rawValue) \($0.value)" }
        if !repairs.isEmpty { lines.append("repaired   " + repairs.joined(separator: ", ")) }
        return lines.joined(separator: "\n")
    }

    private static func rounded(_ seconds: Double) -> String {
        String((seconds * 100).rounded() / 100)
    }
}

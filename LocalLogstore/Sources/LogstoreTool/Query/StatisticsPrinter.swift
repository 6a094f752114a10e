// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore

/// Turns statistics into lines: a table, or an object for each row.
struct StatisticsPrinter {
    var format: TextFormat
    /// How many characters of a value text has; `nil` for all. NDJSON always has all.
    var valueLimit: Int?

    func lines(_ statistics: Statistics) -> [String] {
        switch self.format {
        case .ndjson: statistics.rows.map { self.object($0, statistics.columns) }
        case .text: self.table(statistics)
        }
    }

    private func object(_ row: [Statistics.Value], _ columns: [Statistics.Column]) -> String {
        var taken: Set<String> = []
        return JSONValue.object(
            zip(columns, row).map { column, value in
                var name = column.name
                // A second column of the same name would be lost to readers.
                while !taken.insert(name).inserted { name += "_" }
                return (name, column.kind == .time ? .string(self.text(value, column.kind)) : value.json)
            }
        )
        .json
    }

    private func table(_ statistics: Statistics) -> [String] {
        let head = statistics.columns.map { TerminalText.escaped($0.name) }
        let rows = statistics.rows.map { row in
            zip(row, statistics.columns).map { TerminalText.shown(self.text($0, $1.kind), limit: self.valueLimit) }
        }
        let widths = head.indices.map { column in
            min(80, ([head] + rows).map { $0[column].count }.max() ?? 0)
        }
        return ([head] + rows).map { row in
            row.indices.map { column in
                let room = String(repeating: " ", count: max(0, widths[column] - row[column].count))
                // Numbers stand one below the other; nothing stands behind the last text.
                if statistics.columns[column].kind == .number { return room + row[column] }
                return column == row.count - 1 ? row[column] : row[column] + room
            }
            .joined(separator: "  ")
        }
    }

    private func text(_ value: Statistics.Value, _ kind: Statistics.Kind) -> String {
        switch value {
        case .null: "-"
        case .integer(let seconds) where kind == .time:
            Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
        case .text(let text): text
        case .integer, .real: value.json.json
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import WebTracking

/// How what is in a spool is printed.
enum SpoolText {
    /// A batch in one line.
    static func line(_ batch: WebTrackingSpool.Batch) -> String {
        let owner = batch.folder == "damaged" ? "aside" : batch.isAlive ? "alive" : "dead"
        let time = batch.openedAt == 0 ? "-" : self.time(batch.openedAt)
        let columns = [
            time, owner, "\(batch.records)", "\(batch.bytes)", batch.destination, batch.topic, batch.batchID ?? "",
            batch.path, batch.damage ?? "",
        ]
        return columns.map { $0.isEmpty ? "-" : TerminalText.escaped($0) }.joined(separator: "\t")
    }

    /// JSON text with the characters escaped that could drive a terminal; the value is the same.
    static func json(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069:
                let digits = String(scalar.value, radix: 16)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func time(_ nanoseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(nanoseconds) / 1e9)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

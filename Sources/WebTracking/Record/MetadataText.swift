// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

#if SwiftLog
import Logging
#endif

/// Metadata values as text.
package enum MetadataText {
    /// Nesting below this many levels is left out of JSON text, so that no value can exhaust the stack.
    static let deepest = 64
    /// Stands for values that are nested deeper.
    static let leftOut = "\u{2026}"

    /// The text of a value that is not a container.
    static func leaf(_ value: LogMetadataValue) -> String? {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .dictionary, .array: nil
        }
    }

    /// A value as JSON text, with the keys of dictionaries in order, and whether it was cut at the deepest level.
    package static func json(_ value: LogMetadataValue) -> (text: String, isCut: Bool) {
        var writer = ByteWriter(capacity: 256)
        let isWhole = self.write(value, depth: 0, to: &writer)
        return (writer.withBytes { String(decoding: $0, as: UTF8.self) }, !isWhole)
    }

    /// Writes a value; `false` if something below the deepest level was left out.
    private static func write(_ value: LogMetadataValue, depth: Int, to writer: inout ByteWriter) -> Bool {
        guard depth < self.deepest else {
            writer.append(literal: "\"\u{2026}\"")
            return false
        }
        var isWhole = true
        switch value {
        case .string(let text):
            self.write(text, to: &writer)
        case .stringConvertible(let value):
            self.write(value.description, to: &writer)
        case .array(let values):
            writer.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { writer.append(UInt8(ascii: ",")) }
                isWhole = self.write(value, depth: depth + 1, to: &writer) && isWhole
            }
            writer.append(UInt8(ascii: "]"))
        case .dictionary(let values):
            writer.append(UInt8(ascii: "{"))
            for (index, key) in values.keys.sorted(by: MetadataText.precedes).enumerated() {
                if index > 0 { writer.append(UInt8(ascii: ",")) }
                self.write(key, to: &writer)
                writer.append(UInt8(ascii: ":"))
                if let value = values[key] { isWhole = self.write(value, depth: depth + 1, to: &writer) && isWhole }
            }
            writer.append(UInt8(ascii: "}"))
        }
        return isWhole
    }

    private static func write(_ text: String, to writer: inout ByteWriter) {
        writer.append(UInt8(ascii: "\""))
        writer.append(escaping: text)
        writer.append(UInt8(ascii: "\""))
    }

    /// The order of keys: by their bytes, so that it is the same everywhere.
    static func precedes(_ left: String, _ right: String) -> Bool { self.comparison(left, right) < 0 }

    /// Less than, equal to or greater than zero, as `left` is before, the same as or after `right` by their bytes.
    static func comparison(_ left: String, _ right: String) -> Int {
        left.withBytes { left in
            right.withBytes { right in
                let common = min(left.count, right.count)
                if common > 0, let start = left.baseAddress, let other = right.baseAddress {
                    let difference = memcmp(start, other, common)
                    if difference != 0 { return Int(difference) }
                }
                return left.count - right.count
            }
        }
    }
}

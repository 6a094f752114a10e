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
import Logging

/// Makes records from lines.
///
/// No line is lost: one that is not what the format says is shipped as text, and counted.
struct RecordMapper {
    let format: TextFormat
    /// The level of records that state none.
    let level: Logger.Level
    /// The longest message made of text, in bytes.
    let messageLimit: Int

    /// Lines that were to be JSON objects and are not.
    private(set) var malformedLines = 0
    /// Lines that were not UTF-8; what was wrong in them became U+FFFD.
    private(set) var repairedLines = 0

    init(format: TextFormat, level: Logger.Level, messageLimit: Int) {
        self.format = format
        self.level = level
        self.messageLimit = messageLimit
    }

    /// The longest line to hand in, in bytes: an object may hold several values, and names besides.
    var lineLimit: Int { self.format == .text ? self.messageLimit : 4 * self.messageLimit }

    /// The records of one line: one, none for an empty line between JSON objects, or several if it is text and longer
    /// than a message can be.
    mutating func records(_ line: ArraySlice<UInt8>) -> [OutgoingRecord] {
        guard self.format == .ndjson else { return self.text(line) }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return [] }
        guard case .object(let members)? = try? JSONValue(parsing: Array(line)) else {
            self.malformedLines += 1
            return self.text(line)
        }
        return [self.record(members)]
    }

    private mutating func text(_ line: ArraySlice<UInt8>) -> [OutgoingRecord] {
        var records: [OutgoingRecord] = []
        var rest = line
        while rest.count > self.messageLimit {
            let cut = LineSplitter.cut(rest, at: self.messageLimit)
            records.append(self.message(rest[..<cut]))
            rest = rest[cut...]
        }
        records.append(self.message(rest))
        return records
    }

    private mutating func message(_ bytes: ArraySlice<UInt8>) -> OutgoingRecord {
        if let message = String(validating: bytes, as: UTF8.self) {
            return OutgoingRecord(level: self.level, message: message)
        }
        self.repairedLines += 1
        // Three bytes in place of one can make the message too long; the library then cuts and counts it.
        return OutgoingRecord(level: self.level, message: String(decoding: bytes, as: UTF8.self))
    }

    private func record(_ members: [(name: String, value: JSONValue)]) -> OutgoingRecord {
        var record = OutgoingRecord(level: self.level, message: "")
        for (name, value) in members {
            if name == "message" {
                record.message = value.text
            } else if name == "level", case .string(let text) = value, let level = Self.level(named: text) {
                record.level = level
            } else {
                record.metadata[name] = value.metadata
            }
        }
        return record
    }

    /// The level of that name in any case, or of a name that other systems use for it.
    static func level(named name: String) -> Logger.Level? {
        switch name.lowercased() {
        case "warn": .warning
        case "err": .error
        case "fatal": .critical
        case let name: Logger.Level(rawValue: name)
        }
    }
}

extension JSONValue {
    /// The value as metadata: objects and arrays keep their shape, everything else is its text.
    fileprivate var metadata: Logger.MetadataValue {
        switch self {
        case .object(let members):
            .dictionary(Dictionary(members.map { ($0.name, $0.value.metadata) }) { _, last in last })
        case .array(let elements):
            .array(elements.map(\.metadata))
        default:
            .string(self.text)
        }
    }

    /// A string itself, and the JSON text of anything else.
    fileprivate var text: String {
        if case .string(let text) = self { return text }
        return self.json
    }
}

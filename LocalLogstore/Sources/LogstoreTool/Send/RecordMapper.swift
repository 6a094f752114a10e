// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
    /// JSON objects with a name twice, which got a number behind it, or half a character, which became U+FFFD.
    private(set) var mendedLines = 0

    init(format: TextFormat, level: Logger.Level, messageLimit: Int) {
        self.format = format
        self.level = level
        self.messageLimit = messageLimit
    }

    /// The longest line to pass in, in bytes: an object may hold several values, and their names.
    var lineLimit: Int { self.format == .text ? self.messageLimit : 4 * self.messageLimit }

    /// The records of one line: one, none for an empty line between JSON objects, or several if it is text and longer
    /// than a message can be.
    mutating func records(_ line: ArraySlice<UInt8>) -> [OutgoingRecord] {
        guard self.format == .ndjson else { return self.text(line) }
        // A byte-order mark is no part of the text.
        let line = line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return [] }
        var bytes = Array(line)
        let isText = String(validating: bytes, as: UTF8.self) != nil
        if !isText { bytes = Array(String(decoding: bytes, as: UTF8.self).utf8) }
        guard case (.object(let members), let mends)? = try? JSONValue.mending(bytes) else {
            self.malformedLines += 1
            return self.text(line)
        }
        if mends > 0 { self.mendedLines += 1 }
        let object = LoggerLine(members)
        if !isText || object.isRepaired { self.repairedLines += 1 }
        return [self.record(object, line: bytes)]
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

    private func record(_ line: LoggerLine, line bytes: [UInt8]) -> OutgoingRecord {
        // A line without a message is shown by its text: an empty row would say nothing.
        var record = OutgoingRecord(
            level: line.level ?? self.level,
            message: line.message ?? String(decoding: bytes, as: UTF8.self)
        )
        for (name, value) in line.members { record.metadata[name] = value.metadata }
        record.time = line.time
        record.label = line.label
        return record
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
}

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
    let names: MemberNames
    /// That of the requests that records will be in.
    let source: String

    /// Of each stream of a container the line whose end is still to come.
    private var partial: [String: ContainerLine] = [:]

    /// Lines that were to be JSON objects and are not.
    private(set) var malformedLines = 0
    /// Lines that were not UTF-8; what was wrong in them became U+FFFD.
    private(set) var repairedLines = 0
    /// JSON objects with a name twice, which got a number behind it, or half a character, which became U+FFFD.
    private(set) var mendedLines = 0

    init(
        format: TextFormat,
        level: Logger.Level,
        messageLimit: Int,
        names: MemberNames = MemberNames(),
        source: String = ""
    ) {
        self.format = format
        self.level = level
        self.messageLimit = messageLimit
        self.names = names
        self.source = source
    }

    /// The longest line to pass in, in bytes: an object may hold several values, and their names.
    var lineLimit: Int { self.format == .text ? self.messageLimit : 4 * self.messageLimit }

    /// The records of one line: one, none for an empty line between JSON objects or a piece of a container's line, or
    /// several if it is text and longer than a message can be.
    mutating func records(_ line: ArraySlice<UInt8>) -> [OutgoingRecord] {
        guard self.format == .ndjson else { return self.text(line) }
        // A byte-order mark is no part of the text.
        let line = line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return [] }
        if let piece = ContainerLine(cri: line) { return self.join(piece) }
        guard let object = self.object(line) else {
            self.malformedLines += 1
            return self.text(line)
        }
        if let piece = ContainerLine(object.members) {
            if object.isRepaired { self.repairedLines += 1 }
            return self.join(piece)
        }
        return [self.record(object)]
    }

    /// What is left once there is no next line.
    mutating func finish() -> [OutgoingRecord] {
        let rest = self.partial.values.sorted { $0.time < $1.time }
        self.partial = [:]
        return rest.flatMap { self.records(of: $0) }
    }

    private mutating func join(_ piece: ContainerLine) -> [OutgoingRecord] {
        var line = piece
        if var start = self.partial.removeValue(forKey: piece.stream) {
            // conmon leaves a program's last line without an end, and the next program's first one stands behind it.
            if !piece.isPartial, self.isObject(piece.content), !self.isObject(start.content + piece.content) {
                return self.records(of: start) + self.records(of: piece)
            }
            start.append(piece)
            line = start
        }
        if line.isPartial, line.content.count < self.lineLimit {
            self.partial[line.stream] = line
            return []
        }
        return self.records(of: line)
    }

    /// The line that a program in a container wrote is read as any other. The runtime's time counts if it has none.
    private mutating func records(of line: ContainerLine) -> [OutgoingRecord] {
        var records: [OutgoingRecord]
        if line.content.first == Self.brace, let object = self.object(line.content[...]) {
            records = [self.record(object)]
        } else {
            records = self.text(line.content[...])
        }
        for index in records.indices {
            if records[index].time == nil { records[index].time = line.time }
            if records[index].metadata["stream"] == nil { records[index].metadata["stream"] = .string(line.stream) }
            if let attributes = line.attributes, records[index].metadata["attrs"] == nil {
                records[index].metadata["attrs"] = attributes.metadata
            }
        }
        return records
    }

    private static let brace = UInt8(ascii: "{")

    private func isObject(_ bytes: [UInt8]) -> Bool {
        guard bytes.first == Self.brace, case (.object, _)? = try? JSONValue.mending(bytes) else { return false }
        return true
    }

    private struct Object {
        var members: [(name: String, value: JSONValue)]
        /// As text.
        var bytes: [UInt8]
        /// Whether it was not UTF-8.
        var isRepaired: Bool
    }

    /// The object that a line is; `nil` if it is none.
    private mutating func object(_ line: ArraySlice<UInt8>) -> Object? {
        var bytes = Array(line)
        let isText = String(validating: bytes, as: UTF8.self) != nil
        if !isText { bytes = Array(String(decoding: bytes, as: UTF8.self).utf8) }
        guard case (.object(let members), let mends)? = try? JSONValue.mending(bytes) else { return nil }
        if mends > 0 { self.mendedLines += 1 }
        return Object(members: members, bytes: bytes, isRepaired: !isText)
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

    private mutating func record(_ object: Object) -> OutgoingRecord {
        let line = LoggerLine(object.members, names: self.names, source: self.source)
        if object.isRepaired || line.isRepaired { self.repairedLines += 1 }
        // A line without a message is shown by its text: an empty row would say nothing.
        var record = OutgoingRecord(
            level: line.level ?? self.level,
            message: line.message ?? String(decoding: object.bytes, as: UTF8.self)
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

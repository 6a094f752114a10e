// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// Data to find a refused record by: its label, level and number. Nothing of its content.
public struct RefusedRecord: Sendable, Equatable, CustomStringConvertible {
    /// The logger's label, cut to 128 characters; `nil` if the record has no field of the current name.
    public var label: String?
    /// The level.
    public var level: LogLevel
    /// The sequence number; `nil` if the record has none.
    public var sequence: UInt64?

    /// Creates a description of a record.
    public init(label: String?, level: LogLevel, sequence: UInt64?) {
        self.label = label
        self.level = level
        self.sequence = sequence
    }

    /// The record in a few words.
    public var description: String {
        let sequence = self.sequence.map { " \($0)" } ?? ""
        let label = self.label.map { " of label \($0.debugDescription)" } ?? ""
        return "record\(sequence) of level \(self.level.rawValue)\(label)"
    }

    /// Reads the fields of these names from the text of a record.
    init(_ text: [UInt8], rank: Int, fields: FieldMapping) {
        self.level = LogLevel.ranked[rank]
        guard case .object(let members)? = try? JSONValue.parse(text) else { return }
        self.label = members.text(fields.label).map { String($0.prefix(128)) }
        self.sequence = members.text(fields.sequence).flatMap { UInt64($0) }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// By what a record that was refused can be found: whose it is, never what it says.
public struct RefusedRecord: Sendable, Equatable, CustomStringConvertible {
    /// The logger's label, at most its first 128 characters; `nil` if the record does not say it under the present name.
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

    /// What the text of a record says, where it says it under these names.
    init(_ text: [UInt8], rank: Int, fields: FieldMapping) {
        self.level = LogLevel.ranked[rank]
        guard case .object(let members)? = try? JSONValue.parse(text) else { return }
        func value(_ name: String) -> String? {
            guard case .string(let value)? = members.first(where: { $0.name == name })?.value else { return nil }
            return value
        }
        self.label = value(fields.label).map { String($0.prefix(128)) }
        self.sequence = value(fields.sequence).flatMap { UInt64($0) }
    }
}

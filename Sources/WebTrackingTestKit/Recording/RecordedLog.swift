// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

#if SwiftLog
public import Logging
#endif

/// One record as the service would have stored it, parsed.
public struct RecordedLog: Sendable, Equatable {
    /// The error of a record.
    public struct Failure: Sendable, Equatable {
        /// The error's type, as Swift names it.
        public var type: String
        /// The error's description.
        public var message: String
    }

    /// The number of the record, from 1; 0 where records carry none.
    public var sequence: Int
    /// The time, in ISO 8601.
    public var time: String
    /// The level.
    public var level: LogLevel
    /// The logger's label.
    public var label: String
    /// The message.
    public var message: String
    /// The metadata of handler, provider and event, as it was sent: flattened, repaired, redacted.
    public var metadata: [String: String]
    /// The error that the event was about.
    public var error: Failure?
    /// The module; empty where records carry no code location.
    public var source: String
    /// The file; empty where records carry no code location.
    public var file: String
    /// The function; empty where records carry no code location.
    public var function: String
    /// The line; 0 where records carry no code location.
    public var line: Int
    /// The topic.
    public var topic: String
    /// The tags, without the batch id.
    public var tags: [String: String]

    init(_ fields: [String: String], topic: String, tags: [String: String], mapping: FieldMapping) {
        var rest = fields
        func take(_ name: String) -> String? { rest.removeValue(forKey: name) }
        self.sequence = take(mapping.sequence).flatMap { Int($0) } ?? 0
        self.time = take(mapping.time) ?? ""
        self.level = take(mapping.level).flatMap { LogLevel(rawValue: $0) } ?? .trace
        self.label = take(mapping.label) ?? ""
        self.message = take(mapping.message) ?? ""
        let type = take(mapping.errorType)
        let text = take(mapping.errorMessage)
        self.error = type.map { Failure(type: $0, message: text ?? "") }
        let hasLocation = mapping.includesCodeLocation
        self.source = hasLocation ? take(mapping.source) ?? "" : ""
        self.file = hasLocation ? take(mapping.file) ?? "" : ""
        self.function = hasLocation ? take(mapping.function) ?? "" : ""
        self.line = hasLocation ? take(mapping.line).flatMap { Int($0) } ?? 0 : 0
        self.metadata = rest
        self.topic = topic
        self.tags = tags.filter { $0.key != "__pack_id__" }
    }
}

extension RecordedLog: CustomStringConvertible {
    /// The level, the label, the message and the metadata, in one line.
    public var description: String {
        let metadata = self.metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(self.level) \(self.label): \(self.message)\(metadata)"
    }
}

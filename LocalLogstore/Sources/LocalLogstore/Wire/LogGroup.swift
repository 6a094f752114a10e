// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What one request carries: logs of one topic, one source and one set of tags.
public struct LogGroup: Sendable, Equatable {
    public var topic: String
    public var source: String
    /// In the order of the request.
    public var tags: [Field]
    /// In the order of the request; never empty after decoding.
    public var logs: [LogFields]

    public init(topic: String, source: String, tags: [Field], logs: [LogFields]) {
        self.topic = topic
        self.source = source
        self.tags = tags
        self.logs = logs
    }
}

/// The fields of one log, kept as the JSON text they came in.
public struct LogFields: Sendable, Equatable {
    /// A flat JSON object of strings: members in their original order, without white space between them.
    public let json: String

    /// The time that a request states for the log beside its fields, in microseconds since 1970; `nil` for none.
    public var time: Int64?

    /// From text that is known to be such an object.
    init(validated json: String) {
        self.json = json
    }

    public init(_ fields: [Field]) {
        self.json = JSONWriter.object(fields)
    }

    /// The fields in their original order.
    ///
    /// Parsed anew on every call. Empty if the text is not an object, which only a damaged database can bring about.
    public var fields: [Field] {
        guard case .object(let members)? = try? JSONValue(parsing: Array(self.json.utf8)) else { return [] }
        return members.compactMap { member in
            guard case .string(let value) = member.value else { return nil }
            return Field(member.name, value)
        }
    }

    /// The value of the field `name`, or `nil` if there is none.
    public subscript(name: String) -> String? {
        self.fields.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    public static func == (left: Self, right: Self) -> Bool { left.fields == right.fields }
}

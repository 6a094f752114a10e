// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Reads the JSON body of a request.
///
/// The fields of a log are not turned into strings: they are checked where they stand and copied as text, which keeps
/// this fast enough to judge a client that sends tens of thousands of logs a second.
struct LogGroupParser {
    private var cursor: JSONCursor
    private let limits: TrackLimits
    private let mode: DecodingMode
    // Used for one object after the other, to allocate once.
    private var names = NameSet()
    private var scratch: [UInt8] = []

    init(_ bytes: [UInt8], limits: TrackLimits, mode: DecodingMode = .strict) {
        self.mode = mode
        self.cursor = JSONCursor(bytes)
        self.limits = limits
    }

    mutating func parse() throws(ServiceError) -> LogGroup {
        // A byte order mark is valid UTF-8; it fails as the first token.
        guard String(validating: self.cursor.bytes, as: UTF8.self) != nil else {
            throw .bodyInvalid("The request body is not valid UTF-8.")
        }
        do {
            return try self.group()
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .bodyInvalid("The request body is not valid JSON object: \(error).")
        }
    }

    private mutating func group() throws -> LogGroup {
        var topic: String?
        var source: String?
        var tags: [Field]?
        var logs: [LogFields]?
        var seen = NameSet()
        self.cursor.skipWhitespace()
        try self.cursor.expect(UInt8(ascii: "{"))
        self.cursor.skipWhitespace()
        if !self.cursor.consume(UInt8(ascii: "}")) {
            repeat {
                let name = try self.memberName()
                guard seen.insert(self.cursor.decodedBytes(name)) else { throw self.duplicate(name) }
                switch self.cursor.decodedString(name) {
                case "__topic__": topic = try self.label("__topic__")
                case "__source__": source = try self.label("__source__")
                case "__tags__": tags = try self.tags()
                case "__logs__": logs = try self.logs()
                case _ where self.mode == .compatible: _ = try JSONValue(from: &self.cursor, depth: 1)
                case let other: throw ServiceError.bodyInvalid("The member \(other) is not known.")
                }
                self.cursor.skipWhitespace()
            } while self.cursor.consume(UInt8(ascii: ","))
            try self.cursor.expect(UInt8(ascii: "}"))
        }
        self.cursor.skipWhitespace()
        guard self.cursor.isAtEnd else { throw self.cursor.failure("text after the object") }
        guard source != nil || self.mode == .compatible else {
            throw ServiceError.bodyInvalid("The member __source__ is missing.")
        }
        guard let logs else { throw ServiceError.bodyInvalid("The member __logs__ is missing.") }
        return LogGroup(topic: topic ?? "", source: source ?? "", tags: tags ?? [], logs: logs)
    }

    /// A topic or a source.
    private mutating func label(_ name: String) throws -> String {
        guard self.cursor.next == UInt8(ascii: "\"") else {
            throw ServiceError.bodyInvalid("Value of \(name) is not string data type.")
        }
        let text = try self.cursor.string()
        guard text.decodedCount <= self.limits.topicBytes else {
            throw ServiceError.bodyInvalid("The \(name) is over \(self.limits.topicBytes) bytes.")
        }
        return self.cursor.decodedString(text)
    }

    private mutating func tags() throws -> [Field] {
        var tags: [Field] = []
        try self.object("__tags__") { parser, name in
            let bytes = parser.cursor.decodedBytes(name)
            if Names.isReservedTag(bytes) {
                throw ServiceError.bodyInvalid("The tag \(parser.cursor.decodedString(name)) is reserved.")
            }
            let value = try parser.value(in: "tag")
            tags.append(Field(parser.cursor.decodedString(name), parser.cursor.decodedString(value)))
        }
        return tags
    }

    private mutating func logs() throws -> [LogFields] {
        guard self.cursor.consume(UInt8(ascii: "[")) else {
            throw ServiceError.bodyInvalid("Value of __logs__ is not array data type.")
        }
        self.cursor.skipWhitespace()
        if self.cursor.next == UInt8(ascii: "]") { throw ServiceError.bodyInvalid("The array __logs__ is empty.") }
        var logs: [LogFields] = []
        repeat {
            guard logs.count < self.limits.logs else {
                throw ServiceError.bodyTooLarge("The request holds over \(self.limits.logs) logs.")
            }
            self.cursor.skipWhitespace()
            logs.append(try self.log())
            self.cursor.skipWhitespace()
        } while self.cursor.consume(UInt8(ascii: ","))
        try self.cursor.expect(UInt8(ascii: "]"))
        return logs
    }

    private mutating func log() throws -> LogFields {
        self.scratch.removeAll(keepingCapacity: true)
        self.scratch.append(UInt8(ascii: "{"))
        try self.object("__logs__") { parser, name in
            let bytes = parser.cursor.decodedBytes(name)
            if bytes.elementsEqual("__time__".utf8) { return try parser.skipTime() }
            if Names.isReservedField(bytes) {
                throw ServiceError.bodyInvalid("The key \(parser.cursor.decodedString(name)) is reserved.")
            }
            let value = try parser.value(in: "log")
            parser.copy(name, value)
        }
        guard self.scratch.count > 1 else { throw ServiceError.bodyInvalid("A log has no fields.") }
        self.scratch.append(UInt8(ascii: "}"))
        return LogFields(validated: String(decoding: self.scratch, as: UTF8.self))
    }

    /// Adds a member to the text of the log, as it was written.
    private mutating func copy(_ name: JSONCursor.Text, _ value: JSONCursor.Text) {
        if self.scratch.count > 1 { self.scratch.append(UInt8(ascii: ",")) }
        // With their quotes.
        self.scratch.append(contentsOf: self.cursor.bytes[name.range.lowerBound - 1...name.range.upperBound])
        self.scratch.append(UInt8(ascii: ":"))
        self.scratch.append(contentsOf: self.cursor.bytes[value.range.lowerBound - 1...value.range.upperBound])
    }

    /// The service replaces the time of a log with the time of its arrival, so it only has to be a time at all.
    private mutating func skipTime() throws {
        if self.cursor.next == UInt8(ascii: "\"") {
            _ = try self.cursor.string()
        } else if let byte = self.cursor.next, byte == UInt8(ascii: "-") || byte.isDigit {
            _ = try self.cursor.number()
        } else {
            throw ServiceError.bodyInvalid("Value of __time__ is neither a number nor a string.")
        }
    }

    // MARK: - Members

    /// Reads an object whose names obey the rules for keys; `member` has to consume the value.
    private mutating func object(
        _ place: String,
        member: (inout Self, JSONCursor.Text) throws -> Void
    ) throws {
        guard self.cursor.consume(UInt8(ascii: "{")) else {
            throw ServiceError.bodyInvalid("Value in \(place) is not object data type.")
        }
        self.names.removeAll()
        self.cursor.skipWhitespace()
        if self.cursor.consume(UInt8(ascii: "}")) { return }
        var count = 0
        repeat {
            count += 1
            guard count <= self.limits.fields else {
                throw ServiceError.bodyInvalid("An object in \(place) has over \(self.limits.fields) members.")
            }
            let name = try self.memberName()
            guard (1...self.limits.keyBytes).contains(name.decodedCount) else {
                throw ServiceError.keyInvalid("A key has to be of 1 to \(self.limits.keyBytes) bytes.")
            }
            guard self.names.insert(self.cursor.decodedBytes(name)) else { throw self.duplicate(name) }
            try member(&self, name)
            self.cursor.skipWhitespace()
        } while self.cursor.consume(UInt8(ascii: ","))
        try self.cursor.expect(UInt8(ascii: "}"))
    }

    /// Reads up to where the value begins.
    private mutating func memberName() throws -> JSONCursor.Text {
        self.cursor.skipWhitespace()
        let name = try self.cursor.string()
        self.cursor.skipWhitespace()
        try self.cursor.expect(UInt8(ascii: ":"))
        self.cursor.skipWhitespace()
        return name
    }

    private mutating func value(in place: String) throws -> JSONCursor.Text {
        guard self.cursor.next == UInt8(ascii: "\"") else {
            throw ServiceError.bodyInvalid("Value in \(place) is not string data type.")
        }
        let text = try self.cursor.string()
        guard text.decodedCount <= self.limits.valueBytes else {
            throw ServiceError.bodyInvalid("A value in \(place) is over \(self.limits.valueBytes) bytes.")
        }
        return text
    }

    private func duplicate(_ name: JSONCursor.Text) -> ServiceError {
        .bodyInvalid("The key \(self.cursor.decodedString(name)) occurs twice.")
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A parsed JSON text, for settings and for answers of a server: strict, with a limit on depth, without Foundation.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number, as it is written in the text.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// The members in their order, with duplicates.
    case object([(name: String, value: JSONValue)])

    package struct ParseError: Error {
        /// The position of the byte that is not allowed.
        package var offset: Int
    }

    /// Parses the one value in `bytes`. Throws ``ParseError`` for anything that RFC 8259 does not allow.
    package static func parse(_ bytes: [UInt8]) throws -> JSONValue {
        try bytes.withUnsafeBufferPointer { bytes in
            var parser = JSONParser(bytes: bytes)
            let value = try parser.value(depth: 0)
            parser.skipSpace()
            guard parser.position == bytes.count else { throw ParseError(offset: parser.position) }
            return value
        }
    }
}

extension [(name: String, value: JSONValue)] {
    /// The first member of a name, if it is a string.
    func text(_ name: String) -> String? {
        guard case .string(let text)? = self.first(where: { $0.name == name })?.value else { return nil }
        return text
    }
}

private struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    // The parser calls itself for each level, and a text from outside must not exhaust the stack.
    private static let deepest = 100

    private var failure: JSONValue.ParseError { .init(offset: self.position) }

    private var peek: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    mutating func skipSpace() {
        while let byte = self.peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.position += 1 }
    }

    /// Moves past `byte` if it is the next one; `false` if not.
    private mutating func skip(_ byte: UInt8) -> Bool {
        guard self.peek == byte else { return false }
        self.position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard self.skip(byte) else { throw self.failure }
    }

    private mutating func expect(word: StaticString) throws {
        for index in 0..<word.utf8CodeUnitCount { try self.expect(word.utf8Start[index]) }
    }

    mutating func value(depth: Int) throws -> JSONValue {
        guard depth < Self.deepest else { throw self.failure }
        self.skipSpace()
        switch self.peek {
        case UInt8(ascii: "{"): return try self.object(depth: depth)
        case UInt8(ascii: "["): return try self.array(depth: depth)
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"):
            try self.expect(word: "true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try self.expect(word: "false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try self.expect(word: "null")
            return .null
        default: return .number(try self.number())
        }
    }

    private mutating func object(depth: Int) throws -> JSONValue {
        var members: [(name: String, value: JSONValue)] = []
        try self.elements(until: UInt8(ascii: "}")) { parser in
            parser.skipSpace()
            let name = try parser.string()
            parser.skipSpace()
            try parser.expect(UInt8(ascii: ":"))
            members.append((name, try parser.value(depth: depth + 1)))
        }
        return .object(members)
    }

    private mutating func array(depth: Int) throws -> JSONValue {
        var values: [JSONValue] = []
        try self.elements(until: UInt8(ascii: "]")) { values.append(try $0.value(depth: depth + 1)) }
        return .array(values)
    }

    /// Moves past the opening, reads elements with commas between them, and moves past `end`.
    private mutating func elements(until end: UInt8, _ read: (inout JSONParser) throws -> Void) throws {
        self.position += 1
        self.skipSpace()
        if self.skip(end) { return }
        repeat {
            try read(&self)
            self.skipSpace()
        } while self.skip(UInt8(ascii: ","))
        try self.expect(end)
    }

    private mutating func digits() throws {
        guard let first = self.peek, (0x30...0x39).contains(first) else { throw self.failure }
        while let byte = self.peek, (0x30...0x39).contains(byte) { self.position += 1 }
    }

    private mutating func number() throws -> String {
        let start = self.position
        _ = self.skip(UInt8(ascii: "-"))
        // No digit may follow a zero in front (RFC 8259, section 6).
        if !self.skip(UInt8(ascii: "0")) { try self.digits() }
        if self.skip(UInt8(ascii: ".")) { try self.digits() }
        if self.skip(UInt8(ascii: "e")) || self.skip(UInt8(ascii: "E")) {
            _ = self.skip(UInt8(ascii: "+")) || self.skip(UInt8(ascii: "-"))
            try self.digits()
        }
        return String(decoding: self.bytes[start..<self.position], as: UTF8.self)
    }

    private mutating func string() throws -> String {
        try self.expect(UInt8(ascii: "\""))
        var text: [UInt8] = []
        while let byte = self.peek {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw self.failure }
                return string
            case UInt8(ascii: "\\"): try self.escape(into: &text)
            case ..<0x20: throw self.failure
            default: text.append(byte)
            }
        }
        throw self.failure
    }

    /// Decodes the escape whose backslash was read.
    private mutating func escape(into text: inout [UInt8]) throws {
        let start = self.position - 1
        let (scalar, count) = JSONEscape.decode(in: UnsafeRawBufferPointer(self.bytes), at: start)
        self.position = start + count
        guard let scalar else { throw self.failure }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}

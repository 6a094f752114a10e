// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A parsed JSON text, for what comes back from a server: strict, bounded in depth, without Foundation.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number as it is written.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// Members in their order, duplicates included.
    case object([(name: String, value: JSONValue)])

    package struct ParseError: Error {
        /// The position of the byte that does not fit.
        package var offset: Int
    }

    /// The one value in `bytes`; throws ``ParseError`` for anything that RFC 8259 does not allow.
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

private struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    private static let deepest = 100

    init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    private var failure: JSONValue.ParseError { .init(offset: self.position) }

    private var peek: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    mutating func skipSpace() {
        while let byte = self.peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.position += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard self.peek == byte else { throw self.failure }
        self.position += 1
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
        try self.expect(UInt8(ascii: "{"))
        var members: [(name: String, value: JSONValue)] = []
        self.skipSpace()
        if self.peek == UInt8(ascii: "}") {
            self.position += 1
            return .object(members)
        }
        while true {
            self.skipSpace()
            let name = try self.string()
            self.skipSpace()
            try self.expect(UInt8(ascii: ":"))
            members.append((name, try self.value(depth: depth + 1)))
            self.skipSpace()
            if self.peek == UInt8(ascii: ",") {
                self.position += 1
                continue
            }
            try self.expect(UInt8(ascii: "}"))
            return .object(members)
        }
    }

    private mutating func array(depth: Int) throws -> JSONValue {
        try self.expect(UInt8(ascii: "["))
        var values: [JSONValue] = []
        self.skipSpace()
        if self.peek == UInt8(ascii: "]") {
            self.position += 1
            return .array(values)
        }
        while true {
            values.append(try self.value(depth: depth + 1))
            self.skipSpace()
            if self.peek == UInt8(ascii: ",") {
                self.position += 1
                continue
            }
            try self.expect(UInt8(ascii: "]"))
            return .array(values)
        }
    }

    private mutating func digits() throws {
        guard let first = self.peek, (0x30...0x39).contains(first) else { throw self.failure }
        while let byte = self.peek, (0x30...0x39).contains(byte) { self.position += 1 }
    }

    private mutating func number() throws -> String {
        let start = self.position
        if self.peek == UInt8(ascii: "-") { self.position += 1 }
        if self.peek == UInt8(ascii: "0") { self.position += 1 } else { try self.digits() }
        if self.peek == UInt8(ascii: ".") {
            self.position += 1
            try self.digits()
        }
        if self.peek == UInt8(ascii: "e") || self.peek == UInt8(ascii: "E") {
            self.position += 1
            if self.peek == UInt8(ascii: "+") || self.peek == UInt8(ascii: "-") { self.position += 1 }
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

    private mutating func escape(into text: inout [UInt8]) throws {
        guard let byte = self.peek else { throw self.failure }
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try self.hex()
            if (0xD800..<0xDC00).contains(scalar) {
                try self.expect(UInt8(ascii: "\\"))
                try self.expect(UInt8(ascii: "u"))
                let low = try self.hex()
                guard (0xDC00..<0xE000).contains(low) else { throw self.failure }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw self.failure }
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw self.failure
        }
    }

    private mutating func hex() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw self.failure
            }
            self.position += 1
            value = value << 4 + UInt32(digit)
        }
        return value
    }
}

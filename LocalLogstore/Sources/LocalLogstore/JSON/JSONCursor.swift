// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259) token by token, from bytes that are known to be UTF-8.
///
/// Foundation's parser hides duplicate members and rewrites numbers; the endpoint has to see both.
/// Every method throws a ``JSONSyntaxError`` at the first byte that does not fit, and then must not be used further.
package struct JSONCursor {
    /// A string as it stands in the text.
    package struct Text {
        /// The bytes between the quotes.
        package var range: Range<Int>
        package var hasEscapes: Bool
        /// The length once escapes are resolved, in bytes of UTF-8.
        package var decodedCount: Int
    }

    package let bytes: [UInt8]
    package private(set) var position = 0
    /// Whether half a surrogate pair stands for U+FFFD, and a name that is there already gets a number: faults of writers
    /// that RFC 8259 has a word for, but does not forbid.
    let mends: Bool
    /// How much was mended.
    private(set) var mendCount = 0

    package init(_ bytes: [UInt8], mends: Bool = false) {
        self.bytes = bytes
        self.mends = mends
    }

    mutating func noteMend() { self.mendCount += 1 }

    /// Whether the text is used up.
    package var isAtEnd: Bool { self.position == self.bytes.count }

    /// The next byte, not consumed; `nil` at the end.
    package var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    package func failure(_ reason: String) -> JSONSyntaxError {
        JSONSyntaxError(offset: self.position, reason: reason)
    }

    package mutating func skipWhitespace() {
        while let byte = self.next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            self.position += 1
        }
    }

    /// Consumes `byte` if it comes next, and says whether it did.
    package mutating func consume(_ byte: UInt8) -> Bool {
        guard self.next == byte else { return false }
        self.position += 1
        return true
    }

    package mutating func expect(_ byte: UInt8) throws(JSONSyntaxError) {
        guard self.consume(byte) else {
            throw self.failure("expected \"\(Character(UnicodeScalar(byte)))\"")
        }
    }

    /// Consumes `true`, `false` or `null`.
    package mutating func expectLiteral(_ literal: StaticString) throws(JSONSyntaxError) {
        for index in 0..<literal.utf8CodeUnitCount where !self.consume(literal.utf8Start[index]) {
            throw self.failure("expected \(literal)")
        }
    }

    // MARK: - Strings

    package mutating func string() throws(JSONSyntaxError) -> Text {
        guard self.consume(UInt8(ascii: "\"")) else { throw self.failure("expected a string") }
        let start = self.position
        var saved = 0
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            if byte == UInt8(ascii: "\"") {
                let range = start..<self.position
                self.position += 1
                return Text(range: range, hasEscapes: saved > 0, decodedCount: range.count - saved)
            }
            if byte == UInt8(ascii: "\\") {
                let before = self.position
                let decoded = try self.escape()
                saved += self.position - before - decoded
            } else if byte < 0x20 {
                throw self.failure("control character in a string")
            } else {
                self.position += 1
            }
        }
        throw self.failure("string without an end")
    }

    /// Consumes one escape (a surrogate pair counts as one) and returns how many bytes of UTF-8 it stands for.
    private mutating func escape() throws(JSONSyntaxError) -> Int {
        self.position += 1
        guard let kind = self.next else { throw self.failure("escape without an end") }
        self.position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 1
        case UInt8(ascii: "u"):
            let unit = try self.hexadecimalUnit()
            if UTF16.isTrailSurrogate(unit) { return try self.half("low surrogate on its own") }
            guard UTF16.isLeadSurrogate(unit) else { return unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3 }
            let end = self.position
            guard self.consume(UInt8(ascii: "\\")), self.consume(UInt8(ascii: "u")),
                UTF16.isTrailSurrogate(try self.hexadecimalUnit())
            else {
                self.position = end
                return try self.half("high surrogate on its own")
            }
            return 4
        default:
            throw self.failure("unknown escape")
        }
    }

    /// What half a pair stands for, in bytes.
    private mutating func half(_ reason: String) throws(JSONSyntaxError) -> Int {
        guard self.mends else { throw self.failure(reason) }
        self.mendCount += 1
        return 3
    }

    private mutating func hexadecimalUnit() throws(JSONSyntaxError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = self.next, let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
                throw self.failure("expected a hexadecimal digit")
            }
            unit = unit << 4 | UInt16(digit)
            self.position += 1
        }
        return unit
    }

    // MARK: - Numbers

    /// Consumes a number and returns where it stands; its text is the value.
    package mutating func number() throws(JSONSyntaxError) -> Range<Int> {
        let start = self.position
        _ = self.consume(UInt8(ascii: "-"))
        if !self.consume(UInt8(ascii: "0")) { try self.digits() }
        if self.consume(UInt8(ascii: ".")) { try self.digits() }
        if self.consume(UInt8(ascii: "e")) || self.consume(UInt8(ascii: "E")) {
            if !self.consume(UInt8(ascii: "+")) { _ = self.consume(UInt8(ascii: "-")) }
            try self.digits()
        }
        return start..<self.position
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = self.position
        while let byte = self.next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { self.position += 1 }
        if self.position == start { throw self.failure("expected a digit") }
    }
}

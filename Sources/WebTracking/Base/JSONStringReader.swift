// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// A string in JSON: where its bytes between the quotes are, and how many bytes it has once decoded.
struct JSONStringToken {
    var start: Int
    var count: Int
    var decodedCount: Int
}

/// Reads the few kinds of JSON in a batch: strings, flat objects of strings, and the bytes between them.
///
/// Invariant: `0 <= position <= bytes.count`. It reads nothing past `bytes`, and is valid only as long as they are.
struct JSONStringReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { self.position == self.bytes.count }

    /// Moves past `byte` if it is the next one; `false` if not.
    @inline(__always)
    mutating func skip(_ byte: UInt8) -> Bool {
        guard self.position < self.bytes.count, self.bytes[self.position] == byte else { return false }
        self.position += 1
        return true
    }

    /// Moves past the line feed between two records, if it is next.
    @inline(__always)
    mutating func skipLineFeed() {
        _ = self.skip(UInt8(ascii: "\n"))
    }

    /// Reads a flat object of strings, and appends its names and values in turn; `false` if there is something else.
    mutating func object(into strings: inout [JSONStringToken]) -> Bool {
        guard self.skip(UInt8(ascii: "{")) else { return false }
        if self.skip(UInt8(ascii: "}")) { return true }
        repeat {
            guard let name = self.string(), self.skip(UInt8(ascii: ":")), let value = self.string() else {
                return false
            }
            strings.append(name)
            strings.append(value)
        } while self.skip(UInt8(ascii: ","))
        return self.skip(UInt8(ascii: "}"))
    }

    /// Reads the string that begins here; `nil` if none begins, it does not end, or an escape is not JSON's.
    mutating func string() -> JSONStringToken? {
        guard self.skip(UInt8(ascii: "\"")) else { return nil }
        let start = self.position
        var saved = 0
        while self.position < self.bytes.count {
            self.skipPlain()
            guard self.position < self.bytes.count else { return nil }
            if self.skip(UInt8(ascii: "\"")) {
                let count = self.position - 1 - start
                return JSONStringToken(start: start, count: count, decodedCount: count - saved)
            }
            if self.bytes[self.position] == UInt8(ascii: "\\") {
                guard let escape = Self.escape(in: self.bytes, at: self.position) else { return nil }
                self.position += escape.count
                saved += escape.count - UTF8.width(escape.scalar)
            } else {
                self.position += 1
            }
        }
        return nil
    }

    /// Skips plain bytes, eight at a time: up to a byte that may be a quote or a backslash, or to the last seven bytes.
    @inline(__always)
    private mutating func skipPlain() {
        while self.position &+ 8 <= self.bytes.count {
            // Little-endian on every platform, so that the lowest mark stands for the first byte.
            let word = UInt64(
                littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.position, as: UInt64.self)
            )
            let marks = JSONEscape.bytesToEscape(in: word)
            if marks != 0 {
                self.position &+= marks.trailingZeroBitCount >> 3
                return
            }
            self.position &+= 8
        }
    }

    /// The bytes of a string, with its escapes.
    func bytes(_ token: JSONStringToken) -> Slice<UnsafeRawBufferPointer> {
        self.bytes[token.start..<token.start + token.count]
    }

    /// The text of a string, with its escapes.
    func text(_ token: JSONStringToken) -> String {
        String(decoding: self.bytes(token), as: UTF8.self)
    }

    /// Whether a string, with its escapes, has exactly these bytes.
    @inline(__always)
    func matches(_ token: JSONStringToken, _ text: [UInt8]) -> Bool {
        token.count == text.count && self.bytes(token).elementsEqual(text)
    }

    /// Decodes a string and appends it: as many bytes as `decodedCount` says.
    func decode(_ token: JSONStringToken, to writer: inout ByteWriter) {
        var rest = self.bytes(token)
        guard token.decodedCount != token.count else {
            writer.append(UnsafeRawBufferPointer(rebasing: rest))
            return
        }
        while let start = rest.firstIndex(of: UInt8(ascii: "\\")),
            let escape = Self.escape(in: self.bytes, at: start)
        {
            writer.append(UnsafeRawBufferPointer(rebasing: rest[..<start]))
            for byte in UTF8.encode(escape.scalar) ?? UTF8.encodedReplacementCharacter { writer.append(byte) }
            rest = rest[(start + escape.count)...]
        }
        writer.append(UnsafeRawBufferPointer(rebasing: rest))
    }

    /// Decodes the escape at `start`, and counts its bytes; `nil` if JSON has no such escape.
    private static func escape(
        in bytes: UnsafeRawBufferPointer,
        at start: Int
    ) -> (scalar: Unicode.Scalar, count: Int)? {
        guard start + 1 < bytes.count else { return nil }
        switch bytes[start + 1] {
        case UInt8(ascii: "\""): return ("\"", 2)
        case UInt8(ascii: "\\"): return ("\\", 2)
        case UInt8(ascii: "/"): return ("/", 2)
        case UInt8(ascii: "b"): return ("\u{08}", 2)
        case UInt8(ascii: "f"): return ("\u{0C}", 2)
        case UInt8(ascii: "n"): return ("\n", 2)
        case UInt8(ascii: "r"): return ("\r", 2)
        case UInt8(ascii: "t"): return ("\t", 2)
        case UInt8(ascii: "u"):
            guard let unit = self.hexadecimal(in: bytes, at: start + 2) else { return nil }
            if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
            guard (0xD800..<0xDC00).contains(unit), start + 7 < bytes.count,
                bytes[start + 6] == UInt8(ascii: "\\"), bytes[start + 7] == UInt8(ascii: "u"),
                let low = self.hexadecimal(in: bytes, at: start + 8), (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { return nil }
            return (scalar, 12)
        default: return nil
        }
    }

    private static func hexadecimal(in bytes: UnsafeRawBufferPointer, at start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        return bytes[start..<start + 4].reduce(UInt32?(0)) { value, byte in
            guard let value, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            return value << 4 | UInt32(digit)
        }
    }
}

#endif

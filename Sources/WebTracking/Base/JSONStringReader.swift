// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// A string in JSON: the place of its bytes between the quotes, and its length after decoding.
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

    /// Moves past a line feed if it is next: one stands between two records.
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
                let (scalar, count) = JSONEscape.decode(in: self.bytes, at: self.position)
                guard let scalar else { return nil }
                self.position += count
                saved += count - UTF8.width(scalar)
            } else {
                self.position += 1
            }
        }
        return nil
    }

    /// Skips plain bytes, eight at a time. Stops at a byte that may be a quote or a backslash, and before the last
    /// seven bytes.
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
        while let start = rest.firstIndex(of: UInt8(ascii: "\\")) {
            let (scalar, count) = JSONEscape.decode(in: self.bytes, at: start)
            guard let scalar else { break }
            writer.append(UnsafeRawBufferPointer(rebasing: rest[..<start]))
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { writer.append(byte) }
            rest = rest[(start + count)...]
        }
        writer.append(UnsafeRawBufferPointer(rebasing: rest))
    }
}

#endif

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// JSON's string escapes, sixteen bytes at a time.
enum JSONEscape {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The bytes that `count` bytes may need: six for each (`\u001f`), and the width of the last store.
    @inline(__always)
    static func room(for count: Int) -> Int { count &* 6 &+ 16 }

    /// Writes `count` bytes of UTF-8 from `source` to `target`, escaped, and returns how many bytes were written.
    ///
    /// Invariant: `source` has `count` readable bytes, and `target` has ``room(for:)`` them.
    static func write(
        _ source: UnsafeRawPointer,
        count: Int,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        var read = 0
        var written = 0
        while read &+ 16 <= count {
            let words = source.loadUnaligned(fromByteOffset: read, as: SIMD2<UInt64>.self)
            target.storeBytes(of: words, toByteOffset: written, as: SIMD2<UInt64>.self)
            let clean = Self.cleanBytes(in: words)
            read &+= clean
            written &+= clean
            if clean < 16 {
                written &+= Self.escape(
                    source.load(fromByteOffset: read, as: UInt8.self),
                    to: (target + written).assumingMemoryBound(to: UInt8.self)
                )
                read &+= 1
            }
        }
        // The last sixteen bytes, some of them for the second time: if none needs an escape, storing them again changes
        // nothing.
        if read < count && count >= 16 {
            let words = source.loadUnaligned(fromByteOffset: count &- 16, as: SIMD2<UInt64>.self)
            if Self.cleanBytes(in: words) == 16 {
                let end = written &+ count &- read
                target.storeBytes(of: words, toByteOffset: end &- 16, as: SIMD2<UInt64>.self)
                return end
            }
        }
        while read < count {
            let rest = count &- read
            // Fill the word with spaces, which need no escape. The next store overwrites them.
            let word =
                rest >= 8
                ? UInt64(littleEndian: source.loadUnaligned(fromByteOffset: read, as: UInt64.self))
                : ShortLoad.word(source + read, count: rest) | (Self.ones &* 0x20) &<< UInt64(rest &* 8)
            target.storeBytes(of: word.littleEndian, toByteOffset: written, as: UInt64.self)
            let marks = Self.bytesToEscape(in: word)
            if marks == 0 {
                let step = min(rest, 8)
                read &+= step
                written &+= step
                continue
            }
            // The bytes before the first mark are in place already.
            let clean = marks.trailingZeroBitCount >> 3
            read &+= clean
            written &+= clean
            written &+= Self.escape(
                source.load(fromByteOffset: read, as: UInt8.self),
                to: (target + written).assumingMemoryBound(to: UInt8.self)
            )
            read &+= 1
        }
        return written
    }

    /// The number of bytes before the first one that must be escaped.
    @inline(__always)
    private static func cleanBytes(in words: SIMD2<UInt64>) -> Int {
        let first = Self.bytesToEscape(in: UInt64(littleEndian: words[0]))
        let second = Self.bytesToEscape(in: UInt64(littleEndian: words[1]))
        if first | second == 0 { return 16 }
        return first != 0 ? first.trailingZeroBitCount >> 3 : 8 &+ second.trailingZeroBitCount >> 3
    }

    /// Marks the bytes of the little-endian `word` that must be escaped, with their high bit. The lowest mark is exact.
    /// Above it, a borrow may set wrong marks, so ``escape(_:to:)`` also takes bytes that need no escape.
    @inline(__always)
    static func bytesToEscape(in word: UInt64) -> UInt64 {
        let quotes = word ^ (Self.ones &* 0x22)
        let backslashes = word ^ (Self.ones &* 0x5C)
        let controls = (word &- Self.ones &* 0x20) & ~word
        return (controls | ((quotes &- Self.ones) & ~quotes) | ((backslashes &- Self.ones) & ~backslashes)) & Self.highs
    }

    /// Marks the bytes of `word` that are not ASCII, with their high bit.
    @inline(__always)
    static func bytesOutsideASCII(in word: UInt64) -> UInt64 { word & Self.highs }

    /// Writes one byte, escaped if it must be, and returns how many bytes were written.
    private static func escape(_ byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let short: UInt8
        switch byte {
        case 0x22, 0x5C: short = byte
        case 0x08: short = UInt8(ascii: "b")
        case 0x09: short = UInt8(ascii: "t")
        case 0x0A: short = UInt8(ascii: "n")
        case 0x0C: short = UInt8(ascii: "f")
        case 0x0D: short = UInt8(ascii: "r")
        case 0x20...:
            target[0] = byte
            return 1
        default:
            target[0] = UInt8(ascii: "\\")
            target[1] = UInt8(ascii: "u")
            target[2] = UInt8(ascii: "0")
            target[3] = UInt8(ascii: "0")
            target[4] = (byte >> 4).hexadecimalDigit
            target[5] = (byte & 15).hexadecimalDigit
            return 6
        }
        target[0] = UInt8(ascii: "\\")
        target[1] = short
        return 2
    }

    /// Decodes the escape with its backslash at `start`, and counts its bytes. If JSON has no such escape, there is no
    /// scalar, and the count is that of the bytes up to the mistake.
    static func decode(in bytes: UnsafeRawBufferPointer, at start: Int) -> (scalar: Unicode.Scalar?, count: Int) {
        guard start + 1 < bytes.count else { return (nil, 1) }
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
            let (unit, count) = self.hexadecimal(bytes[(start + 2)...])
            guard let unit else { return (nil, 2 + count) }
            guard (0xD800..<0xDC00).contains(unit) else { return (Unicode.Scalar(unit), 6) }
            // A scalar beyond 16 bits is escaped as two (RFC 8259, section 7).
            let rest = bytes[(start + 6)...]
            guard rest.first == UInt8(ascii: "\\") else { return (nil, 6) }
            guard rest.dropFirst().first == UInt8(ascii: "u") else { return (nil, 7) }
            let (low, lowCount) = self.hexadecimal(rest.dropFirst(2))
            guard let low, (0xDC00..<0xE000).contains(low) else { return (nil, 8 + lowCount) }
            return (Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)), 12)
        default: return (nil, 2)
        }
    }

    /// The number that four hexadecimal digits are; `nil`, and how many there are, if there are fewer.
    private static func hexadecimal(_ bytes: Slice<UnsafeRawBufferPointer>) -> (value: UInt32?, count: Int) {
        let digits = bytes.prefix(4).prefix { Character(Unicode.Scalar($0)).isHexDigit }
        guard digits.count == 4 else { return (nil, digits.count) }
        return (UInt32(String(decoding: digits, as: UTF8.self), radix: 16), 4)
    }
}

/// Loads of fewer than eight bytes that never read past the end.
enum ShortLoad {
    /// The `count` bytes (1 to 7) at `source` as a little-endian number.
    @inline(__always)
    static func word(_ source: UnsafeRawPointer, count: Int) -> UInt64 {
        if count >= 4 {
            // Two loads that overlap.
            let head = UInt64(UInt32(littleEndian: source.loadUnaligned(as: UInt32.self)))
            let tail = UInt64(UInt32(littleEndian: source.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)))
            return head | tail &<< UInt64((count &- 4) &* 8)
        }
        let middle = count >> 1
        let first = UInt64(source.load(as: UInt8.self))
        let second = UInt64(source.load(fromByteOffset: middle, as: UInt8.self))
        let last = UInt64(source.load(fromByteOffset: count &- 1, as: UInt8.self))
        return first | second &<< UInt64(middle &* 8) | last &<< UInt64((count &- 1) &* 8)
    }
}

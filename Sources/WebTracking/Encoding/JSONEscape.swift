//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// JSON's string escapes, eight bytes at a time.
enum JSONEscape {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Writes `count` bytes of UTF-8 from `source` to `target`, escaped, and returns how many bytes were written.
    ///
    /// Invariant: `source` has `count` readable bytes, and `target` has room for `6 * count + 8`: a byte becomes six at
    /// the most (`\u001f`), and the last eight-byte store may run past the last byte that counts.
    static func write(
        _ source: UnsafePointer<UInt8>,
        count: Int,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let start = UnsafeRawPointer(source)
        var read = 0
        var written = 0
        while read &+ 8 <= count {
            let word = start.loadUnaligned(fromByteOffset: read, as: UInt64.self)
            UnsafeMutableRawPointer(target).storeBytes(of: word, toByteOffset: written, as: UInt64.self)
            let marks = Self.bytesToEscape(in: word)
            if marks == 0 {
                read &+= 8
                written &+= 8
                continue
            }
            // The bytes before the first mark are in place already.
            let clean = marks.trailingZeroBitCount >> 3
            read &+= clean
            written &+= clean
            written &+= Self.escape(source[read], to: target + written)
            read &+= 1
        }
        while read < count {
            let byte = source[read]
            read &+= 1
            if byte >= 0x20 && byte != 0x22 && byte != 0x5C {
                target[written] = byte
                written &+= 1
            } else {
                written &+= Self.escape(byte, to: target + written)
            }
        }
        return written
    }

    /// Marks, with their high bit, the bytes of `word` that must be escaped. The lowest mark is exact; a borrow can set
    /// marks above it that are not, which is why ``escape(_:to:)`` takes any byte.
    @inline(__always)
    private static func bytesToEscape(in word: UInt64) -> UInt64 {
        let little = UInt64(littleEndian: word)
        let quotes = little ^ (Self.ones &* 0x22)
        let backslashes = little ^ (Self.ones &* 0x5C)
        let controls = (little &- Self.ones &* 0x20) & ~little
        return (controls | ((quotes &- Self.ones) & ~quotes) | ((backslashes &- Self.ones) & ~backslashes)) & Self.highs
    }

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
            target[4] = (byte >> 4) + 0x30
            let low = byte & 15
            target[5] = low < 10 ? low + 0x30 : low + 0x57
            return 6
        }
        target[0] = UInt8(ascii: "\\")
        target[1] = short
        return 2
    }
}

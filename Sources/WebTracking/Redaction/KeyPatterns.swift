//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// The names that redaction's rules are for, and a quick no for keys that none of them concerns: one look into a table for
/// each part of a key, at its last four bytes.
///
/// Invariant: `endings` owns the words of the table, which are written during the initialiser only.
final class KeyPatterns: Sendable {
    /// A name or an ending.
    struct Pattern: Sendable {
        /// In lower case, without hyphens and underscores, the last byte first.
        let reversed: [UInt8]
        let isSuffix: Bool
        /// Whether it is for the whole key, dots and all.
        let isWhole: Bool
        /// The place of the pattern's rule among all rules.
        let rule: Int

        init(_ name: String, isSuffix: Bool, rule: Int = 0) {
            self.reversed = name.utf8.reversed().filter { !KeyPatterns.isIgnored($0) }.map(KeyPatterns.folded)
            self.isSuffix = isSuffix
            self.isWhole = name.utf8.contains(UInt8(ascii: "."))
            self.rule = rule
        }

        @inline(__always)
        func matches(part: UnsafeRawBufferPointer) -> Bool {
            // By places, since a slice that shrinks may allocate.
            var matched = 0
            var position = part.count
            while position > 0 {
                position &-= 1
                let byte = part[position]
                if KeyPatterns.isIgnored(byte) { continue }
                if matched == self.reversed.count { return self.isSuffix }
                if self.reversed[matched] != KeyPatterns.folded(byte) { return false }
                matched &+= 1
            }
            return matched == self.reversed.count
        }
    }

    /// In the order of their rules.
    private let patterns: [Pattern]
    /// A table with a bit for each hash of the four bytes that a part of a key may end with, folded to five bits each.
    typealias Endings = UnsafePointer<UInt64>

    /// A pointer, since looking into an array costs the counting of a reference for each key.
    nonisolated(unsafe) let endings: Endings

    private static let words = 512

    init(_ patterns: [Pattern]) {
        self.patterns = patterns
        let words = UnsafeMutablePointer<UInt64>.allocate(capacity: Self.words)
        words.initialize(repeating: 0, count: Self.words)
        for pattern in patterns { Self.insert(pattern, position: 0, ending: 0, at: 0, into: words) }
        self.endings = Endings(words)
    }

    deinit { self.endings.deallocate() }

    /// Inserts the endings that begin, from behind, with the `length` bytes in `ending`, of which `position` are the pattern's.
    private static func insert(
        _ pattern: Pattern,
        position: Int,
        ending: UInt32,
        at length: Int,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        guard length < 4 else {
            words[self.index(ending) >> 6] |= 1 << UInt64(self.index(ending) & 63)
            return
        }
        func insert(_ byte: UInt8, position: Int) {
            let ending = ending | UInt32(byte & 31) << UInt32(24 - 8 * length)
            self.insert(pattern, position: position, ending: ending, at: length + 1, into: words)
        }
        insert(UInt8(ascii: "-"), position: position)
        insert(UInt8(ascii: "_"), position: position)
        // Of a pattern for a whole key, only the last part can be looked at.
        if position < pattern.reversed.count && pattern.reversed[position] != UInt8(ascii: ".") {
            insert(pattern.reversed[position], position: position + 1)
        } else if pattern.isSuffix && !pattern.isWhole {
            for byte in 0...31 as ClosedRange<UInt8> { insert(byte, position: position) }
        } else {
            insert(0, position: position)
        }
    }

    /// The first rule with a pattern that is for a key, or for a part of it; `nil` if there is none.
    @inline(never)
    func firstRule(for key: UnsafeRawBufferPointer) -> Int? {
        self.patterns.withUnsafeBufferPointer { patterns in
            var first = patterns.first { $0.isWhole && $0.matches(part: key) }?.rule
            // The parts are separated by dots.
            var start = 0
            for end in 0...key.count where end == key.count || key[end] == UInt8(ascii: ".") {
                let part = UnsafeRawBufferPointer(rebasing: key[start..<end])
                start = end + 1
                guard let last = part.last(where: { !Self.isIgnored($0) }).map(Self.folded) else { continue }
                for index in patterns.indices where patterns[index].reversed.first == last {
                    if let first, first < patterns[index].rule { break }
                    if !patterns[index].isWhole && patterns[index].matches(part: part) {
                        first = patterns[index].rule
                        break
                    }
                }
            }
            return first
        }
    }

    /// Whether the part of a key between these places may be one that a pattern is for; `false` is certain.
    @inline(__always)
    static func mayEnd(_ endings: Endings, _ base: UnsafeRawPointer, from start: Int, to end: Int) -> Bool {
        let length = end &- start
        let bytes: UInt32
        if length >= 4 {
            bytes = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: end &- 4, as: UInt32.self))
        } else if length > 0 {
            let word = UInt32(truncatingIfNeeded: ShortLoad.word(base + start, count: length))
            bytes = word &<< UInt32((4 &- length) &* 8)
        } else {
            bytes = 0
        }
        let index = Self.index(bytes & 0x1F1F_1F1F)
        return endings[index >> 6] & (1 &<< UInt64(index & 63)) != 0
    }

    /// The place of an ending's bit, from 0 to 32,767.
    @inline(__always)
    private static func index(_ ending: UInt32) -> Int { Int((ending &* 0x9E37_79B1) >> 17) }

    /// Marks, with their high bit, the bytes of `word` that are dots, and no others.
    @inline(__always)
    static func dots(in word: UInt64) -> UInt64 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        let differences = word ^ 0x2E2E_2E2E_2E2E_2E2E
        return ~((differences & low) &+ low | differences | low)
    }

    static func folded(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    @inline(__always)
    static func isIgnored(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The names that redaction's rules are for, and a quick no for keys that none of them concerns: one look into a table for
/// each part of a key, at its last four bytes. Only a part that passes is compared with the names.
///
/// Invariant: `endings`, `entries`, `starts` and `letters` own what they point to, which is written during the initialiser
/// only; an entry's letters lie in `letters`, and its place lies between those of `starts` for its last byte and the next.
final class KeyPatterns: Sendable {
    /// A name or an ending in ASCII.
    struct Pattern: Sendable {
        /// In lower case, without hyphens and underscores, the last byte first.
        let reversed: [UInt8]
        /// By the number of bytes matched: whether a word of the name begins there, so that a dot may stand before it.
        fileprivate let words: [Bool]
        let isSuffix: Bool
        /// Whether its name has dots, and so begins where the key begins.
        let isWhole: Bool
        /// Whether it names a number at its end; otherwise those of keys do not count.
        let isNumbered: Bool
        /// The place of the pattern's rule among all rules.
        let rule: Int

        init(_ name: String, isSuffix: Bool, rule: Int = 0) {
            var reversed: [UInt8] = []
            var words: [Bool] = []
            let isWhole = name.utf8.contains(UInt8(ascii: "."))
            for byte in name.utf8.reversed() {
                if KeyPatterns.isIgnored(byte) {
                    if !words.isEmpty { words[words.count - 1] = !isWhole }
                } else {
                    reversed.append(KeyPatterns.folded(byte))
                    words.append(false)
                }
            }
            // In front of the first word there is none.
            if !words.isEmpty { words[words.count - 1] = false }
            self.reversed = reversed
            self.words = words
            self.isSuffix = isSuffix
            self.isWhole = isWhole
            self.isNumbered = reversed.first.map(KeyPatterns.isDigit) ?? false
            self.rule = rule
        }

        fileprivate func mayHaveDot(after matched: Int) -> Bool { matched > 0 && self.words[matched - 1] }
    }

    /// A pattern as it is compared with keys: numbers only, since counting references costs more than comparing.
    private struct Entry {
        /// Where its letters begin, and how many there are.
        var start: Int
        var count: Int
        var isSuffix: Bool
        var isWhole: Bool
        var isNumbered: Bool
        var rule: Int
    }

    /// The patterns by their last byte, and in the order of their rules.
    nonisolated(unsafe) private let entries: UnsafePointer<Entry>
    /// Where those with each last byte begin, and where the last of them end.
    nonisolated(unsafe) private let starts: UnsafePointer<Int>
    /// The letters of all of them, the last first; with the ninth bit, a dot may stand before a letter.
    nonisolated(unsafe) private let letters: UnsafePointer<UInt16>
    /// Those that are not in ASCII, in the order of their rules.
    private let others: [WidePattern]
    /// A table with a bit for each hash of the four bytes that a part of a key may end with, folded to five bits each.
    typealias Endings = UnsafePointer<UInt64>

    /// A pointer, since looking into an array costs the counting of a reference for each key.
    nonisolated(unsafe) let endings: Endings

    /// So many that few keys pass by chance: a bit in twenty is set by the standard rules.
    private static let words = 2048
    /// No rule.
    static let noRule = Int.max

    /// - Parameter names: Names and endings with the places of their rules, in the order of those.
    init(_ names: [(name: String, isSuffix: Bool, rule: Int)]) {
        var patterns: [[Pattern]] = Array(repeating: [], count: 256)
        var others: [WidePattern] = []
        let words = UnsafeMutablePointer<UInt64>.allocate(capacity: Self.words)
        words.initialize(repeating: 0, count: Self.words)
        for (name, isSuffix, rule) in names {
            let folded = KeyFolding.folded(name)
            guard folded.utf8.allSatisfy({ $0 < 0x80 }) else {
                others.append(WidePattern(folded, isSuffix: isSuffix, rule: rule))
                continue
            }
            let pattern = Pattern(folded, isSuffix: isSuffix, rule: rule)
            guard let last = pattern.reversed.first else { continue }
            patterns[Int(last)].append(pattern)
            Self.insert(pattern, position: 0, ending: 0, at: 0, into: words)
        }
        let ordered = patterns.flatMap { $0 }
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: max(ordered.count, 1))
        let starts = UnsafeMutablePointer<Int>.allocate(capacity: 257)
        let letters = UnsafeMutablePointer<UInt16>.allocate(
            capacity: max(ordered.reduce(0) { $0 + $1.reversed.count }, 1)
        )
        var place = 0
        for byte in 0...256 {
            (starts + byte).initialize(to: byte == 0 ? 0 : starts[byte - 1] + patterns[byte - 1].count)
        }
        for (index, pattern) in ordered.enumerated() {
            (entries + index).initialize(
                to: Entry(
                    start: place,
                    count: pattern.reversed.count,
                    isSuffix: pattern.isSuffix,
                    isWhole: pattern.isWhole,
                    isNumbered: pattern.isNumbered,
                    rule: pattern.rule
                )
            )
            for (letter, beginsWord) in zip(pattern.reversed, pattern.words) {
                (letters + place).initialize(to: UInt16(letter) | (beginsWord ? 0x100 : 0))
                place += 1
            }
        }
        self.entries = UnsafePointer(entries)
        self.starts = UnsafePointer(starts)
        self.letters = UnsafePointer(letters)
        self.others = others
        self.endings = Endings(words)
    }

    deinit {
        self.endings.deallocate()
        self.entries.deallocate()
        self.starts.deallocate()
        self.letters.deallocate()
    }

    /// Inserts the endings that begin, from behind, with the `length` bytes in `ending`, of which `position` are the pattern's;
    /// `nil` where the pattern's part of the key is behind.
    private static func insert(
        _ pattern: Pattern,
        position: Int?,
        ending: UInt32,
        at length: Int,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        guard length < 4 else {
            words[self.index(ending) >> 6] |= 1 << UInt64(self.index(ending) & 63)
            return
        }
        func insert(_ byte: UInt8, position: Int?) {
            let ending = ending | UInt32(byte & 31) << UInt32(24 - 8 * length)
            self.insert(pattern, position: position, ending: ending, at: length + 1, into: words)
        }
        guard let position else {
            for byte in 0...31 as ClosedRange<UInt8> { insert(byte, position: nil) }
            return
        }
        insert(UInt8(ascii: "-"), position: position)
        insert(UInt8(ascii: "_"), position: position)
        if position < pattern.reversed.count {
            insert(pattern.reversed[position], position: position + 1)
            if pattern.mayHaveDot(after: position) { insert(UInt8(ascii: "."), position: position) }
        } else if pattern.isSuffix {
            insert(0, position: nil)
            for byte in 1...31 as ClosedRange<UInt8> { insert(byte, position: nil) }
        } else {
            // In front of the key there is nothing, which is zeros.
            insert(0, position: position)
            if !pattern.isWhole { insert(UInt8(ascii: "."), position: nil) }
        }
    }

    /// The first rule with a pattern that is for a key, or for a part of it; ``noRule`` if there is none.
    @inline(never)
    func firstRule(for key: String) -> Int {
        let rule: Int? = key.withBytes { bytes in
            var bits: UInt8 = 0
            for place in 0..<bytes.count { bits |= bytes[place] }
            return bits < 0x80 ? self.firstRule(for: bytes, from: 0, before: Self.noRule) : nil
        }
        if let rule { return rule }
        let folded = KeyFolding.folded(key)
        let first = folded.withBytes { self.firstRule(for: $0, from: 0, before: Self.noRule) }
        return self.firstRule(for: KeyFolding.parts(of: folded), from: 0, before: first)
    }

    /// The same by the patterns in ASCII, if it comes before `first`, which is otherwise the answer.
    ///
    /// - Parameters:
    ///   - key: A key whose letters beyond ASCII are in lower case.
    ///   - start: Where the first part of it that is looked at ends at the earliest.
    func firstRule(for key: UnsafeRawBufferPointer, from start: Int, before first: Int) -> Int {
        var first = first
        var end = start
        while end <= key.count {
            if end == key.count || key[end] == UInt8(ascii: ".") { self.lookAtPart(of: key, to: end, &first) }
            end &+= 1
        }
        return first
    }

    /// The same by the patterns that are not in ASCII.
    ///
    /// - Parameters:
    ///   - parts: Those of a key.
    ///   - start: The first of them that is looked at.
    func firstRule(for parts: [KeyPart], from start: Int, before first: Int) -> Int {
        self.others.first { $0.rule >= first || $0.matches(parts, from: start) }.map { min($0.rule, first) } ?? first
    }

    /// Whether there are patterns that are not in ASCII.
    var hasOthers: Bool { !self.others.isEmpty }

    /// The first rule for the part of a key in ASCII that ends here, if that comes before `first`; otherwise `first`.
    @inline(never)
    func rule(forPartOf key: UnsafeRawBufferPointer, to end: Int, before first: Int) -> Int {
        var first = first
        self.lookAtPart(of: key, to: end, &first)
        return first
    }

    /// Looks at the part of a key that ends here, with the number at its end and without.
    @inline(__always)
    private func lookAtPart(of key: UnsafeRawBufferPointer, to end: Int, _ first: inout Int) {
        var position = Self.skip(key, from: end, Self.isIgnored)
        if position > 0 { self.look(Self.folded(key[position &- 1]), key, to: end, &first) }
        guard end > 0, Self.isDigit(key[end &- 1]) else { return }
        position = Self.skip(key, from: end, Self.isNumbering)
        if position > 0 { self.look(Self.folded(key[position &- 1]), key, to: end, &first) }
    }

    /// The place behind the last byte before `end` that is not to be skipped.
    @inline(__always)
    private static func skip(_ key: UnsafeRawBufferPointer, from end: Int, _ isSkipped: (UInt8) -> Bool) -> Int {
        var position = end
        while position > 0, isSkipped(key[position &- 1]) { position &-= 1 }
        return position
    }

    @inline(__always)
    private func look(_ last: UInt8, _ key: UnsafeRawBufferPointer, to end: Int, _ first: inout Int) {
        var place = self.starts[Int(last)]
        let last = self.starts[Int(last) &+ 1]
        while place < last {
            let entry = self.entries[place]
            if first < entry.rule { return }
            if self.matches(entry, key, to: end) {
                first = entry.rule
                return
            }
            place &+= 1
        }
    }

    /// Whether a pattern is for the part of the key that ends here.
    @inline(__always)
    private func matches(_ entry: Entry, _ key: UnsafeRawBufferPointer, to end: Int) -> Bool {
        var matched = 0
        var position = end
        if !entry.isNumbered, end > 0, Self.isDigit(key[end &- 1]) {
            position = Self.skip(key, from: end, Self.isNumbering)
        }
        while position > 0 {
            position &-= 1
            let byte = key[position]
            if Self.isIgnored(byte) { continue }
            if byte == UInt8(ascii: ".") && !entry.isWhole {
                if matched > 0, self.letters[entry.start &+ matched &- 1] & 0x100 != 0 { continue }
                return matched == entry.count
            }
            if matched == entry.count { return entry.isSuffix }
            if UInt8(truncatingIfNeeded: self.letters[entry.start &+ matched]) != Self.folded(byte) { return false }
            matched &+= 1
        }
        return matched == entry.count
    }

    /// Whether the part of a key that ends here may be one that a pattern is for; `false` is certain.
    @inline(__always)
    static func mayEnd(_ endings: Endings, _ base: UnsafeRawPointer, to end: Int) -> Bool {
        let bytes: UInt32
        if end >= 4 {
            bytes = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: end &- 4, as: UInt32.self))
        } else if end > 0 {
            let word = UInt32(truncatingIfNeeded: ShortLoad.word(base, count: end))
            bytes = word &<< UInt32((4 &- end) &* 8)
        } else {
            bytes = 0
        }
        // Numbers behind a name do not count, and there are too many of them for the table.
        if (bytes &>> 24) &- 0x30 < 10 { return true }
        let index = Self.index(bytes & 0x1F1F_1F1F)
        return endings[index >> 6] & (1 &<< UInt64(index & 63)) != 0
    }

    /// The place of an ending's bit, from 0 to 131,071.
    @inline(__always)
    private static func index(_ ending: UInt32) -> Int { Int((ending &* 0x9E37_79B1) >> 15) }

    /// Marks, with their high bit, the bytes of `word` that are dots, and no others.
    @inline(__always)
    static func dots(in word: UInt64) -> UInt64 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        let differences = word ^ 0x2E2E_2E2E_2E2E_2E2E
        return ~((differences & low) &+ low | differences | low)
    }

    @inline(__always)
    static func folded(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    @inline(__always)
    static func isIgnored(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") }

    /// Whether a byte may be a part of the numbers behind a name, as in `key_1-2`.
    @inline(__always)
    private static func isNumbering(_ byte: UInt8) -> Bool { self.isDigit(byte) || self.isIgnored(byte) }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}

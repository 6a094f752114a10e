// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The names and endings of redaction's rules. For most keys it finds quickly that no rule matches: with one look into
/// a table for each part of the key, by its last four bytes. Only a part that passes is compared with the names.
///
/// Invariant: `endings`, `entries`, `starts` and `letters` own their memory, which is written only in the initialiser.
/// An entry's letters are in `letters`. Its place is between the values of `starts` for its last byte and for the next
/// byte.
final class KeyPatterns: Sendable {
    /// A name or an ending in ASCII.
    struct Pattern: Sendable {
        /// In lower case, without hyphens and underscores, in reverse order.
        let reversed: [UInt8]
        /// Whether a word begins after so many matched bytes. A dot may stand before a word.
        fileprivate let words: [Bool]
        fileprivate let entry: Entry

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
            // There is nothing before the first word.
            if !words.isEmpty { words[words.count - 1] = false }
            self.reversed = reversed
            self.words = words
            self.entry = Entry(
                count: reversed.count,
                isSuffix: isSuffix,
                isWhole: isWhole,
                isNumbered: reversed.first.map(KeyPatterns.isDigit) ?? false,
                rule: rule
            )
        }

        fileprivate func mayHaveDot(after matched: Int) -> Bool { matched > 0 && self.words[matched - 1] }
    }

    /// A pattern in the form that is compared with keys: numbers only, as counting references costs more than the
    /// comparison.
    fileprivate struct Entry {
        /// The start and the number of its letters.
        var start = 0
        let count: Int
        let isSuffix: Bool
        /// Whether the name has dots. Then it must match from the beginning of the key.
        let isWhole: Bool
        /// Whether the name ends with a number. If not, a number at the end of a key does not count.
        let isNumbered: Bool
        /// The index of the rule among all rules.
        let rule: Int
    }

    /// The patterns, sorted by their last byte and then by their rule.
    nonisolated(unsafe) private let entries: UnsafePointer<Entry>
    /// The start of the patterns with each last byte, and the end of the last ones.
    nonisolated(unsafe) private let starts: UnsafePointer<Int>
    /// The letters of all patterns, in reverse order. If the ninth bit is set, a dot may stand before the letter.
    nonisolated(unsafe) private let letters: UnsafePointer<UInt16>
    /// The patterns that are not ASCII, in the order of their rules.
    private let others: [WidePattern]
    /// A table with one bit for each hash of the last four bytes of a part of a key, reduced to five bits for each
    /// byte.
    typealias Endings = UnsafePointer<UInt64>

    /// A pointer, as an array would count a reference for each key.
    nonisolated(unsafe) let endings: Endings

    /// Large enough that few keys pass by chance: the standard rules set one bit in twenty.
    private static let words = 2048
    /// No rule.
    static let noRule = Int.max

    /// - Parameter names: Names and endings with the indices of their rules, in that order.
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
            (entries + index).initialize(to: pattern.entry)
            entries[index].start = place
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

    /// Inserts all four-byte endings that begin, from the end, with the `length` bytes in `ending`. `position` of these
    /// bytes are the pattern's. `position` is `nil` if the pattern's part of the key is complete.
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
        } else if pattern.entry.isSuffix {
            for byte in 0...31 as ClosedRange<UInt8> { insert(byte, position: nil) }
        } else {
            // Before the key there is nothing, which counts as zeros.
            insert(0, position: position)
            if !pattern.entry.isWhole { insert(UInt8(ascii: "."), position: nil) }
        }
    }

    /// The first rule with a pattern for a key or for a part of it; ``noRule`` if there is none.
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

    /// The same for ASCII patterns only. Returns `first` if no earlier rule matches.
    ///
    /// - Parameters:
    ///   - key: A key, with letters beyond ASCII in lower case.
    ///   - start: The end of the first part to check.
    func firstRule(for key: UnsafeRawBufferPointer, from start: Int, before first: Int) -> Int {
        var first = first
        var end = start
        while end <= key.count {
            if end == key.count || key[end] == UInt8(ascii: ".") { self.lookAtPart(of: key, to: end, &first) }
            end &+= 1
        }
        return first
    }

    /// The same for the patterns that are not ASCII.
    ///
    /// - Parameters:
    ///   - parts: The parts of a key.
    ///   - start: The first part to check.
    func firstRule(for parts: [KeyPart], from start: Int, before first: Int) -> Int {
        self.others.first { $0.rule >= first || $0.matches(parts, from: start) }.map { min($0.rule, first) } ?? first
    }

    /// Whether there are patterns that are not ASCII.
    var hasOthers: Bool { !self.others.isEmpty }

    /// The first rule for the part of an ASCII key that ends at `end`. Returns `first` if no earlier rule matches.
    @inline(never)
    func rule(forPartOf key: UnsafeRawBufferPointer, to end: Int, before first: Int) -> Int {
        var first = first
        self.lookAtPart(of: key, to: end, &first)
        return first
    }

    /// Checks the part of a key that ends at `end`, with and without the number at its end.
    @inline(__always)
    private func lookAtPart(of key: UnsafeRawBufferPointer, to end: Int, _ first: inout Int) {
        var position = Self.skip(key, from: end, Self.isIgnored)
        if position > 0 { self.look(Self.folded(key[position &- 1]), key, to: end, &first) }
        guard end > 0, Self.isDigit(key[end &- 1]) else { return }
        position = Self.skip(key, from: end, Self.isNumbering)
        if position > 0 { self.look(Self.folded(key[position &- 1]), key, to: end, &first) }
    }

    /// The position behind the last byte before `end` that is not skipped.
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

    /// Whether a pattern matches the part of the key that ends at `end`.
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

    /// Whether a pattern may match the part of a key that ends at `end`. `false` is certain.
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
        // A number behind a name does not count, and the table has no room for all of them.
        if (bytes &>> 24) &- 0x30 < 10 { return true }
        let index = Self.index(bytes & 0x1F1F_1F1F)
        return endings[index >> 6] & (1 &<< UInt64(index & 63)) != 0
    }

    /// The index of an ending's bit, from 0 to 131,071.
    @inline(__always)
    private static func index(_ ending: UInt32) -> Int { Int((ending &* 0x9E37_79B1) >> 15) }

    /// Marks the bytes of `word` that are dots, with their high bit. All marks are exact.
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

    /// Whether a byte may be part of the number behind a name, as in `key_1-2`.
    @inline(__always)
    private static func isNumbering(_ byte: UInt8) -> Bool { self.isDigit(byte) || self.isIgnored(byte) }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}

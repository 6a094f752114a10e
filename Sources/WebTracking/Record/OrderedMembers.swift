// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A record's metadata as JSON members, which come in the order of dictionaries and leave in the order of their keys.
///
/// A dictionary's order depends on its address, so that one statement's records would have their fields in another order
/// each, which is restless to read and costs a tenth of the bytes on the wire. Of each member there is a word that is
/// sorted; the bytes are moved once, into the record.
///
/// Members are added in the order of their layers, the most important one first. Of those with one key the first stands
/// for all.
///
/// Invariant: `words` owns `2 * (capacity + 1)` words, of which the first `count + 1` and those from `capacity + 1` to
/// `capacity + 1 + count` are initialised. The first of either part is 0. The others of the first part belong to one
/// member each: six bytes of its key, the most significant one first, with zeros behind a shorter key; the member's
/// number; and `isRedacted` and `isLeftOut`. The others of the second part say where a member ends in `text`. The type is
/// not copyable, so the memory has one owner.
struct OrderedMembers: ~Copyable {
    /// Whether redaction has changed the member's value.
    static let isRedacted: UInt64 = 2
    /// Whether the member is not written: its value is dropped, or belongs to a layer that is outranked. Its key counts.
    static let isLeftOut: UInt64 = 1
    /// Whether redaction drops the member's value.
    static let isDropped: UInt64 = 3
    /// The bits of a word below the key.
    private static let below = 16
    /// So many are sorted by inserting one after the other.
    private static let few = 32
    /// A thread keeps the memory for so many members.
    private static let kept = 1024
    /// More members than this have no numbers.
    private static let most = 1 << 14

    /// A member of metadata that is made ready once for many records.
    struct Ready: Sendable {
        /// The beginning of the key and the marks.
        var word: UInt64
        /// Where the member ends in the text of all.
        var end: Int
    }

    /// The members as they came, each with a comma before it. A member that is left out has its key at least.
    var text = ByteWriter(capacity: 1024)
    /// How many values redaction has changed, without those that are outranked.
    var redactions = 0
    private(set) var count = 0
    private var capacity = 32
    private var words: UnsafeMutablePointer<UInt64>

    init() {
        self.words = Self.makeWords(self.capacity)
    }

    deinit {
        self.words.deallocate()
    }

    private static func makeWords(_ capacity: Int) -> UnsafeMutablePointer<UInt64> {
        let words = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * (capacity + 1))
        words.initialize(to: 0)
        (words + capacity + 1).initialize(to: 0)
        return words
    }

    var isEmpty: Bool { self.count == 0 }

    private var ends: UnsafeMutablePointer<UInt64> { self.words + (self.capacity &+ 1) }

    /// Ends the member that was added to ``text`` last; `false` if there are too many.
    ///
    /// - Parameter key: The ``PlainKey/beginning`` of its key.
    @inline(__always)
    mutating func endMember(_ key: UInt64, marks: UInt64) -> Bool {
        let number = self.count
        if number == self.capacity, !self.grow() { return false }
        self.words[number &+ 1] = key | UInt64(truncatingIfNeeded: number) &<< 2 | marks
        self.ends[number &+ 1] = UInt64(truncatingIfNeeded: self.text.count)
        self.count = number &+ 1
        return true
    }

    @inline(never)
    private mutating func grow() -> Bool {
        guard self.capacity < Self.most else { return false }
        let capacity = self.capacity * 2
        let words = Self.makeWords(capacity)
        for place in 1..<self.count + 1 {
            (words + place).initialize(to: self.words[place])
            (words + capacity + 1 + place).initialize(to: self.ends[place])
        }
        self.words.deallocate()
        self.words = words
        self.capacity = capacity
        return true
    }

    /// Adds members that are ready; `false` if there are too many.
    @inline(never)
    mutating func append(_ members: [Ready], text: [UInt8], redactions: Int) -> Bool {
        let start = self.text.count
        self.text.append(text)
        self.redactions += redactions
        for member in members {
            let number = self.count
            if number == self.capacity, !self.grow() { return false }
            self.words[number &+ 1] = member.word | UInt64(truncatingIfNeeded: number) &<< 2
            self.ends[number &+ 1] = UInt64(truncatingIfNeeded: start &+ member.end)
            self.count = number &+ 1
        }
        return true
    }

    /// The members in their order, those included that are left out.
    mutating func ready() -> (members: [Ready], text: [UInt8]) {
        guard !self.isEmpty else { return ([], []) }
        self.sort()
        var members: [Ready] = []
        members.reserveCapacity(self.count)
        var text: [UInt8] = []
        text.reserveCapacity(self.text.count)
        for place in 1..<self.count + 1 {
            let word = self.words[place]
            let number = Self.number(word)
            self.text.withBytes { text += $0[Int(self.ends[number])..<Int(self.ends[number + 1])] }
            members.append(Ready(word: self.nextOfKey(number, at: 0) | word & Self.isDropped, end: text.count))
        }
        return (members, text)
    }

    /// Writes the members in their order, and forgets them; returns how many values redaction has changed.
    @inline(never)
    mutating func write(to writer: inout ByteWriter) -> Int {
        self.sort()
        let count = self.count
        let words = self.words
        let ends = self.ends
        let size = self.text.count
        self.text.withBytes { text in
            guard let source = text.baseAddress else { return }
            writer.append(room: size &+ 32) { target in
                var written = target
                var place = 1
                while place <= count {
                    let word = words[place]
                    place &+= 1
                    if word & Self.isLeftOut != 0 { continue }
                    let number = Self.number(word)
                    let start = Int(truncatingIfNeeded: ends[number])
                    let length = Int(truncatingIfNeeded: ends[number &+ 1]) &- start
                    Self.copy(source + start, count: length, to: written)
                    written += length
                }
                return written - target
            }
        }
        let redactions = self.redactions
        self.clear()
        return redactions
    }

    /// Forgets all, and releases the memory of a large record.
    mutating func clear() {
        self.text.reset(keeping: EncoderScratch.keptBytes)
        self.count = 0
        self.redactions = 0
        guard self.capacity > Self.kept else { return }
        self.words.deallocate()
        self.capacity = Self.kept
        self.words = Self.makeWords(self.capacity)
    }

    /// Copies `count` bytes, 32 at a time: up to 31 bytes behind them are read and written as well.
    @inline(__always)
    private static func copy(_ source: UnsafeRawPointer, count: Int, to target: UnsafeMutableRawPointer) {
        guard count <= 256 else { return target.copyMemory(from: source, byteCount: count) }
        var position = 0
        repeat {
            let words = source.loadUnaligned(fromByteOffset: position, as: SIMD4<UInt64>.self)
            target.storeBytes(of: words, toByteOffset: position, as: SIMD4<UInt64>.self)
            position &+= 32
        } while position < count
    }

    // MARK: The order

    @inline(__always)
    private static func number(_ word: UInt64) -> Int {
        Int(truncatingIfNeeded: word &>> 2 & UInt64(Self.most &- 1))
    }

    /// Whether two words have the same part of a key.
    @inline(__always)
    private static func isTie(_ left: UInt64, _ right: UInt64) -> Bool { (left ^ right) &>> UInt64(Self.below) == 0 }

    /// Sorts the words by the keys, and marks members that are outranked.
    @inline(__always)
    private mutating func sort() {
        // Keys are read eight bytes at a time and members copied 32: what is behind the last one has to be readable.
        self.text.reserve(32)
        guard self.count <= Self.few else { return self.sortMany() }
        let count = self.count
        let words = self.words
        var hasTies = false
        var next = 2
        while next <= count {
            let word = words[next]
            var place = next
            // In front of the first is a zero, which is less than any key.
            var before = words[next &- 1]
            while before > word {
                words[place] = before
                place &-= 1
                before = words[place &- 1]
            }
            words[place] = word
            // Of two with the same part of a key, the second to be added is the second to come.
            if Self.isTie(before, word) { hasTies = true }
            next &+= 1
        }
        if hasTies { self.sortTies(1, count + 1, at: 0) }
    }

    @inline(never)
    private mutating func sortMany() {
        Self.sort(self.words + 1, self.count)
        self.sortTies(1, self.count + 1, at: 0)
    }

    /// Sorts words. Few are inserted one by one; of more the distant ones are exchanged before (Shell's way), which needs
    /// no memory either.
    private static func sort(_ words: UnsafeMutablePointer<UInt64>, _ count: Int) {
        if count > Self.few { self.sortDistant(words, count) }
        for next in 1..<max(count, 1) {
            let word = words[next]
            var place = next
            while place > 0, words[place - 1] > word {
                words[place] = words[place - 1]
                place -= 1
            }
            words[place] = word
        }
    }

    private static func sortDistant(_ words: UnsafeMutablePointer<UInt64>, _ count: Int) {
        var gap = count * 5 / 11
        while gap > 1 {
            for next in gap..<count {
                let word = words[next]
                var place = next
                while place >= gap, words[place - gap] > word {
                    words[place] = words[place - gap]
                    place -= gap
                }
                words[place] = word
            }
            gap = gap * 5 / 11
        }
    }

    /// Sorts runs of words that have the same part of a key, which begins at `offset`, by the next parts.
    @inline(never)
    private mutating func sortTies(_ first: Int, _ end: Int, at offset: Int) {
        var start = first
        while start < end {
            let word = self.words[start]
            var next = start + 1
            while next < end, Self.isTie(self.words[next], word) { next += 1 }
            if next - start > 1 {
                if word >> UInt64(Self.below) & 0xFF == 0 {
                    // The keys end here.
                    for place in start + 1..<next { self.leaveOut(place) }
                } else {
                    let offset = offset + 6
                    for place in start..<next {
                        let word = self.words[place]
                        self.words[place] =
                            self.nextOfKey(Self.number(word), at: offset) | word & (1 << UInt64(Self.below) - 1)
                    }
                    Self.sort(self.words + start, next - start)
                    self.sortTies(start, next, at: offset)
                }
            }
            start = next
        }
    }

    private mutating func leaveOut(_ place: Int) {
        if self.words[place] & Self.isRedacted != 0 { self.redactions -= 1 }
        self.words[place] |= Self.isLeftOut
    }

    /// Six bytes of a member's key, or those that are left, as in a word.
    private func nextOfKey(_ number: Int, at offset: Int) -> UInt64 {
        let start = Int(truncatingIfNeeded: self.ends[number]) &+ PlainKey.openingCount &+ offset
        return self.text.withBytes { text in
            guard let base = text.baseAddress else { return 0 }
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            // A plain key has no quote, and one behind it. The lowest mark is exact.
            let quotes = word ^ 0x2222_2222_2222_2222
            let marks = (quotes &- 0x0101_0101_0101_0101) & ~quotes & 0x8080_8080_8080_8080
            let kept = word & ((marks & (0 &- marks)) &>> 7 &- 1)
            return PlainKey.beginning(kept)
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A metadata key that is a field name as it is: 1 to 128 characters of ASCII without escapes, and without the underscore
/// in front that the service's own names have.
struct PlainKey {
    /// The first six bytes, the first one in the highest place, with zeros behind a shorter key and below.
    let beginning: UInt64
    /// A hash of the first eight bytes and of the length.
    let stamp: UInt64

    /// How many bytes there are before a key.
    static let openingCount = 2
    /// How many bytes there are around a key.
    static let frameCount = 5

    /// - Parameters:
    ///   - word: The first eight bytes, the first one in the lowest place, with zeros behind a shorter key.
    ///   - count: The number of all bytes.
    @inline(__always)
    private init(_ word: UInt64, count: Int) {
        self.beginning = Self.beginning(word)
        self.stamp = NameHash.mix(NameHash.quickSeed ^ UInt64(truncatingIfNeeded: count), word)
    }

    @inline(__always)
    static func beginning(_ word: UInt64) -> UInt64 { word.byteSwapped & ~0xFFFF }

    /// Writes `,"key":"`; `nil`, with nothing written, if the key is not plain.
    static func append(_ key: String, to writer: inout ByteWriter) -> PlainKey? {
        var rule = KeyPatterns.noRule
        return key.withBytes { self.append($0, to: &writer, patterns: nil, rule: &rule) }
    }

    /// Writes `,"key":"`; `nil` if the key is not plain.
    ///
    /// - Parameter rule: Becomes the first rule of the redactor's that is for the key, unless that was none.
    @inline(__always)
    static func append(
        _ key: borrowing String,
        to writer: inout ByteWriter,
        redactor: Redactor,
        rule: inout Int
    ) -> PlainKey? {
        key.withBytes { self.append($0, to: &writer, patterns: redactor.patterns, rule: &rule) }
    }

    /// - Parameters:
    ///   - patterns: A quick comparison of the parts of the key, while its bytes are read anyway.
    ///   - rule: Becomes the first rule that is for the key.
    @inline(__always)
    private static func append(
        _ key: UnsafeRawBufferPointer,
        to writer: inout ByteWriter,
        patterns: KeyPatterns?,
        rule: inout Int
    ) -> PlainKey? {
        guard let source = key.baseAddress, !key.isEmpty, key.count <= FieldName.maximumBytes,
            source.load(as: UInt8.self) != UInt8(ascii: "_")
        else { return nil }
        let count = key.count
        var word: UInt64 = 0
        var marks: UInt64 = 0
        // Behind the key, eight bytes for the last store.
        writer.append(room: FieldName.maximumBytes + 16) { target in
            target.storeBytes(of: Self.opening, as: UInt16.self)
            let name = target + Self.openingCount
            var position = 0
            while position < count {
                let rest = count &- position
                if rest >= 8 {
                    word = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                    marks |= JSONEscape.bytesToEscape(in: word)
                } else {
                    word = ShortLoad.word(source + position, count: rest)
                    marks |= JSONEscape.bytesToEscape(in: word | 0x2020_2020_2020_2020 &<< UInt64(rest &* 8))
                }
                marks |= JSONEscape.bytesOutsideASCII(in: word)
                name.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self)
                if let patterns {
                    var dots = KeyPatterns.dots(in: word)
                    while dots != 0 {
                        let dot = position &+ dots.trailingZeroBitCount >> 3
                        if KeyPatterns.mayEnd(patterns.endings, source, to: dot) {
                            rule = patterns.rule(forPartOf: key, to: dot, before: rule)
                        }
                        dots &= dots &- 1
                    }
                }
                position &+= 8
            }
            if let patterns, KeyPatterns.mayEnd(patterns.endings, source, to: count) {
                rule = patterns.rule(forPartOf: key, to: count, before: rule)
            }
            guard marks == 0 else { return 0 }
            name.storeBytes(of: Self.closing, toByteOffset: count, as: UInt32.self)
            return count &+ Self.frameCount
        }
        guard marks == 0 else { return nil }
        // A short key is one word, the last one.
        if count > 8 { word = UInt64(littleEndian: source.loadUnaligned(as: UInt64.self)) }
        return PlainKey(word, count: count)
    }

    /// `,"`
    private static let opening = (UInt16(UInt8(ascii: ",")) | UInt16(UInt8(ascii: "\"")) << 8).littleEndian
    /// `":"`, and a byte that is overwritten by what comes next.
    private static let closing = (0x22 | UInt32(UInt8(ascii: ":")) << 8 | 0x22 << 16 as UInt32).littleEndian
}

/// Names that a plain key may not have; answers "surely not" at once.
struct PlainNames: Sendable {
    private var filter: UInt64 = 0
    private var stamps: [UInt64] = []
    private var names: [String] = []

    /// Those of the names that a plain key can have.
    init(_ names: [String]) {
        var writer = ByteWriter(capacity: 256)
        for name in names {
            guard let plain = PlainKey.append(name, to: &writer) else { continue }
            self.filter |= Self.bit(plain)
            self.stamps.append(plain.stamp)
            self.names.append(name)
        }
    }

    @inline(__always)
    func contains(_ plain: PlainKey, _ key: borrowing String) -> Bool {
        self.filter & Self.bit(plain) != 0 && self.find(plain.stamp, key)
    }

    @inline(never)
    private func find(_ stamp: UInt64, _ key: borrowing String) -> Bool {
        for place in 0..<self.stamps.count where self.stamps[place] == stamp {
            if self.names[place] == copy key { return true }
        }
        return false
    }

    @inline(__always)
    private static func bit(_ plain: PlainKey) -> UInt64 { 1 &<< (plain.stamp &>> 58) }
}

/// Keys of metadata as the beginnings of ready JSON members, kept for each thread.
///
/// A log statement names its values the same way every time, so reading a key finds the same every time: that it is plain,
/// not a default field's, and that no redaction rule matches it. Finding a key again and copying it is a third of that
/// work. Keys that fall into one set share its two ways; the one that came first is replaced first.
///
/// Invariant: `entries` owns ``sets`` times ``ways`` initialised entries. The type is not copyable, so the memory has one
/// owner.
struct KeyCache: ~Copyable {
    private static let sets = 128
    private static let ways = 2
    /// A longer key is not kept: with what stands around it, it would not fit into an entry.
    static let longest = 32 - PlainKey.frameCount

    /// As large as a line of the processor's cache.
    private struct Entry {
        /// Whose key it is, and its length. 0 if there is none.
        var tag: UInt64 = 0
        /// The first eight bytes of the key, with zeros behind a shorter one.
        var word: UInt64 = 0
        /// As ``PlainKey/beginning``.
        var beginning: UInt64 = 0
        /// `,"`, the key, and `":"`.
        var text = SIMD4<UInt64>()
    }

    /// Where the text of an entry begins.
    private static let textOffset = 32

    private let entries: UnsafeMutablePointer<Entry>

    init() {
        precondition(MemoryLayout<Entry>.offset(of: \.text) == Self.textOffset)
        self.entries = .allocate(capacity: Self.sets * Self.ways)
        self.entries.initialize(repeating: Entry(), count: Self.sets * Self.ways)
    }

    deinit {
        self.entries.deinitialize(count: Self.sets * Self.ways)
        self.entries.deallocate()
    }

    /// Appends the beginning of a member with a key that is kept, and returns ``PlainKey/beginning``; 0 if it is not.
    ///
    /// - Parameter owner: Stands for the encoder and the redactor under which the key was read.
    @inline(__always)
    borrowing func append(_ key: UnsafeRawBufferPointer, owner: UInt64, to writer: inout ByteWriter) -> UInt64 {
        guard let source = key.baseAddress, !key.isEmpty, key.count <= Self.longest else { return 0 }
        let count = key.count
        let (first, last) = Self.ends(source, count)
        let tag = Self.tag(owner, count)
        var entry = self.entries + Self.set(first, last, tag)
        if !Self.holds(entry, tag, first, last, source, count) {
            entry += 1
            guard Self.holds(entry, tag, first, last, source, count) else { return 0 }
        }
        writer.append(room: 32) { target in
            target.storeBytes(of: entry.pointee.text, as: SIMD4<UInt64>.self)
            return count &+ PlainKey.frameCount
        }
        return entry.pointee.beginning
    }

    /// Keeps a key with the beginning of its member, which `member` is.
    mutating func keep(_ member: UnsafeRawBufferPointer, _ key: PlainKey, owner: UInt64) {
        let count = member.count - PlainKey.frameCount
        guard let start = member.baseAddress, count > 0, count <= Self.longest else { return }
        let (first, last) = Self.ends(start + PlainKey.openingCount, count)
        let tag = Self.tag(owner, count)
        var entry = Entry(tag: tag, word: first, beginning: key.beginning)
        withUnsafeMutableBytes(of: &entry.text) { $0.copyMemory(from: member) }
        let set = self.entries + Self.set(first, last, tag)
        // The newer of the two ways is first, where it is looked for first; the older one is replaced.
        set[1] = set[0]
        set[0] = entry
    }

    /// The first and the last eight bytes of a key, or all of a shorter one.
    @inline(__always)
    private static func ends(_ key: UnsafeRawPointer, _ count: Int) -> (first: UInt64, last: UInt64) {
        if count < 8 {
            let word = ShortLoad.word(key, count: count)
            return (word, word)
        }
        return (key.loadUnaligned(as: UInt64.self), key.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
    }

    @inline(__always)
    private static func tag(_ owner: UInt64, _ count: Int) -> UInt64 { owner &<< 8 | UInt64(truncatingIfNeeded: count) }

    /// Where the set of a key begins. Each owner's keys are spread by themselves, so that three owners of equal keys do not
    /// have to share two ways.
    @inline(__always)
    private static func set(_ first: UInt64, _ last: UInt64, _ tag: UInt64) -> Int {
        let mix = NameHash.mix(first &* NameHash.quickSeed ^ tag, last)
        // The seven highest bits, on which all that is mixed in has an effect, for one of the 128 sets.
        return Int(truncatingIfNeeded: mix &>> 57) &* Self.ways
    }

    @inline(__always)
    private static func holds(
        _ entry: UnsafeMutablePointer<Entry>,
        _ tag: UInt64,
        _ first: UInt64,
        _ last: UInt64,
        _ source: UnsafeRawPointer,
        _ count: Int
    ) -> Bool {
        guard entry.pointee.tag == tag, entry.pointee.word == first else { return false }
        if count <= 8 { return true }
        let kept = UnsafeRawPointer(entry) + (Self.textOffset + PlainKey.openingCount)
        guard kept.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self) == last else { return false }
        // The bytes between the two words.
        var position = 8
        while position < count &- 8 {
            guard
                kept.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    == source.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            else { return false }
            position &+= 8
        }
        return true
    }
}

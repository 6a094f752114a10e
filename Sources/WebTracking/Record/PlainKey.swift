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

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Metadata keys that are field names as they are: 1 to 128 characters of ASCII without escapes, and without the
/// underscore in front that the service's own names have.
enum PlainKey {
    /// Writes `,"key":"` and returns a hash of the key; `nil`, with nothing written, if the key is not plain.
    static func append(_ key: String, to writer: inout ByteWriter) -> UInt64? {
        var rule = KeyPatterns.noRule
        return key.withBytes { self.append($0, to: &writer, patterns: nil, rule: &rule) }
    }

    /// Writes `,"key":"` and returns a hash of the key; `nil` if the key is not plain.
    ///
    /// - Parameter rule: Becomes the first rule of the redactor's that is for the key, unless that was none.
    @inline(__always)
    static func append(
        _ key: String,
        to writer: inout ByteWriter,
        redactor: Redactor,
        rule: inout Int
    ) -> UInt64? {
        key.withBytes { self.append($0, to: &writer, patterns: redactor.patterns, rule: &rule) }
    }

    /// - Parameters:
    ///   - patterns: What the parts of the key are compared with, quickly, while its bytes are at hand.
    ///   - rule: Becomes the first rule that is for the key.
    @inline(__always)
    private static func append(
        _ key: UnsafeRawBufferPointer,
        to writer: inout ByteWriter,
        patterns: KeyPatterns?,
        rule: inout Int
    ) -> UInt64? {
        guard let source = key.baseAddress, !key.isEmpty, key.count <= FieldName.maximumBytes,
            source.load(as: UInt8.self) != UInt8(ascii: "_")
        else { return nil }
        let count = key.count
        var hash = NameHash.quickSeed ^ UInt64(truncatingIfNeeded: count)
        var marks: UInt64 = 0
        // Behind the key, eight bytes for the last store.
        writer.append(room: FieldName.maximumBytes + 16) { target in
            target.storeBytes(of: Self.opening, as: UInt16.self)
            let name = target + 2
            var position = 0
            while position < count {
                let rest = count &- position
                let word: UInt64
                if rest >= 8 {
                    word = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                    marks |= JSONEscape.bytesToEscape(in: word)
                } else {
                    word = ShortLoad.word(source + position, count: rest)
                    marks |= JSONEscape.bytesToEscape(in: word | 0x2020_2020_2020_2020 &<< UInt64(rest &* 8))
                }
                marks |= JSONEscape.bytesOutsideASCII(in: word)
                name.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self)
                hash = NameHash.mix(hash, word)
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
            return count &+ 5
        }
        return marks == 0 ? hash : nil
    }

    /// `,"`
    private static let opening = (UInt16(UInt8(ascii: ",")) | UInt16(UInt8(ascii: "\"")) << 8).littleEndian
    /// `":"`, and a byte that is overwritten by what comes next.
    private static let closing = (0x22 | UInt32(UInt8(ascii: ":")) << 8 | 0x22 << 16 as UInt32).littleEndian
}

/// A set of names, by a hash of each, that answers "surely not" at once.
struct NameFilter {
    private var bits: UInt64 = 0

    /// Whether a name with this hash may be in the set; `false` is certain.
    @inline(__always)
    func mayContain(_ hash: UInt64) -> Bool { self.bits & Self.bit(hash) != 0 }

    mutating func insert(_ hash: UInt64) { self.bits |= Self.bit(hash) }

    @inline(__always)
    private static func bit(_ hash: UInt64) -> UInt64 { 1 &<< (hash &>> 58) }
}

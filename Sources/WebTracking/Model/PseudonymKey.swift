// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The secret key of pseudonyms: 16 bytes that cannot be guessed.
///
/// Its descriptions do not show it.
public struct PseudonymKey: Sendable, Equatable {
    let low: UInt64
    let high: UInt64

    /// Creates a key from 16 bytes; `nil` for any other number of them.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        func word(_ start: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) } }
        self.low = word(0)
        self.high = word(8)
    }

    /// Creates a key from 32 hexadecimal digits; `nil` for anything else.
    public init?(hexadecimal text: String) {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 32, text.utf8.count == 32 else { return nil }
        self.init(bytes: (0..<16).map { UInt8(digits[$0 * 2] << 4 | digits[$0 * 2 + 1]) })
    }

    /// `p:` and the keyed hash of `text`.
    func pseudonym(of text: String) -> String {
        var writer = ByteWriter(capacity: Self.length)
        self.appendPseudonym(of: text, to: &writer)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Writes `p:` and the keyed hash of `text`.
    func appendPseudonym(of text: String, to writer: inout ByteWriter) {
        let hash = text.withBytes { SipHash.hash128(of: $0, key: (self.low, self.high)) }
        writer.append(room: Self.length) { target in
            target.storeBytes(of: UInt8(ascii: "p"), as: UInt8.self)
            target.storeBytes(of: UInt8(ascii: ":"), toByteOffset: 1, as: UInt8.self)
            Self.writeDigits(hash.0, to: target + 2)
            Self.writeDigits(hash.1, to: target + 18)
            return Self.length
        }
    }

    private static let length = 34

    /// Writes 16 digits: a word byte by byte, in the order in which SipHash writes its output.
    private static func writeDigits(_ word: UInt64, to target: UnsafeMutableRawPointer) {
        for place in 0..<16 {
            // The lowest byte comes first, with its high digit in front.
            let digit = UInt8(truncatingIfNeeded: word >> UInt64((place ^ 1) * 4)) & 15
            target.storeBytes(of: digit.hexadecimalDigit, toByteOffset: place, as: UInt8.self)
        }
    }
}

extension PseudonymKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `PseudonymKey([redacted])`.
    public var description: String { "PseudonymKey([redacted])" }
    /// `PseudonymKey([redacted])`.
    public var debugDescription: String { self.description }
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

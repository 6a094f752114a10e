// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension JSONCursor {
    /// The bytes of UTF-8 that a string stands for. `text` must come from ``string()`` of the same cursor.
    package func decodedBytes(_ text: Text) -> ArraySlice<UInt8> {
        guard text.hasEscapes else { return self.bytes[text.range] }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.decodedCount)
        var index = text.range.lowerBound
        while index < text.range.upperBound {
            guard self.bytes[index] == UInt8(ascii: "\\") else {
                decoded.append(self.bytes[index])
                index += 1
                continue
            }
            switch self.bytes[index + 1] {
            case UInt8(ascii: "u"):
                index = self.appendUnicodeEscape(at: index, to: &decoded)
                continue
            case UInt8(ascii: "b"): decoded.append(0x08)
            case UInt8(ascii: "f"): decoded.append(0x0C)
            case UInt8(ascii: "n"): decoded.append(0x0A)
            case UInt8(ascii: "r"): decoded.append(0x0D)
            case UInt8(ascii: "t"): decoded.append(0x09)
            case let literal: decoded.append(literal)
            }
            index += 2
        }
        return decoded[...]
    }

    /// The Swift string that a JSON string stands for.
    package func decodedString(_ text: Text) -> String {
        String(decoding: self.decodedBytes(text), as: UTF8.self)
    }

    /// Resolves the escape at `index`, and with it the second half of a surrogate pair; returns where it ends.
    private func appendUnicodeEscape(at index: Int, to decoded: inout [UInt8]) -> Int {
        let unit = self.unit(at: index + 2)
        guard UTF16.isLeadSurrogate(unit), self.hasUnit(at: index + 6), UTF16.isTrailSurrogate(self.unit(at: index + 8))
        else {
            decoded.append(contentsOf: String(decoding: CollectionOfOne(unit), as: UTF16.self).utf8)
            return index + 6
        }
        decoded.append(contentsOf: String(decoding: [unit, self.unit(at: index + 8)], as: UTF16.self).utf8)
        return index + 12
    }

    private func hasUnit(at index: Int) -> Bool {
        index + 6 <= self.bytes.count && self.bytes[index] == UInt8(ascii: "\\")
            && self.bytes[index + 1] == UInt8(ascii: "u")
    }

    private func unit(at index: Int) -> UInt16 {
        self.bytes[index..<index + 4].reduce(0) { unit, byte in
            unit << 4 | UInt16(Character(UnicodeScalar(byte)).hexDigitValue ?? 0)
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Text for terminals and logs of lines, and from files.
extension String {
    /// The text with a space in place of each control character, of each character that changes the direction of text,
    /// and of each line separator. U+0080 to U+009F are control characters too, and some terminals obey them.
    var withoutControls: String {
        guard self.unicodeScalars.contains(where: Self.isControl) else { return self }
        return String(String.UnicodeScalarView(self.unicodeScalars.map { Self.isControl($0) ? " " : $0 }))
    }

    /// The text without the line ends behind it.
    var withoutLineEnds: String {
        // Search by bytes: CR and LF together are a single character.
        guard let last = self.utf8.lastIndex(where: { $0 != 0x0A && $0 != 0x0D }) else { return "" }
        return String(decoding: self.utf8[...last], as: UTF8.self)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        case 0x2028, 0x2029: true
        default: false
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Makes text safe to print.
///
/// A log line comes from anywhere. Escape sequences in it could clear the terminal, rename its window or hide other
/// lines, and marks for the direction of writing could reorder what is read.
enum TerminalText {
    /// `text` in one line: controls, separators of lines, marks of direction and backslashes are escaped.
    static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: self.needsEscape) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case _ where self.needsEscape(scalar):
                escaped += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// `text` with each control replaced by a space, so that columns stay where they are.
    static func escapedControls(_ text: some StringProtocol) -> String {
        String(text.map { $0.unicodeScalars.contains { $0 != "\\" && self.needsEscape($0) } ? " " : $0 })
    }

    private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x5C, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

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

    /// What is shown of a value, at most so many characters of it, and a word on what is not.
    static func cut(_ value: String, to limit: Int?) -> (start: String, rest: String) {
        // By scalars: what people take for one character may be a million of them.
        let scalars = value.unicodeScalars
        guard let limit, value.utf8.count > limit,
            let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return (value, "") }
        let left = scalars.distance(from: end, to: scalars.endIndex)
        return (String(scalars[..<end]), "… (\(left) more characters; --full shows all)")
    }

    /// The same, escaped.
    static func shown(_ value: String, limit: Int?) -> String {
        let (start, rest) = self.cut(value, to: limit)
        return self.escaped(start) + rest
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

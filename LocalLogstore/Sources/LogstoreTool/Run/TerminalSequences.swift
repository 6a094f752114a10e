// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Colours, and what else a program tells a terminal: noise in a record.
enum TerminalSequences {
    private static let escape: UInt8 = 0x1B

    /// `line` without them.
    static func removed(from line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard var next = line.firstIndex(of: self.escape) else { return line }
        var text = Array(line[..<next])
        while next < line.endIndex {
            guard line[next] == self.escape else {
                text.append(line[next])
                next += 1
                continue
            }
            next = self.end(of: line[next...])
        }
        return text[...]
    }

    /// Where the sequence that `text` begins with ends (ECMA-48, 5.4 and 5.6).
    private static func end(of text: ArraySlice<UInt8>) -> Int {
        let kind = text.dropFirst().first
        switch kind {
        case UInt8(ascii: "["):
            let last = text.dropFirst(2).firstIndex { (0x40...0x7E).contains($0) }
            return last.map { $0 + 1 } ?? text.endIndex
        case UInt8(ascii: "]"):
            // Up to BEL, or ESC \.
            guard let last = text.dropFirst(2).firstIndex(where: { $0 == 0x07 || $0 == self.escape }) else {
                return text.endIndex
            }
            return text[last] == 0x07 ? last + 1 : min(last + 2, text.endIndex)
        default: return min(text.startIndex + 2, text.endIndex)
        }
    }
}

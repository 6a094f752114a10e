// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("Text for a terminal")
struct TerminalTextTests {
    @Test(arguments: [
        (
            "plain \u{E9} \u{4E2D}\u{6587} \u{1F469}\u{200D}\u{1F4BB}",
            "plain \u{E9} \u{4E2D}\u{6587} \u{1F469}\u{200D}\u{1F4BB}"
        ),
        ("\u{1B}[2J\u{7}", "\\u{1b}[2J\\u{7}"), ("a\nb\r\tc", "a\\nb\\r\\tc"), ("\u{9B}31m\u{7F}", "\\u{9b}31m\\u{7f}"),
        ("\u{202E}evil\u{2066}\u{200F}", "\\u{202e}evil\\u{2066}\\u{200f}"), ("\u{2028}\u{0}", "\\u{2028}\\u{0}"),
        ("back\\slash \\n", "back\\\\slash \\\\n"),
    ])
    func escapes(text: String, expected: String) {
        #expect(TerminalText.escaped(text) == expected)
    }

    @Test func leavesNothingThatATerminalActsOn() {
        for value: UInt32 in 0...0xFFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let escaped = TerminalText.escaped("a" + String(Character(scalar)) + "b")
            #expect(
                escaped.unicodeScalars.allSatisfy {
                    !(0..<0x20).contains($0.value) && !(0x7F..<0xA0).contains($0.value)
                        && !$0.properties.isBidiControl && ![0x2028, 0x2029].contains($0.value)
                }
            )
        }
    }
}

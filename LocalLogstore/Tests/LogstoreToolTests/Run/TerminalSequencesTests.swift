// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("Sequences for a terminal")
struct TerminalSequencesTests {
    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("\u{1B}[1;31mred\u{1B}[0m end", "red end"), ("a\u{1B}]0;title\u{07}b", "ab"),
        ("a\u{1B}]8;;x\u{1B}\\b", "ab"), ("\u{1B}", ""), ("\u{1B}[12", ""), ("a\u{1B}7b", "ab"),
        ("\u{1B}]never ends", ""), ("\u{1B}[K\u{1B}[K", ""),
    ])
    func areRemoved(line: String, text: String) {
        let removed = TerminalSequences.removed(from: Array(("x" + line).utf8)[1...])
        #expect(String(decoding: removed, as: UTF8.self) == text)
    }
}

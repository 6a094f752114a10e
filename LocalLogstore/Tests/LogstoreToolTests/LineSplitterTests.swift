// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("Lines of a stream")
struct LineSplitterTests {
    private func lines(_ text: String, block: Int, limit: Int = 1000) async -> (lines: [String], broken: Int) {
        var splitter = LineSplitter(limit: limit)
        var lines: [String] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: block) {
            await splitter.feed(bytes[start..<min(start + block, bytes.count)]) {
                lines.append(String(decoding: $0, as: UTF8.self))
            }
        }
        await splitter.finish { lines.append(String(decoding: $0, as: UTF8.self)) }
        return (lines, splitter.brokenLines)
    }

    @Test(
        arguments: [
            ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n", [""]),
            ("\n\na\n\n", ["", "", "a", ""]),
            ("a\r\nb\rc\r\n\r\n", ["a", "b\rc", ""]), ("a\r", ["a\r"]),
        ] as [(String, [String])]
    )
    func findsLinesWhateverTheBlocks(text: String, expected: [String]) async {
        for block in 1...max(1, text.utf8.count) {
            #expect(await self.lines(text, block: block).lines == expected)
        }
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func breaksLongLinesBetweenCharacters(block: Int) async {
        let text = "aaaa\u{1F600}\u{1F600}\u{E9}bb\nshort\n0123456789\n01234567890\n"
        let (lines, broken) = await self.lines(text, block: block, limit: 10)
        #expect(lines == ["aaaa\u{1F600}", "\u{1F600}\u{E9}bb", "short", "0123456789", "0123456789", "0"])
        #expect(broken == 2)
    }

    @Test func losesNothingOfBytesThatAreNotText() async {
        var splitter = LineSplitter(limit: 10)
        var pieces: [[UInt8]] = []
        let bytes = [UInt8](repeating: 0x80, count: 35)
        await splitter.feed(bytes[...]) { pieces.append(Array($0)) }
        await splitter.finish { pieces.append(Array($0)) }
        #expect(pieces.flatMap(\.self) == bytes)
        #expect(pieces.allSatisfy { $0.count <= 10 })
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("Lines of an input")
struct InputCutterTests {
    /// What comes out of one input, in blocks of so many bytes.
    private func cut(_ text: String, size: Int, limit: Int = 1000) async -> [String] {
        var cutter = InputCutter(limit: limit)
        var lines: [String] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            await cutter.feed(Array(bytes[start..<min(start + size, bytes.count)])) {
                lines.append(String(decoding: $0, as: UTF8.self))
            }
        }
        await cutter.finish { lines.append(String(decoding: $0, as: UTF8.self)) }
        return lines
    }

    @Test("Lines and objects are told apart however little comes at once, and nothing of the first is lost")
    func tellsLayoutsApart() async {
        for size in [1, 2, 5, 1000] {
            #expect(await self.cut("[\n  {},\n  {\n  }\n]\n", size: size) == ["{}", "{\n  }"])
            #expect(await self.cut("\u{FEFF}{\n}\n{\n}", size: size).last == "{\n}")
            #expect(await self.cut("\u{FEFF}[{\"a\":1},{}]", size: size) == ["{\"a\":1}", "{}"])
            #expect(await self.cut("{\"a\":1}\n{\"b\n", size: size) == ["{\"a\":1}", "{\"b"])
            #expect(await self.cut("[info] started\n x", size: size) == ["[info] started", " x"])
            #expect(await self.cut("  indented\r\n{", size: size) == ["  indented", "{"])
            #expect(await self.cut("[", size: size) == ["["])
            #expect(await self.cut("{ ", size: size) == ["{ "])
            // Blank lines are none to a format of objects.
            #expect(await self.cut("\n \n{\"a\":1}", size: size).filter { !$0.isEmpty && $0 != " " } == ["{\"a\":1}"])
        }
    }

    @Test func beginsAnewWithEachInput() async {
        var cutter = InputCutter(limit: 1000)
        var lines: [String] = []
        for text in ["{\n}", "{}x\n{}", "[", "[{},{}]"] {
            await cutter.feed(Array(text.utf8)) { lines.append(String(decoding: $0, as: UTF8.self)) }
            await cutter.finish { lines.append(String(decoding: $0, as: UTF8.self)) }
        }
        #expect(lines == ["{\n}", "{}x", "{}", "[", "{}", "{}"])
        var text = InputCutter(limit: 1000, layout: .lines)
        await text.feed(Array("[{},{}]\n".utf8)) { #expect(Array($0) == Array("[{},{}]".utf8)) }
    }

    @Test(
        "A beginning that says nothing is held up to the limit, then it is lines",
        arguments: ["", "{", "[", "\u{FEFF}"]
    )
    func boundsTheBeginning(start: String) {
        var beginning = InputBeginning(limit: 100)
        #expect(beginning.layout(with: Array(start.utf8)) == nil)
        for _ in start.utf8.count..<100 { #expect(beginning.layout(with: [0x20]) == nil) }
        #expect(beginning.held.count == 100)
        #expect(beginning.layout(with: [0x20]) == .lines)
        #expect(beginning.held == Array(start.utf8) + [UInt8](repeating: 0x20, count: 101 - start.utf8.count))
    }

    @Test func holdsNoBlankLines() {
        var beginning = InputBeginning(limit: 100)
        for _ in 0..<1000 { #expect(beginning.layout(with: Array("\r\n \n  ".utf8)) == nil) }
        #expect(beginning.held == [0x20, 0x20])
        #expect(beginning.layout(with: Array("x".utf8)) == .lines)
        #expect(beginning.held == Array("  x".utf8))
    }

    /// Many small blocks take a moment, and not the square of it.
    @Test(.timeLimit(.minutes(1)))
    func looksAtEachByteOnce() {
        for start in ["{", "[", "\n"] {
            var beginning = InputBeginning(limit: 2_000_000)
            _ = beginning.layout(with: Array(start.utf8))
            for _ in 0..<300_000 where beginning.layout(with: [0x20]) != nil { return }
            #expect(beginning.layout(with: [UInt8(ascii: "{"), 0x0A]) != nil)
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("Objects that are no lines")
struct ObjectSplitterTests {
    @Test(
        arguments: [
            ("", nil), (" \n", nil), ("[", nil), ("[ \n", nil), ("{", nil), ("{ \t\r", nil), ("\u{FEFF}", nil),
            ("[{", .spread), ("[]", .spread), (" \n[\n  {\"a\":1}", .spread), ("\u{FEFF}[\n{", .spread),
            ("{\n", .spread),
            ("{ \r\n", .spread), ("{\"a\":1}", .lines), ("{}", .lines), ("[info] started", .lines), ("[1,2]", .lines),
            ("text", .lines), ("\n{\"a\"", .lines),
        ] as [(String, ObjectLayout?)]
    )
    func seesHowObjectsStand(beginning: String, layout: ObjectLayout?) {
        #expect(ObjectLayout.of(Array(beginning.utf8)[...]) == layout)
    }

    /// What comes out, whatever the pieces are that go in.
    private func split(_ text: String, limit: Int = 1000, sizes: [Int] = [1, 2, 3, 7, 10_000]) async -> [String] {
        var results: [[String]] = []
        for size in sizes {
            var splitter = ObjectSplitter(limit: limit)
            var objects: [String] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                await splitter.feed(bytes[start..<min(start + size, bytes.count)]) {
                    objects.append(String(decoding: $0, as: UTF8.self))
                }
            }
            await splitter.finish { objects.append(String(decoding: $0, as: UTF8.self)) }
            results.append(objects)
        }
        #expect(results.allSatisfy { $0 == results[0] })
        return results[0]
    }

    @Test func cutsAnArray() async {
        let first = #"{"a":"]} \\ \" [{","b":[1,{"c":[]}]}"#
        #expect(await self.split(#"[\#(first),{"d":1} , {}]"#) == [first, #"{"d":1}"#, "{}"])
        #expect(await self.split("[\n  \(first),\r\n  {}\n]\n") == [first, "{}"])
        #expect(await self.split("[]") == [])
        #expect(await self.split("\u{FEFF}[{}]") == ["\u{FEFF}{}"])
    }

    @Test func cutsObjectsOverSeveralLines() async {
        let objects = ["{\n  \"a\": 1,\n  \"b\": {\n    \"c\": []\n  }\n}", "{\n}"]
        #expect(await self.split(objects.joined(separator: "\n")) == objects)
    }

    @Test("What is no object is the line that it is, and a torn object ends with its line")
    func keepsText() async {
        #expect(await self.split("{\n}\nsome { text\n{}\n\u{C4}b") == ["{\n}", "some { text", "{}", "\u{C4}b"])
        #expect(await self.split("{\n\"a\": \"to\n{}\n") == ["{\n\"a\": \"to", "{}"])
        #expect(await self.split("[{\"a\":1},{\"b\"") == ["{\"a\":1}", "{\"b\""])
    }

    @Test func boundsAnObject() async {
        let long = "{\"a\":\"\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\"}"
        let pieces = await self.split("[\(long),{}]", limit: 9)
        #expect(pieces.joined() == long + "{}" && pieces.last == "{}")
        #expect(pieces.allSatisfy { $0.utf8.count <= 10 && !$0.contains("\u{FFFD}") })
        var splitter = ObjectSplitter(limit: 9)
        await splitter.feed(Array("[\(long),{}]".utf8)[...]) { _ in }
        #expect(splitter.brokenObjects == 1)
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
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
        #expect(await self.split("\u{FEFF}[{}]") == ["{}"])
        #expect(await self.split("\u{FEFF}[{}]\u{FEFF}[{}]") == ["{}", "{}"])
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

    @Test(
        "An object that a writer did not end is a piece of its own, and those behind it are whole",
        arguments: [
            ("{\n  \"a\": 1,\n", ["{\n  \"a\": 1,"]), ("{\n  \"a\": 1\n", ["{\n  \"a\": 1"]),
            ("{\n  \"a\": {\n", ["{\n  \"a\": {"]), ("{\n  \"a\": \"x\n", ["{\n  \"a\": \"x"]),
            ("{\n  \"a\": [\n    {\n    }\n", ["{\n  \"a\": [\n    {\n    }"]), ("{no object\n", ["{no object"]),
            // Brackets of the wrong kind.
            ("{\n  \"a\": [\n    1\n}\n", ["{\n  \"a\": [\n    1", "}"]),
            ("[{\"a\":1},{\"b\":2]", ["{\"a\":1}", "{\"b\":2"]),
            ("[{\n  \"a\": [\n    1\n}, ", ["{\n  \"a\": [\n    1", "}, "]), ("{}\n}\n", ["{}", "}"]),
        ] as [(String, [String])]
    )
    func keepsWhatFollowsATornObject(torn: String, pieces: [String]) async {
        let whole = "{\n  \"b\": [\n    {},\n    [\n    ]\n  ]\n}"
        #expect(await self.split("\(torn)\(whole)\n\(whole)\n") == pieces + [whole, whole])
    }

    @Test("Where an object may stand in the torn one, the first that follows is a part of it, and no other")
    func losesOneObjectAtMost() async {
        for torn in ["{\n\"a\":\n", "{\n\"a\": [\n", "{\n\"a\": [\n1,\n"] {
            #expect(await self.split("\(torn){\n}\n{\n\n}\n{}") == ["\(torn){\n}", "{\n\n}", "{}"])
        }
    }

    @Test("Text between objects keeps its brackets and its indentation, and ends with its line")
    func keepsTextAsItIs() async {
        #expect(
            await self.split("{\n}\n[error] boom\r\nFailure\n    at a\r\n\tat b\n\r\n \n{\n}, x\n[1, 2]\n")
                == ["{\n}", "[error] boom", "Failure", "    at a", "\tat b", "{\n}", ", x", "[1, 2]"]
        )
        #expect(await self.split("{\n\"a\": 1,\n  [error] boom\n{\n}") == ["{\n\"a\": 1,", "  [error] boom", "{\n}"])
        #expect(await self.split("{\n}\n\u{FEFF}[error]\n\u{FF1A}") == ["{\n}", "\u{FEFF}[error]", "\u{FF1A}"])
        // What only separates objects goes.
        #expect(await self.split("[\n{},\n]\n,\n[[]]\n") == ["{}"])
    }

    @Test("Neither white space nor brackets without end take more than the limit")
    func boundsWhatIsNoObject() async {
        #expect(await self.split("        x\n{}", limit: 5) == ["     ", "   x", "{}"])
        #expect(await self.split("[[[[[[[[\n{}", limit: 5) == ["[[[[[", "[[[", "{}"])
        // So many brackets are no object any more, and end with their line.
        let brackets = String(repeating: "[", count: 20)
        #expect(await self.split("{\"\":\(brackets)\n{}", limit: 5).joined() == "{\"\":\(brackets){}")
        #expect(await self.split("{\"\":\(brackets)\n{}", limit: 5).last == "{}")
    }

    /// Whatever the bytes are: the same comes out for all sizes of pieces, and nothing is lost but separators.
    @Test func losesNothing() async {
        var generator = SeededGenerator(seed: 7)
        let parts = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "\r\n", " ", "a", "{}", "\"k\": 1", "{\n\"a\": 1\n}\n",
        ]
        for _ in 0..<2_000 {
            let count = Int.random(in: 0..<25, using: &generator)
            let text = (0..<count).map { _ in parts[Int.random(in: 0..<parts.count, using: &generator)] }.joined()
            let pieces = await self.split(text, limit: [3, 9, 1000][count % 3])
            let separators = Array("[],\r\n ".utf8)
            let left = Array(pieces.joined().utf8).filter { !separators.contains($0) }
            #expect(left == Array(text.utf8).filter { !separators.contains($0) }, "\(text.debugDescription)")
        }
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

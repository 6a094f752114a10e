// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct JSONEncodingTests {
    /// The bytes of the string between the quotes of its JSON form.
    private func escaped(_ text: String) -> [UInt8] {
        var writer = ByteWriter(capacity: 16)
        writer.append(escaping: text)
        return writer.withBytes { Array($0) }
    }

    @Test func controlCharactersQuotesAndBackslashesAreEscapedAndNothingElse() {
        let text = "q\"b\\s/\u{0}\u{7}\u{8}\u{c}\n\r\t\u{1f}\u{7f}\u{2028}\u{2029} caf\u{e9} \u{4e2d}\u{6587} \u{1F600}"
        let golden =
            #"q\"b\\s/\u0000\u0007\b\f\n\r\t\u001f"# + "\u{7f}\u{2028}\u{2029} caf\u{e9} \u{4e2d}\u{6587} \u{1F600}"
        #expect(self.escaped(text) == Array(golden.utf8))
    }

    @Test func theBodyOfTheGoldenVectorIsReproduced() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .fixed("t")
            configuration.source = "s"
            configuration.fields.includesBatchID = false
        }
        let message =
            "q\"b\\s/\u{0}\u{7}\u{8}\u{c}\n\r\t\u{1f}\u{7f}\u{2028}\u{2029} caf\u{e9} \u{4e2d}\u{6587} \u{1F600}"
        rig.sink().info("\(message)")
        #expect(await rig.drain().first?["message"] == message)
        let body = try #require(rig.transport.stored.first?.rawBody)
        #expect(body.starts(with: Array(#"{"__topic__":"t","__source__":"s","__logs__":[{"seq":"1","time":""#.utf8)))
        #expect(body.suffix(3) == Array("}]}".utf8))
        await rig.stop()
    }

    @Test func everyByteAtEveryPositionOfAWordIsEscapedRight() throws {
        for scalar in (0..<0x180).compactMap({ Unicode.Scalar($0) }) {
            for position in 0..<42 {
                let text =
                    String(repeating: "x", count: position) + String(Character(scalar))
                    + String(repeating: "y", count: 41 - position)
                let json = [UInt8(ascii: "\"")] + self.escaped(text) + [UInt8(ascii: "\"")]
                guard case .string(let back) = try JSONValue.parse(json) else {
                    Issue.record("no string")
                    return
                }
                #expect(Array(back.utf8) == Array(text.utf8))
            }
        }
    }

    @Test func anyStringRoundTripsByteForByte() throws {
        var random = SystemRandomNumberGenerator()
        let alphabet: [Unicode.Scalar] = [
            "\u{0}", "\u{1}", "\n", "\"", "\\", "/", " ", "a", "\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{2028}",
            "\u{202e}", "\u{fffd}", "\u{ffff}", "\u{1F468}", "\u{200d}", "\u{301}", "\u{10ffff}",
        ]
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<Int.random(in: 0..<60, using: &random) {
                text.unicodeScalars.append(alphabet.randomElement(using: &random) ?? "a")
            }
            let json = [UInt8(ascii: "\"")] + self.escaped(text) + [UInt8(ascii: "\"")]
            guard case .string(let back) = try JSONValue.parse(json) else {
                Issue.record("no string")
                return
            }
            #expect(Array(back.utf8) == Array(text.utf8))
        }
    }

    @Test(arguments: [0, 1, 1023, 1024, 1025, 4096, 1_000_000])
    func linesOfAnyLengthArriveWhole(length: Int) async throws {
        let rig = try Rig()
        let line = String(repeating: "\u{1F600}\"\\\n", count: length / 8) + String(repeating: "z", count: length % 8)
        rig.sink().info("\(line)")
        #expect(await rig.drain().first?["message"] == line)
        await rig.stop()
    }

    @Test(arguments: [
        "{", "[1,]", "{\"a\":1,}", "\"\u{1}\"", "01", "1.", "+1", "nul", "\"\\ud800\"", "\"\\x\"", "1 2", "",
        "\"a", "{\"a\" 1}", "[", "\"\\u12\"", "tru", "-",
    ])
    func malformedTextIsRefused(text: String) {
        #expect(throws: JSONValue.ParseError.self) { try JSONValue.parse(Array(text.utf8)) }
    }

    @Test func invalidUTF8AndDeepNestingAreRefused() {
        #expect(throws: JSONValue.ParseError.self) { try JSONValue.parse([0x22, 0xFF, 0x22]) }
        let deep = Array(repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: JSONValue.ParseError.self) { try JSONValue.parse(deep) }
    }
}

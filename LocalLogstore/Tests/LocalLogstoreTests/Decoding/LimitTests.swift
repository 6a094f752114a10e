// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import Testing

@Suite("Limits of a POST")
struct LimitTests {
    private let decoder = PutWebtrackingDecoder()

    private static func group(topic: String = "", source: String = "", tag: String = "t", key: String = "k") -> String {
        #"{"__topic__":"\#(topic)","__source__":"\#(source)","__tags__":{"\#(tag)":"v"},"__logs__":[{"\#(key)":"v"}]}"#
    }

    @Test func countsLogs() throws {
        #expect(try self.decoder.decode(Body.logs(4096)).logs.count == 4096)
        let failure = self.decoder.failure(Body.logs(4097))
        #expect(failure?.status == 400)
        #expect(failure?.code == "PostBodyTooLarge")
    }

    @Test func countsFieldsAndTags() throws {
        func object(_ count: Int) -> String {
            "{" + (0..<count).map { #""k\#($0)":"v""# }.joined(separator: ",") + "}"
        }
        func body(fields: Int, tags: Int) -> String {
            #"{"__source__":"s","__tags__":\#(object(tags)),"__logs__":[{"k":"v"},\#(object(fields))]}"#
        }
        #expect(self.decoder.failure(body(fields: 1024, tags: 1024)) == nil)
        #expect(self.decoder.failure(body(fields: 1025, tags: 1))?.code == "PostBodyInvalid")
        #expect(self.decoder.failure(body(fields: 1, tags: 1025))?.code == "PostBodyInvalid")
    }

    @Test func countsBytesBeforeCompression() throws {
        for (size, isFine) in [(3_145_727, true), (3_145_728, true), (3_145_729, false)] {
            let body = Body.bytes(size)
            #expect(body.count == size)
            #expect(self.decoder.failure(body)?.code == (isFine ? nil : "PostBodyTooLarge"))
            let compressed = PutWebtrackingDecoder.Input(
                version: "0.6.0",
                rawSize: String(size),
                compressType: "lz4",
                body: Wire.lz4(body)
            )
            #expect(self.decoder.failure(compressed)?.status == (isFine ? nil : 400))
        }
    }

    @Test func answersOtherwiseBeyondTheHardLimit() {
        var limits = TrackLimits()
        limits.rawBytes = limits.hardRawBytes
        let decoder = PutWebtrackingDecoder(limits: limits)
        for (size, isFine) in [(10_485_759, true), (10_485_760, true), (10_485_761, false)] {
            let failure = decoder.failure(Body.bytes(size))
            #expect(failure?.status == (isFine ? nil : 413))
            #expect(failure?.code == (isFine ? nil : "PostBodyTooLarge"))
        }
    }

    @Test func believesADeclaredSizeOnlyDownwards() {
        // The body is over the limit, whatever it says.
        let body = Body.bytes(3_145_729)
        let input = PutWebtrackingDecoder.Input(version: "0.6.0", rawSize: "10", compressType: nil, body: body)
        #expect(self.decoder.failure(input)?.code == "PostBodyTooLarge")
        // Declared but not sent: refused before anything is allocated for it.
        let declared = PutWebtrackingDecoder.Input(
            version: "0.6.0",
            rawSize: "4000000000000",
            compressType: "deflate",
            body: Wire.zlib(Array("x".utf8))
        )
        #expect(self.decoder.failure(declared)?.status == 413)
    }

    @Test(arguments: ["x", "\u{E9}", "\u{4E2D}", "\u{1F600}"])
    func countsBytesOfNamesNotCharacters(character: String) {
        let width = character.utf8.count
        let fits = String(repeating: character, count: 128 / width) + String(repeating: "a", count: 128 % width)
        #expect(fits.utf8.count == 128)
        let over = fits + "a"
        #expect(self.decoder.failure(Self.group(topic: fits, source: fits, tag: fits, key: fits)) == nil)
        #expect(self.decoder.failure(Self.group(topic: over))?.code == "PostBodyInvalid")
        #expect(self.decoder.failure(Self.group(source: over))?.code == "PostBodyInvalid")
        #expect(self.decoder.failure(Self.group(tag: over))?.code == "InvalidKey")
        #expect(self.decoder.failure(Self.group(key: over))?.code == "InvalidKey")
    }

    @Test func countsEscapesAsWhatTheyStandFor() {
        let fits = String(repeating: #"\u00e9"#, count: 64)
        #expect(self.decoder.failure(Self.group(key: fits)) == nil)
        #expect(self.decoder.failure(Self.group(key: fits + "a"))?.code == "InvalidKey")
        let pairs = String(repeating: #"\ud83d\ude00"#, count: 32)
        #expect(self.decoder.failure(Self.group(key: pairs)) == nil)
        #expect(self.decoder.failure(Self.group(key: pairs + #"\n"#))?.code == "InvalidKey")
    }

    @Test func refusesAnEmptyKey() {
        #expect(self.decoder.failure(Self.group(key: ""))?.code == "InvalidKey")
        #expect(self.decoder.failure(Self.group(tag: ""))?.code == "InvalidKey")
    }

    @Test func countsBytesOfAValue() {
        func body(_ count: Int, character: String = "x") -> String {
            #"{"__source__":"s","__logs__":[{"k":"\#(String(repeating: character, count: count))"}]}"#
        }
        #expect(self.decoder.failure(body(1_048_576)) == nil)
        #expect(self.decoder.failure(body(1_048_577))?.code == "PostBodyInvalid")
        #expect(self.decoder.failure(body(1_048_576, character: #"\n"#)) == nil)
        #expect(self.decoder.failure(body(524_289, character: "\u{E9}"))?.code == "PostBodyInvalid")
    }
}

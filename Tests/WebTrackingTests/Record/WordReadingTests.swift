// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What reads and compares words instead of bytes, against doing it byte by byte, with random input.
@Suite(.timeLimit(.minutes(10))) struct WordReadingTests {
    @Test func aShortLoadReadsItsBytesAndNoOther() {
        var random = SeededGenerator(seed: 1)
        let fenced = FencedBytes()
        for _ in 0..<4000 {
            let bytes = (0..<Int.random(in: 1...7, using: &random)).map { _ in
                UInt8.random(in: 0 ... .max, using: &random)
            }
            let expected = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            fenced.atBothEnds(bytes) { source in
                guard let start = source.baseAddress else { return }
                #expect(ShortLoad.word(start, count: bytes.count) == expected)
            }
        }
    }

    /// Whether a key is a field's name as it is.
    private static func isPlain(_ key: String) -> Bool {
        (1...FieldName.maximumBytes).contains(key.utf8.count) && key.utf8.first != UInt8(ascii: "_")
            && key.utf8.allSatisfy { $0 < 0x80 && $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }

    private static let plainBytes = (UInt8(0x20)...0x7F).filter { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    private static let spoilers: [Unicode.Scalar] = [
        "\"", "\\", "\u{1F}", "\u{0}", "\n", "\u{80}", "\u{E9}", "\u{4E2D}", "\u{1F600}",
    ]

    private static func key(_ random: inout SeededGenerator) -> String {
        // Around the words' borders, and around the longest name.
        let length = Int.random(in: 0...[20, 136][Int.random(in: 0...1, using: &random)], using: &random)
        var scalars = (0..<length).map { _ in
            Unicode.Scalar(Self.plainBytes.randomElement(using: &random) ?? UInt8(ascii: "a"))
        }
        if !scalars.isEmpty, Int.random(in: 0..<4, using: &random) == 0 {
            let place = Int.random(in: 0..<scalars.count, using: &random)
            scalars[place] = Self.spoilers.randomElement(using: &random) ?? "\n"
        }
        if Int.random(in: 0..<10, using: &random) == 0 { scalars.insert("_", at: 0) }
        var key = String.UnicodeScalarView()
        key.append(contentsOf: scalars)
        return String(key)
    }

    /// Writers of all fillings, so that the room is at times just reserved; the address sanitizer sees what leaves it.
    @Test func aPlainKeyIsWrittenAsItIsAndAnyOtherNotAtAll() {
        var random = SeededGenerator(seed: 2)
        var stamps: [UInt64: [UInt8]] = [:]
        var plain = 0
        for _ in 0..<20_000 {
            let key = Self.key(&random)
            let before = (0..<Int.random(in: 0..<80, using: &random)).map { _ in
                UInt8.random(in: 0 ... .max, using: &random)
            }
            var writer = ByteWriter(capacity: 64)
            writer.append(before)
            let name = PlainKey.append(key, to: &writer)
            let written = writer.withBytes { Array($0) }
            guard let name else {
                #expect(!Self.isPlain(key), "\(key.debugDescription)")
                #expect(written == before)
                continue
            }
            plain += 1
            #expect(Self.isPlain(key), "\(key.debugDescription)")
            #expect(written == before + Array(",\"\(key)\":\"".utf8))
            let bytes = Array(key.utf8)
            let beginning = (0..<6).reduce(UInt64(0)) { $0 << 8 | UInt64($1 < bytes.count ? bytes[$1] : 0) }
            #expect(name.beginning == beginning << 16)
            // Of so few no two should have one stamp that do not begin alike and have one length.
            let seen = Array(bytes.prefix(8)) + [UInt8(bytes.count)]
            #expect(stamps.updateValue(seen, forKey: name.stamp) ?? seen == seen)
        }
        #expect(plain > 10_000)
    }

    /// The look at a key's ends may take a key for one that a rule is for, but never the other way round.
    @Test func aKeyThatARuleIsForIsNeverTakenForPlain() {
        var random = SeededGenerator(seed: 4)
        let redactor = Redactor(.standard, count: RedactionCount())
        let parts =
            Redaction.standardSuffixes + Redaction.standardKeys + [
                "a", "request", "id", "user-agent", "", "tokens", "2", "key", "session", "n", "password7",
            ]
        var secret = 0
        for _ in 0..<10_000 {
            var key = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                parts.randomElement(using: &random) ?? "a"
            }
            .joined(separator: Bool.random(using: &random) ? "." : "-")
            if Bool.random(using: &random) { key = key.uppercased() }
            if Bool.random(using: &random) { key.replace("-", with: "_") }
            if Bool.random(using: &random) { key.replace("-", with: "") }
            var writer = ByteWriter(capacity: 64)
            var rule = KeyPatterns.noRule
            let name = PlainKey.append(key, to: &writer, redactor: redactor, rule: &rule)
            #expect((name != nil) == Self.isPlain(key), "\(key)")
            if redactor.redacted(key, "v", nesting: 8).redactions > 0 {
                #expect(name == nil || rule != KeyPatterns.noRule, "\(key)")
                secret += 1
            }
        }
        #expect(secret > 2000 && secret < 9500)
    }

    @Test func theMarkOfTheFirstByteToEscapeIsExact() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            let bytes = (0..<8).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 0x20...0x7E, using: &random) : UInt8.random(in: 0 ... .max, using: &random)
            }
            let word = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let first = bytes.firstIndex { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }
            let marks = JSONEscape.bytesToEscape(in: word)
            #expect((marks == 0 ? nil : marks.trailingZeroBitCount >> 3) == first)
        }
    }
}

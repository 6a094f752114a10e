// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// The work of a record grows with its size, and not faster: what is done for each of its parts comes to the same as if it
/// were done for the whole.
@Suite(.timeLimit(.minutes(10))) struct MappingGrowthTests {
    private static func steps(_ metadata: LogMetadata) -> Int {
        var resolver = MetadataResolver(deepestNesting: 32)
        let fields = resolver.fields(of: metadata, taken: [])
        #expect(Set(fields.map(\.name)).count == fields.count)
        return resolver.steps
    }

    /// One name, cut at each of its dots into a key and a key inside.
    private static func cutName(_ count: Int) -> LogMetadata {
        let parts = (0..<count).map { _ in "x" }
        return LogMetadata(
            uniqueKeysWithValues: (1..<count).map { place in
                let (key, inner) = (parts[..<place].joined(separator: "."), parts[place...].joined(separator: "."))
                return (key, .dictionary([inner: "v"]))
            }
        )
    }

    @Test func oneDottedNameCutAtManyDotsCostsInProportion() {
        let (few, many) = (Self.steps(Self.cutName(300)), Self.steps(Self.cutName(2400)))
        #expect(few > 300)
        #expect(many <= few * 9, "\(few) and \(many) steps")
    }

    /// One name in each way in which keys inside of keys can make it.
    private static func allCuts(_ parts: Int) -> LogMetadata {
        LogMetadata(
            uniqueKeysWithValues: (1...parts).map { place in
                let key = (0..<place).map { _ in "x" }.joined(separator: ".")
                return (key, place == parts ? "v" : .dictionary(Self.allCuts(parts - place)))
            }
        )
    }

    @Test func manyDuplicatesOfOneShortNameCostInProportion() {
        let (few, many) = (Self.steps(Self.allCuts(8)), Self.steps(Self.allCuts(11)))
        #expect(few >= 128 && many >= 1024)
        #expect(many <= few * 9, "\(few) and \(many) steps")
    }

    /// By the definition: the lowest number from 2 on that makes a name that is free.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aNumberIsTheLowestThatIsFree(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // So long that the number's digits decide what is cut off, and alike up to there.
        let names = ["a", "a_1", "_"] + [123, 124, 125, 126, 127, 128].map { String(repeating: "n", count: $0) }
        var numbers = FreeNumbers()
        var taken = Set(names)
        for number in 2...40 where Bool.random(using: &random) { taken.insert("a_\(number)") }
        var expected = taken
        for _ in 0..<300 {
            let name = names.randomElement(using: &random) ?? "a"
            var number = 2
            func numbered() -> String { String(name.prefix(127 - "\(number)".count)) + "_\(number)" }
            while !expected.insert(numbered()).inserted { number += 1 }
            #expect(numbers.name(for: name, taken: &taken) == numbered())
        }
        #expect(taken == expected)
    }

    private static let pieces = [
        "a", "key", "key2", "api", "-key", "_", "2", ".", "..", "schl\u{FC}ssel", "SCHLU\u{308}SSEL", "wert", "-",
        "\u{308}",
        "\u{E9}", "e\u{301}", "\u{1F82}", "__tag__:", "__time__", "name", "\u{4E2D}",
    ]

    private static func name(_ random: inout SeededGenerator) -> String {
        (0..<Int.random(in: 0...4, using: &random)).map { _ in Self.pieces.randomElement(using: &random) ?? "" }
            .joined()
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aNameThatIsPutTogetherIsRepairedAsTheWholeWouldBe(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            func part() -> String {
                let name = Self.name(&random)
                return Bool.random(using: &random) ? name : String(repeating: name, count: 20)
            }
            let first = part()
            var joined = FieldName.Joined(first)
            var whole = first
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                let next = part()
                joined = joined.appending(next)
                whole += ".\(next)"
            }
            let expected = FieldName.repaired(whole)
            #expect(Array(joined.repaired.name.utf8) == Array(expected.name.utf8))
            #expect(joined.repaired.repairs == expected.repairs)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aRuleIsForAKeyInDictionariesAsForTheWholeKey(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var found = 0
        for _ in 0..<200 {
            let patterns = KeyPatterns(
                (0..<6).map { (Self.name(&random), Bool.random(using: &random), $0) }.filter { !$0.0.isEmpty }
            )
            let names = (0..<Int.random(in: 1...4, using: &random)).map { _ in Self.name(&random) }
            var key = NestedKey(names[0], patterns: patterns)
            for depth in 1..<max(names.count, 1) {
                // What was there in between leaves nothing behind.
                let level = key.enter(Self.name(&random))
                key.leave(to: level)
                _ = key.enter(names[depth])
            }
            let whole = names.joined(separator: ".")
            #expect(key.text == whole)
            #expect(key.rule == patterns.firstRule(for: whole), "\(names)")
            if key.rule != KeyPatterns.noRule { found += 1 }
        }
        #expect(found > 20)
    }

    /// By the definition: the rule's name is compared with all that stands before each dot.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aNameWithDotsBeyondASCIIIsForWhatBeginsSoAndNothingElse(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var found = 0
        for _ in 0..<200 {
            let name = KeyFolding.folded("\(Self.name(&random))\u{FC}.\(Self.name(&random))")
            var key = KeyFolding.folded("\(Self.name(&random)).\(Self.name(&random))")
            if Bool.random(using: &random) {
                let decomposed = name.unicodeScalars.map { $0 == "\u{FC}" ? "u\u{308}" : String($0) }.joined()
                let before = Bool.random(using: &random) ? "" : key
                key = before + decomposed + (Bool.random(using: &random) ? "" : ".\(key)")
            }
            let parts = KeyFolding.parts(of: key)
            let isNumbered = name.unicodeScalars.last.map(KeyFolding.isDigit) ?? false
            for isSuffix in [false, true] {
                let plain = KeyFolding.plain(name.unicodeScalars)
                let expected = parts.indices.contains { place in
                    let last = isNumbered ? parts[place].plain : parts[place].unnumbered
                    let text = (parts[..<place].map(\.plain) + [last]).joined(separator: ".")
                    return isSuffix ? KeyFolding.ends(Substring(text), in: plain) : text == plain
                }
                #expect(WidePattern(name, isSuffix: isSuffix, rule: 0).matches(parts) == expected, "\(name) \(key)")
                if expected { found += 1 }
            }
        }
        #expect(found > 20)
    }

    @Test(arguments: [1, 32, 33, 64, 200])
    func anEventOutranksAHandlerOfManyKeysKeyByKey(count: Int) async throws {
        let rig = try Rig()
        var sink = rig.sink()
        for number in 0..<count { sink[metadataKey: "key\(number)"] = "handler" }
        sink[metadataKey: "token"] = "secret"
        let own = stride(from: 0, to: count + 10, by: 3).map { ("key\($0)", LogMetadataValue.string("event")) }
        sink.info("m", metadata: LogMetadata(uniqueKeysWithValues: own))
        let log = try #require(await rig.drain().first)
        for number in 0..<count { #expect(log["key\(number)"] == (number % 3 == 0 ? "event" : "handler")) }
        #expect(log["token"] == "[redacted]")
        let names = Set((0..<count).map { "key\($0)" } + own.map(\.0))
        #expect(Set(log.keys.filter { $0.hasPrefix("key") }) == names)
        await rig.stop()
    }
}

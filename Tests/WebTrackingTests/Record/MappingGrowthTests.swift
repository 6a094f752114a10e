// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// The work of a record grows with its size, and not faster: counted, not timed.
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

    @Test func manyLongKeysCostInProportion() {
        func metadata(_ count: Int) -> LogMetadata {
            let long = String(repeating: "k", count: 130)
            return LogMetadata(uniqueKeysWithValues: (0..<count).map { ("\(long)\($0)", .string("v")) })
        }
        let (few, many) = (Self.steps(metadata(500)), Self.steps(metadata(4000)))
        #expect(few == 500 && many == 4000)
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
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

/// Members of metadata against the plain way of sorting them, with random input.
@Suite(.timeLimit(.minutes(10))) struct OrderedMembersTests {
    private struct Member {
        var key: String
        var value: String
        var marks: UInt64

        var text: [UInt8] { Array(",\"\(self.key)\":\"\(self.value)\"".utf8) }
    }

    /// Few letters, so that many keys begin alike, or are the same.
    private static func key(_ random: inout SeededGenerator) -> String {
        let beginning = ["", "a", "request", "request.", "http.request.header.", String(repeating: "k", count: 120)]
        let rest = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            ["a", "b", " ", "~"].randomElement(using: &random) ?? "a"
        }
        let key = (beginning.randomElement(using: &random) ?? "") + rest.joined()
        return key.isEmpty ? "b" : key
    }

    private static func members(_ random: inout SeededGenerator, hasEqualKeys: Bool) -> [Member] {
        let most = [1, 4, 20, 40, 200].randomElement(using: &random) ?? 4
        var seen: Set<String> = []
        return (0..<Int.random(in: 0...most, using: &random)).compactMap { _ in
            let key = Self.key(&random)
            guard seen.insert(key).inserted || hasEqualKeys else { return nil }
            // Around the steps in which they are copied.
            let length = [0, 5, 31, 32, 33, 64, 255, 256, 257, 2000].randomElement(using: &random) ?? 0
            return Member(
                key: key,
                value: String(repeating: "v", count: Int.random(in: 0...length, using: &random)),
                marks: [0, 0, 0, OrderedMembers.isRedacted, OrderedMembers.isDropped].randomElement(using: &random) ?? 0
            )
        }
    }

    /// By the definition: of those with one key the first, in the order of the keys' bytes.
    private static func expected(_ members: [Member]) -> (text: [UInt8], redactions: Int) {
        var seen: Set<String> = []
        let kept = members.filter { seen.insert($0.key).inserted }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let redactions = kept.count { $0.marks & OrderedMembers.isRedacted != 0 }
        return (kept.filter { $0.marks & OrderedMembers.isLeftOut == 0 }.flatMap(\.text), redactions)
    }

    private static func add(_ members: [Member], to ordered: inout OrderedMembers) throws {
        for member in members {
            let key = try #require(PlainKey.append(member.key, to: &ordered.text))
            if member.marks & OrderedMembers.isLeftOut == 0 {
                ordered.text.append(escaping: member.value)
                ordered.text.append(UInt8(ascii: "\""))
            }
            if member.marks & OrderedMembers.isRedacted != 0 { ordered.redactions += 1 }
            let hasRoom = ordered.endMember(key.beginning, marks: member.marks)
            #expect(hasRoom)
        }
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func membersLeaveInTheOrderOfTheirKeysAndTheFirstOfEqualOnesStandsForAll(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // One for all, as a thread has.
        var ordered = OrderedMembers()
        for _ in 0..<400 {
            let members = Self.members(&random, hasEqualKeys: true)
            // The last layer may have been made ready before.
            let handler = Self.members(&random, hasEqualKeys: false)
            try Self.add(members, to: &ordered)
            if Bool.random(using: &random) {
                try Self.add(handler, to: &ordered)
            } else {
                var gathered = OrderedMembers()
                try Self.add(handler, to: &gathered)
                let redactions = gathered.redactions
                let (ready, text) = gathered.ready()
                let hasRoom = ordered.append(ready, text: text, redactions: redactions)
                #expect(hasRoom)
            }
            var writer = ByteWriter(capacity: 64)
            writer.append(UInt8(ascii: "{"))
            let redactions = ordered.write(to: &writer)
            let expected = Self.expected(members + handler)
            let written = writer.withBytes { Array($0) }
            #expect(written == [UInt8(ascii: "{")] + expected.text)
            #expect(redactions == expected.redactions)
            let left = (members: ordered.count, bytes: ordered.text.count)
            #expect(left == (0, 0))
        }
    }

    @Test func thereIsAnEndToThem() {
        var ordered = OrderedMembers()
        var count = 0
        while let key = PlainKey.append("k\(count)", to: &ordered.text), ordered.endMember(key.beginning, marks: 0) {
            count += 1
        }
        #expect(count == 1 << 14)
        ordered.clear()
        let left = ordered.count
        #expect(left == 0)
    }
}

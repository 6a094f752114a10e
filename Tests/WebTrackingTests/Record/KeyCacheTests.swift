// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// A key that is kept is what it would be if it were read anew, and no other key is taken for it.
@Suite(.timeLimit(.minutes(10))) struct KeyCacheTests {
    private static func text(_ key: String) -> [UInt8] { Array(",\"\(key)\":\"".utf8) }

    private struct Found: Equatable {
        var beginning: UInt64 = 0
        var text: [UInt8] = []
    }

    private static func find(_ key: String, _ owner: UInt64, in cache: borrowing KeyCache) -> Found {
        var writer = ByteWriter(capacity: 64)
        let beginning = key.withBytes { cache.append($0, owner: owner, to: &writer) }
        return Found(beginning: beginning, text: writer.withBytes { Array($0) })
    }

    private static func expect(_ found: Found, is expected: Found = Found(), _ key: String) {
        #expect(found == expected, "\(key)")
    }

    private static func keep(_ key: String, _ owner: UInt64, in cache: inout KeyCache) -> UInt64 {
        var writer = ByteWriter(capacity: 64)
        guard let plain = PlainKey.append(key, to: &writer) else { return 0 }
        writer.withBytes { cache.keep($0, plain, owner: owner) }
        return plain.beginning
    }

    /// Around the ends of words, and around the longest that is kept.
    private static let lengths = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 23, 24, 25, 26, 27, 28, 128]

    @Test func aKeyIsFoundAsItWasRead() {
        for length in Self.lengths {
            var cache = KeyCache()
            let key = String(String(repeating: "a.plain.key-of.many/letters 0123456789", count: 4).prefix(length))
            Self.expect(Self.find(key, 1, in: cache), key)
            let beginning = Self.keep(key, 1, in: &cache)
            let kept = Found(beginning: beginning, text: Self.text(key))
            Self.expect(Self.find(key, 1, in: cache), is: length <= KeyCache.longest ? kept : Found(), key)
            Self.expect(Self.find(key, 2, in: cache), key)
            Self.expect(Self.find("", 1, in: cache), key)
        }
    }

    @Test func noKeyIsTakenForOneThatDiffersInOneByte() {
        for length in Self.lengths where length <= KeyCache.longest {
            var cache = KeyCache()
            let key = Array("a.plain.key-of.many/letters".utf8.prefix(length))
            let text = String(decoding: key, as: UTF8.self)
            _ = Self.keep(text, 1, in: &cache)
            for place in key.indices {
                var other = key
                other[place] ^= 1
                Self.expect(Self.find(String(decoding: other, as: UTF8.self), 1, in: cache), text)
            }
            Self.expect(Self.find(String(text.dropLast()), 1, in: cache), text)
            Self.expect(Self.find(text + "\u{0}", 1, in: cache), text)
        }
    }

    /// More keys than there is room for, of three owners.
    @Test func whatIsFoundIsRightWhateverWasKeptBefore() {
        var random = SeededGenerator(seed: 1)
        var cache = KeyCache()
        var found = 0
        for _ in 0..<20_000 {
            let letters = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                ["a", "b", ".", "request"].randomElement(using: &random) ?? "a"
            }
            let key = letters.joined()
            let owner = UInt64.random(in: 1...3, using: &random)
            let answer = Self.find(key, owner, in: cache)
            if answer == Found() {
                _ = Self.keep(key, owner, in: &cache)
            } else {
                var writer = ByteWriter(capacity: 64)
                let beginning = PlainKey.append(key, to: &writer)?.beginning ?? 0
                Self.expect(answer, is: Found(beginning: beginning, text: Self.text(key)), key)
                found += 1
            }
        }
        #expect(found > 1000)
    }

    /// Eight producers that log the same statements on one thread.
    @Test func manyOwnersOfTheSameKeysFindNearlyAllOfTheirs() {
        var cache = KeyCache()
        let keys = [
            "request.id", "path", "status", "duration_us", "user", "method", "bytes", "remote", "trace", "span",
        ]
        for owner in 1...8 { for key in keys { _ = Self.keep(key, UInt64(owner), in: &cache) } }
        var found = 0
        for owner in 1...8 { for key in keys where Self.find(key, UInt64(owner), in: cache) != Found() { found += 1 } }
        #expect(found >= 68)
    }

    /// Whether such a key is plain depends on the record.
    @Test func anErrorsNamesAreNotKeptAsPlain() async throws {
        struct OrderError: Error {}
        let rig = try Rig()
        for _ in 0..<2 {
            rig.sink().info("m", metadata: ["error.type": "mine"])
            rig.sink().info("m", error: OrderError(), metadata: ["error.type": "mine"])
        }
        let logs = await rig.drain()
        #expect(logs.map { $0["error.type"] == "mine" } == [true, false, true, false])
        #expect(logs.map { $0["error.type_2"] } == [nil, "mine", nil, "mine"])
        await rig.stop()
    }

    /// One thread logs through both, so that they share its keys.
    @Test func producersOfOneThreadHaveTheirOwnRulesAndNames() async throws {
        let keeping = try Rig { $0.redaction = .none }
        let masking = try Rig { $0.redaction.rules = [.key("path", .mask)] }
        let naming = try Rig { $0.fields.level = "path" }
        for _ in 0..<3 { for rig in [keeping, masking, naming] { rig.sink().info("m", metadata: ["path": "/"]) } }
        #expect(await keeping.drain().map { $0["path"] } == ["/", "/", "/"])
        #expect(await masking.drain().allSatisfy { $0["path"] == "[redacted]" })
        #expect(await naming.drain().allSatisfy { $0["path"] == "info" && $0["path_2"] == "/" })
        try keeping.producer.setRedaction(Redaction(rules: [.suffix("path", .drop)]))
        keeping.sink().info("m", metadata: ["path": "/"])
        #expect(await keeping.drain().last?["path"] == nil)
        for rig in [keeping, masking, naming] { await rig.stop() }
    }
}

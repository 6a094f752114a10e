// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Metadata leaves in one order, that of the bytes of the fields' names, whatever order its dictionaries have.
@Suite(.timeLimit(.minutes(10))) struct FieldOrderTests {
    /// Equal dictionaries of several capacities, and so with their keys in several orders.
    private static func instances(_ values: LogMetadata) -> [LogMetadata] {
        [1, 24, 48, 96, 192, 384].map { capacity in
            var metadata = LogMetadata(minimumCapacity: capacity)
            for (key, value) in values.shuffled() { metadata[key] = value }
            return metadata
        }
    }

    private static func layer(_ keys: [String]) -> LogMetadata {
        LogMetadata(uniqueKeysWithValues: keys.map { ($0, .string("value of \($0)")) })
    }

    /// In order, with beginnings that are the same for one word, for several, or to the end of one of two.
    private static let keys = [
        " ", "!", "A", "a", "a b", "a!", "a.b", "ab", "abcdef", "abcdefg", "bytes.in", "bytes.out", "duration_us",
        "http.request.header.accept", "http.request.header.accept-encoding", "http.request.header.host",
        "http.request.method", "http.response.status", "path", "request.id", "request.path", "status", "z", "~",
    ]

    /// What stands before the metadata.
    private static let leading = 9

    private static func byBytes(_ names: some Sequence<String>) -> [String] {
        names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    @Test func aStatementsFieldsLeaveInOneOrderWhateverTheInstanceOfTheirDictionary() async throws {
        let rig = try Rig()
        let equal = Self.instances(Self.layer(Self.keys))
        try #require(Set(equal.map { Array($0.keys) }).count > 1)
        for metadata in equal { rig.sink().info("m", metadata: metadata) }
        await rig.drain()
        let names = try rig.names()
        #expect(names.count == equal.count)
        for names in names { #expect(Array(names.dropFirst(Self.leading)) == Self.keys) }
        await rig.stop()
    }

    /// The layers have their keys in turn, and some of them in common.
    @Test(arguments: [false, true])
    func handlerProviderAndEventMetadataLeaveInOneOrderTogether(isNested: Bool) async throws {
        let rig = try Rig()
        func layer(_ number: Int, every step: Int) -> LogMetadata {
            Self.layer(stride(from: number, to: Self.keys.count, by: step).map { Self.keys[$0] })
        }
        var own = layer(0, every: 3)
        // One value that is not plain decides about the way of all of them.
        if isNested { own["nested"] = ["leaf": "v"] }
        let layers = zip(
            Self.instances(layer(1, every: 2)),
            zip(Self.instances(layer(2, every: 4)), Self.instances(own))
        )
        for (base, (provided, own)) in layers {
            var sink = rig.sink()
            sink.metadata = base
            sink.metadataProvider = LogMetadataProvider { provided }
            sink.info("m", metadata: own)
        }
        await rig.drain()
        let places = Self.keys.indices.filter { $0 % 2 == 1 || $0 % 3 == 0 || $0 % 4 == 2 }
        let expected = Self.byBytes(places.map { Self.keys[$0] } + (isNested ? ["nested.leaf"] : []))
        let names = try rig.names()
        #expect(names.count == 6)
        for names in names { #expect(Array(names.dropFirst(Self.leading)) == expected) }
        await rig.stop()
    }

    @Test func dictionariesInMetadataLeaveInOneOrderAtAnyDepth() async throws {
        let rig = try Rig { $0.limits.maximumNesting = 3 }
        func nested(_ number: Int, depth: Int) -> LogMetadata {
            var metadata = Self.instances(Self.layer(["k1", "k2", "k3", "request.id"]))[number]
            if depth < 6 {
                metadata["below"] = .dictionary(nested(number, depth: depth + 1))
                metadata["list"] = ["a", .dictionary(nested(number, depth: depth + 2))]
            }
            return metadata
        }
        for number in 0..<6 { rig.sink().info("m", metadata: nested(number, depth: 0)) }
        let logs = await rig.drain()
        let names = try rig.names().map { Array($0.dropFirst(Self.leading)) }
        #expect(names.count == 6)
        for (names, log) in zip(names, logs) {
            #expect(names == Self.byBytes(names) && names.count > 16)
            // What is below the deepest level, and in lists, is text.
            for name in names { #expect(log[name] == logs[0][name]) }
        }
        await rig.stop()
    }

    @Test func namesThatHaveToBeRepairedTakeTheirPlaceInTheOrder() async throws {
        let rig = try Rig()
        let keys = ["message", "message!", "message_1", "", "caf\u{E9}", "cafe", "cafz", "__time__", "a\n"]
        let values = Self.layer(keys)
        for metadata in Self.instances(values) { rig.sink().info("m", metadata: metadata) }
        await rig.drain()
        let names = try rig.names().map { Array($0.dropFirst(Self.leading)) }
        #expect(names.count == 6)
        for names in names { #expect(names == Self.byBytes(names) && names.count == values.count) }
        #expect(names.first?.contains("message_2") ?? false)
        await rig.stop()
    }

    @Test(arguments: [0, 1, 2, 31, 32, 33, 34, 63, 64, 65, 500])
    func anyNumberOfFieldsIsInOrder(count: Int) async throws {
        let rig = try Rig()
        let keys = (0..<count).map { "\(["key", "request.", "a.longer.beginning."][$0 % 3])\($0)" }
        for metadata in Self.instances(Self.layer(keys)) { rig.sink().info("m", metadata: metadata) }
        await rig.drain()
        let names = try rig.names()
        #expect(names.count == 6)
        for names in names { #expect(Array(names.dropFirst(Self.leading)) == Self.byBytes(keys)) }
        await rig.stop()
    }

    /// More than can be numbered: the general mapping has them in the same order.
    @Test func moreFieldsThanAreGatheredAreInOrder() async throws {
        let rig = try Rig()
        let keys = (0..<17_000).map { "key\($0)" }
        rig.sink().info("m", metadata: Self.layer(keys))
        await rig.drain()
        #expect(try rig.names().map { Array($0.dropFirst(Self.leading)) } == [Self.byBytes(keys)])
        await rig.stop()
    }
}

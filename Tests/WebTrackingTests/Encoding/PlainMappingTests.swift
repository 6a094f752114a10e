//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// The encoder writes plain metadata itself, and leaves everything else to the general mapping. Both have to say the same:
/// here each event is logged twice, the second time with a nested value beside the others, for which the general mapping
/// is asked.
@Suite(.timeLimit(.minutes(10))) struct PlainMappingTests {
    private struct OrderError: Error, CustomStringConvertible {
        var description: String
    }

    private struct Event {
        var base: LogMetadata
        var provided: LogMetadata?
        var own: LogMetadata
        var error: OrderError?
    }

    /// Keys that the encoder writes itself: short, around the ends of words, as long as can be, and with dots.
    private static let plainKeys =
        ["a", "b", "a.b", "x.y", "z_2", "z", "seven77", "eight888", "nine99999", "request.id", "sixteen.letters1"]
        + [16, 17, 127, 128].map { String(repeating: "k", count: $0) }
    /// Keys that need the general mapping: default fields, the error's, the service's own, empty, escaped, too long.
    private static let otherKeys = [
        "level", "time", "message", "error.type", "error.message", "_k", "__time__", "", "caf\u{e9}", "k\"", "k\n",
        String(repeating: "k", count: 129), String(repeating: "k", count: 300),
    ]

    private static func value(_ random: inout SeededGenerator, isPlain: Bool) -> LogMetadataValue {
        if !isPlain, Bool.random(using: &random) { return .string(String(repeating: "v\u{e9}", count: 200)) }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return .stringConvertible(Int.random(in: -9...99_999, using: &random))
        case 1: return .string("\"quoted\"\n\u{1F600}\u{0}\(Int.random(in: 0..<99, using: &random))")
        case 2: return .string("")
        default: return .string(String(repeating: "v", count: Int.random(in: 0...256, using: &random)))
        }
    }

    private static func layer(_ random: inout SeededGenerator, isPlain: Bool) -> LogMetadata {
        var layer: LogMetadata = [:]
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let isOther = !isPlain && Bool.random(using: &random)
            let keys = isOther ? Self.otherKeys : Self.plainKeys
            layer[keys.randomElement(using: &random) ?? "a"] = Self.value(&random, isPlain: isPlain)
        }
        return layer
    }

    private static func event(_ random: inout SeededGenerator, isPlain: Bool) -> Event {
        Event(
            base: Self.layer(&random, isPlain: isPlain),
            provided: Bool.random(using: &random) ? Self.layer(&random, isPlain: isPlain) : nil,
            own: Self.layer(&random, isPlain: isPlain),
            error: Bool.random(using: &random) ? OrderError(description: "no \"ledger\"\n") : nil
        )
    }

    /// The names of the records' fields, in their order.
    private static func names(in body: [UInt8]) throws -> [[String]] {
        guard case .object(let members) = try JSONValue.parse(body),
            case .array(let records) = members.last?.value
        else { return [] }
        return records.map { record in
            guard case .object(let fields) = record else { return [] }
            return fields.map(\.name)
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func bothGiveTheSameFields(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let rig = try Rig { $0.limits.maximumValueBytes = 256 }
        // Nine of ten are plain; the others are there since one value that is not decides about all of a record's.
        let events = (0..<200).map { Self.event(&random, isPlain: $0 % 10 != 0) }
        for event in events {
            var sink = rig.sink()
            sink.metadata = event.base
            if let provided = event.provided { sink.metadataProvider = LogMetadataProvider { provided } }
            sink.info("m", error: event.error, metadata: event.own)
            var nested = event.own
            nested["nested"] = ["leaf": "v"]
            sink.info("m", error: event.error, metadata: nested)
        }
        let logs = await rig.drain()
        try #require(logs.count == 2 * events.count)
        for number in events.indices {
            var (plain, general) = (logs[2 * number], logs[2 * number + 1])
            #expect(general.removeValue(forKey: "nested.leaf") == "v")
            for name in ["seq", "line"] {
                plain[name] = nil
                general[name] = nil
            }
            #expect(plain == general, "event \(number): \(events[number])")
        }
        // The general mapping sorts its names; what is in another order was not written by it. Nine of ten events could
        // be, and a few of those are in order by chance.
        let names = try rig.transport.stored.flatMap { try Self.names(in: $0.rawBody) }
        try #require(names.count == logs.count)
        let own = Set(["seq", "time", "level", "label", "message", "source", "file", "function", "line"])
        let unsorted = stride(from: 0, to: names.count, by: 2).count { index in
            let metadata = names[index].filter { !own.contains($0) && !$0.hasPrefix("error.") }
            return metadata != metadata.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
        #expect(unsorted > events.count / 2)
        await rig.stop()
    }
}

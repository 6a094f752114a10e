// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// The encoder writes plain metadata itself, and leaves everything else to the general mapping. Both have to say the same:
/// here each event is logged twice, the second time with a nested value beside the others, for which the general mapping
/// is asked.
@Suite(.timeLimit(.minutes(10))) struct PlainMappingTests {
    #if SwiftLog
    private enum Privacy: Int64, Sendable, Logging.Logger.MetadataValueAttributes.Attribute {
        case open = 0
        case dropped = 1
        case pseudonym = 2
    }
    #endif

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

    /// Keys that a rule of ``redaction()`` is for, plain ones and others.
    private static let secretKeys = [
        "token", "a.token", "token.kept", "mail", "user.mail", "X-Mail", "body", "response.body", "session_body",
        "card-number.x", "pwd", "caf\u{e9}.token", "_token", "\"mail",
    ]

    /// Each action, by key, by ending, by attribute and by function, with rules that outrank others.
    private static func redaction() -> Redaction {
        var rules: [RedactionRule] = [
            .key("token.kept", .keep), .key("mail", .pseudonym), .suffix("body", .drop),
            .function { key, value in
                if key == "z" { return value.utf8.count % 2 == 0 ? .drop : .mask }
                return value == "" && key.hasPrefix("a") ? .pseudonym : nil
            },
        ]
        #if SwiftLog
        rules += [.attribute(Privacy.dropped, .drop), .attribute(Privacy.pseudonym, .pseudonym)]
        #endif
        return Redaction(
            rules: rules + Redaction.standard.rules,
            pseudonymKey: PseudonymKey(bytes: Array(0..<16))
        )
    }

    private static func value(_ random: inout SeededGenerator, isPlain: Bool) -> LogMetadataValue {
        if !isPlain, Bool.random(using: &random) { return .string(String(repeating: "v\u{e9}", count: 200)) }
        #if SwiftLog
        if Int.random(in: 0..<6, using: &random) == 0 {
            let privacy = [Privacy.open, .dropped, .pseudonym].randomElement(using: &random) ?? .open
            let text = String(repeating: "\"", count: Int.random(in: 0...200, using: &random))
            return Bool.random(using: &random)
                ? .attributed(text, attributes: [privacy]) : .attributed(text, attributes: [Sensitivity.sensitive])
        }
        #endif
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return .stringConvertible(Int.random(in: -9...99_999, using: &random))
        case 1: return .string("\"quoted\"\n\u{1F600}\u{0}\(Int.random(in: 0..<99, using: &random))")
        case 2: return .string("")
        default: return .string(String(repeating: "v", count: Int.random(in: 0...256, using: &random)))
        }
    }

    private static func layer(
        _ random: inout SeededGenerator,
        isPlain: Bool,
        hasSecrets: Bool = false
    ) -> LogMetadata {
        var layer: LogMetadata = [:]
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let isOther = !isPlain && Bool.random(using: &random)
            let keys = isOther ? Self.otherKeys : Self.plainKeys
            layer[keys.randomElement(using: &random) ?? "a"] = Self.value(&random, isPlain: isPlain)
        }
        guard hasSecrets else { return layer }
        // What is masked may be as long as it likes.
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let isPlain = Int.random(in: 0..<4, using: &random) > 0
            layer[Self.secretKeys.randomElement(using: &random) ?? "a"] = Self.value(&random, isPlain: isPlain)
        }
        return layer
    }

    private static func event(_ random: inout SeededGenerator, isPlain: Bool, hasSecrets: Bool = false) -> Event {
        func layer() -> LogMetadata { Self.layer(&random, isPlain: isPlain, hasSecrets: hasSecrets) }
        return Event(
            base: layer(),
            provided: Bool.random(using: &random) ? layer() : nil,
            own: layer(),
            error: Bool.random(using: &random) ? OrderError(description: "no \"ledger\"\n") : nil
        )
    }

    @Test func anyOfManyHandlerValuesIsOutranked() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        let keys = (0..<80).map { "key\($0)" }
        sink.metadata = LogMetadata(uniqueKeysWithValues: keys.map { ($0, "handler") })
        for key in keys { sink.info("m", metadata: [key: "event"]) }
        let logs = await rig.drain()
        try #require(logs.count == keys.count)
        for (key, log) in zip(keys, logs) {
            #expect(keys.allSatisfy { log[$0] == ($0 == key ? "event" : "handler") }, "\(key)")
        }
        #expect(try rig.names().allSatisfy { Set($0).count == $0.count })
        await rig.stop()
    }

    /// Each value that is redacted must be so on both ways, and counted once; the layers outrank each other before.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func bothRedactTheSame(seed: UInt64) async throws {
        var random = SeededGenerator(seed: 100 + seed)
        let redaction = Self.redaction()
        let rig = try Rig {
            $0.limits.maximumValueBytes = 256
            if seed % 2 == 0 { $0.redaction = redaction }
        }
        let events = (0..<500).map { Self.event(&random, isPlain: $0 % 10 != 0, hasSecrets: true) }
        var redacted = rig.producer.statistics.redacted
        var counts: [Int] = []
        for event in events {
            var sink = rig.sink()
            // In half of the runs, handlers are older than the redaction.
            if seed % 2 != 0 { try rig.producer.setRedaction(.standard) }
            sink.metadata = event.base
            if seed % 2 != 0 { try rig.producer.setRedaction(redaction) }
            if let provided = event.provided { sink.metadataProvider = LogMetadataProvider { provided } }
            var nested = event.own
            nested["nested"] = ["leaf": "v"]
            for metadata in [event.own, nested] {
                sink.info("m", error: event.error, metadata: metadata)
                counts.append(rig.producer.statistics.redacted - redacted)
                redacted += counts.last ?? 0
            }
        }
        let logs = await rig.drain()
        try #require(logs.count == 2 * events.count)
        for number in events.indices {
            var (plain, general) = (logs[2 * number], logs[2 * number + 1])
            #expect(general.removeValue(forKey: "nested.leaf") == "v")
            plain["seq"] = nil
            general["seq"] = nil
            #expect(plain == general, "event \(number): \(events[number])")
            #expect(counts[2 * number] == counts[2 * number + 1], "event \(number): \(events[number])")
        }
        #expect(redacted > events.count)
        try Self.checkOrder(rig, of: logs.count)
        let plain = events.count { Self.isPlain($0, seed % 2 == 0 ? redaction : .standard) }
        #expect(plain > events.count / 4)
        await rig.stop()
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
        try Self.checkOrder(rig, of: logs.count)
        #expect(events.count { Self.isPlain($0, .standard) } > events.count / 2)
        await rig.stop()
    }

    /// Both ways write the fields in one order.
    private static func checkOrder(_ rig: Rig, of count: Int) throws {
        let names = try rig.names()
        try #require(names.count == count)
        for index in stride(from: 0, to: names.count, by: 2) {
            #expect(names[index] == names[index + 1].filter { $0 != "nested.leaf" }, "event \(index / 2)")
        }
    }

    /// Whether the encoder writes an event's metadata itself.
    private static func isPlain(_ event: Event, _ redaction: Redaction) -> Bool {
        let redactor = Redactor(redaction, count: RedactionCount())
        let encoder = RecordEncoder(
            mapping: FieldMapping(),
            promoted: [],
            limits: RecordEncoder.Limits(valueBytes: 256, recordBytes: 1 << 20, nesting: 8)
        )
        return EncoderScratch.withCurrent { scratch in
            defer { scratch.members.clear() }
            return encoder.appendPlainMetadata(
                LogEvent(
                    level: .info,
                    message: "m",
                    error: event.error,
                    metadata: event.own,
                    source: nil,
                    file: "",
                    function: "",
                    line: 0
                ),
                fields: HandlerFields(metadata: event.base, encoder: encoder, redactor: redactor),
                provided: event.provided,
                redactor: redactor,
                to: &scratch
            )
        } nested: { _, _ in
            false
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// What the counters say is what happened, by a model that shares no code with what counts.
@Suite("Counters", .timeLimit(.minutes(10)))
struct CounterTests {
    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private struct Event {
        var level: LogLevel
        var statement: Int
        var handler: Int
        var provided: LogMetadata?
        var own: LogMetadata
        var error: Failure?
    }

    private static let keys = [
        "a", "b", "user", "mail", "x.token", "api.key", "keep.token", "tenant", "region", "deep",
    ]

    private static func leaf(_ random: inout SeededGenerator) -> LogMetadataValue {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return "13"
        case 1: return .stringConvertible(Int.random(in: 12...14, using: &random))
        case 2: return .string(String(repeating: "v", count: Int.random(in: 0...400, using: &random)))
        default: return .string("v\(Int.random(in: 0..<4, using: &random))")
        }
    }

    private static func value(_ random: inout SeededGenerator, depth: Int = 0) -> LogMetadataValue {
        switch Int.random(in: 0..<30, using: &random) {
        case 0...2 where depth < 3: return .dictionary(self.layer(&random, depth: depth + 1))
        case 3...4 where depth < 3: return .array((0..<2).map { _ in self.value(&random, depth: depth + 1) })
        case 5 where depth == 0:
            let isArray = Bool.random(using: &random)
            return (0..<Int.random(in: 55...75, using: &random)).reduce(self.leaf(&random)) { value, _ in
                isArray ? .array([value, "13"]) : .dictionary(["d": value, "mail": "m"])
            }
        default: return self.leaf(&random)
        }
    }

    private static func layer(_ random: inout SeededGenerator, depth: Int = 0) -> LogMetadata {
        var layer: LogMetadata = [:]
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            layer[self.keys.randomElement(using: &random) ?? "a"] = self.value(&random, depth: depth)
        }
        return layer
    }

    // MARK: The model

    /// What becomes of one value; `nil` for nothing.
    private static func action(_ path: String, _ text: String) -> Redaction.Action? {
        let parts = path.split(separator: ".", omittingEmptySubsequences: false)
        if path == "keep.token" || path.hasPrefix("keep.token.") { return nil }
        if parts.contains("mail") { return .drop }
        if parts.contains("token") || zip(parts, parts.dropFirst()).contains(where: { $0 == ("api", "key") }) {
            return .mask
        }
        if parts.contains("user") { return .pseudonym }
        return text == "13" ? .mask : nil
    }

    /// How many leaves are changed, and whether anything is left of the value.
    ///
    /// - Parameter json: How many levels deep in JSON text; `nil` outside.
    private static func changes(_ value: LogMetadataValue, _ path: String, keys: Int, json: Int?) -> (Int, Bool) {
        if let json, json >= 64 { return (0, true) }
        switch value {
        case .string(let text):
            let action = self.action(path, text)
            return (action == nil ? 0 : 1, action != .drop)
        case .stringConvertible(let value):
            let action = self.action(path, value.description)
            return (action == nil ? 0 : 1, action != .drop)
        case .dictionary(let values):
            let below = json.map { $0 + 1 } ?? (keys > 8 ? 1 : nil)
            let all = values.map { self.changes($1, "\(path).\($0)", keys: keys + 1, json: below) }
            return (all.reduce(0) { $0 + $1.0 }, values.isEmpty || all.contains { $0.1 })
        case .array(let values):
            let all = values.map { self.changes($0, path, keys: keys + 1, json: (json ?? 0) + 1) }
            return (all.reduce(0) { $0 + $1.0 }, values.isEmpty || all.contains { $0.1 })
        }
    }

    @Test("statistics.redacted is what a model counts, over 10,000 records with every policy on", arguments: 1...4)
    func redactedIsExact(seed: Int) async throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let rate = Sampling.Rate(first: 40, thenOneIn: 3)
        let rig = try Rig {
            $0.redaction = Redaction(
                rules: [
                    .key("keep.token", .keep), .key("mail", .drop), .suffix("token", .mask), .suffix("api-key", .mask),
                    .key("user", .pseudonym), .function { _, value in value == "13" ? .mask : nil },
                ],
                pseudonymKey: PseudonymKey(bytes: Array(0..<16))
            )
            $0.sampling.rates = [.debug: rate]
            $0.sampling.suppressedRepeats = [.info]
            // Topics overflow in some runs; in others the topic is known before the record.
            $0.topic = seed % 2 == 0 ? .metadata(key: "tenant", fallback: "") : .label
            $0.promotedTags = seed == 3 ? [] : ["region", "user"]
            $0.maximumTopics = seed < 3 ? 3 : 1000
            $0.limits.maximumValueBytes = 256
            $0.limits.maximumRecordBytes = 32_768
        }
        let layers = (0..<6).map { _ in Self.layer(&random) }
        var sinks = layers.enumerated().map { number, layer in
            var sink = rig.sink("label.\(number)")
            sink.metadata = layer
            return sink
        }
        var expected = 0
        var sampled: [Int: Int] = [:]
        var leftOut = 0
        var last: Event?
        for _ in 0..<2500 {
            var event = Event(
                level: [.debug, .info, .error].randomElement(using: &random) ?? .info,
                statement: Int.random(in: 1...3, using: &random),
                handler: Int.random(in: 0..<6, using: &random),
                provided: Bool.random(using: &random) ? Self.layer(&random) : nil,
                own: Self.layer(&random),
                error: Int.random(in: 0..<8, using: &random) == 0 ? Failure(description: "13") : nil
            )
            // Now and then the same once more.
            if let last, Int.random(in: 0..<6, using: &random) == 0 { event = last }
            last = event
            let provided = event.provided
            sinks[event.handler].metadataProvider = provided.map { layer in LogMetadataProvider { layer } }
            sinks[event.handler].log(
                event: LogEvent(
                    level: event.level,
                    message: "m",
                    error: event.error,
                    metadata: event.own,
                    source: nil,
                    file: "M/F.swift",
                    function: "f()",
                    line: UInt(event.statement)
                )
            )
            if event.level == .debug {
                let number = sampled[event.statement, default: 0] + 1
                sampled[event.statement] = number
                if number > 40, (number - 40) % 3 != 0 {
                    leftOut += 1
                    continue
                }
            }
            let merged = layers[event.handler].merging(provided ?? [:]) { $1 }.merging(event.own) { $1 }
            expected += merged.reduce(0) { $0 + Self.changes($1.value, $1.key, keys: 1, json: nil).0 }
            if event.error != nil { expected += 1 }
        }
        let logs = await rig.drain()
        let statistics = rig.producer.statistics
        #expect(statistics.redacted == expected)
        #expect(expected > 2500)
        #expect(statistics.accepted == 2500 + statistics.synthetic && statistics.pending == 0)
        #expect(statistics.dropped[.sampled] == leftOut)
        func sum(_ field: String) -> Int { logs.reduce(0) { $0 + ($1[field].flatMap { Int($0) } ?? 0) } }
        #expect(sum("sampling.left_out") == leftOut)
        #expect(statistics.dropped[.repeated, default: 0] == sum("repeated.count"))
        #expect(sum("repeated.count") > 0)
        #expect(statistics.totalDropped == leftOut + sum("repeated.count"))
        let overflown = self.overflown(of: rig.transport.stored, byLabel: seed % 2 == 1)
        #expect(statistics.repaired[.topicOverflow, default: 0] == overflown)
        #expect(overflown > 0 || seed > 2)
        await rig.stop()
    }

    /// How many records arrived in the base topic that belong to another: their topic or tags are among their fields.
    private func overflown(of requests: [RecordedRequest], byLabel isByLabel: Bool) -> Int {
        requests.filter { $0.topic.isEmpty && $0.tags["region"] == nil && $0.tags["user"] == nil }
            .flatMap(\.logs)
            .count { log in
                guard log["label"] != "webtracking", log["sampling.left_out"] == nil else { return false }
                if isByLabel { return true }
                return ["tenant", "region", "user"].contains { key in
                    guard let value = log[key] else { return false }
                    // What has parts inside is never topic or tag, and what is long is no tag.
                    let isText = value == "[redacted]" || !value.hasPrefix("[") && !value.hasPrefix("{")
                    return isText && (key == "tenant" || value.utf8.count <= 128)
                }
            }
    }

    @Test("A deep value is cut at the same depth with and without redaction, and counted", arguments: [false, true])
    func deepValuesAreCutAlike(isArray: Bool) async throws {
        for depth in 60...90 {
            let value = (0..<depth).reduce(LogMetadataValue.string("leaf")) { value, _ in
                isArray ? .array([value]) : .dictionary(["k": value])
            }
            var seen: [([String: String], [RepairKind: Int])] = []
            for redaction in [Redaction.none, .standard] {
                let rig = try Rig { $0.redaction = redaction }
                rig.sink().info("m", metadata: ["k": value])
                let log = try #require(await rig.drain().first)
                seen.append((log.filter { $0.key.hasPrefix("k") }, rig.producer.statistics.repaired))
                await rig.stop()
            }
            #expect(seen[0] == seen[1], "\(depth)")
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// What was judged is what is sent.
@Suite("A value is asked for its description once", .timeLimit(.minutes(10)))
struct DescribedOnceTests {
    private static let secret = "sk_live_7f3a"

    /// Says "ok" when it is asked first, and the secret from then on.
    private final class TwoFaced: CustomStringConvertible, Sendable {
        let asked = Atomic(0)
        let first: String

        init(_ first: String = "ok") { self.first = first }

        var description: String {
            self.asked.add(1, ordering: .relaxed).newValue == 1 ? self.first : DescribedOnceTests.secret
        }
    }

    private struct Failure: Error, CustomStringConvertible {
        let face: TwoFaced
        var description: String { self.face.description }
    }

    /// Two functions, so that each value is asked about twice.
    private static func judge(_ configuration: inout WebTrackingConfiguration) {
        configuration.redaction.rules += (0..<2).map { _ in
            .function { _, value in value.hasPrefix("sk_live_") ? .mask : nil }
        }
    }

    enum Way: CaseIterable {
        case plain, besideNested, nested, inArray, besideLongKey, tooLong, oversize, oversizeNested, handler, provider,
            outranked, topic, promoted, promotedTooLong, promotedContainer, overflow, overflowByLabel, error,
            oversizeError, folded, pseudonym, withoutRules
    }

    @Test("On every way of a record, what was judged is sent, and nothing is asked twice", arguments: Way.allCases)
    func whatWasJudgedIsSent(way: Way) async throws {
        let long = String(repeating: "v", count: 20_000)
        let face = TwoFaced(way == .tooLong || way == .promotedTooLong ? String(repeating: "k", count: 400) : "ok")
        let value = LogMetadataValue.stringConvertible(face)
        let rig = try Rig {
            if way != .withoutRules { Self.judge(&$0) }
            switch way {
            case .tooLong: $0.limits.maximumValueBytes = 256
            case .oversize, .oversizeNested, .oversizeError: $0.limits.maximumRecordBytes = 32_768
            case .topic: $0.topic = .metadata(key: "v", fallback: "")
            case .promoted, .promotedTooLong, .promotedContainer: $0.promotedTags = ["v"]
            case .overflow:
                $0.promotedTags = ["v"]
                $0.maximumTopics = 1
            case .overflowByLabel:
                $0.topic = .label
                $0.maximumTopics = 1
            case .folded: $0.sampling.suppressedRepeats = [.info]
            case .pseudonym:
                $0.redaction.rules.insert(.key("v", .pseudonym), at: 0)
                $0.redaction.pseudonymKey = PseudonymKey(bytes: Array(0..<16))
            default: break
            }
        }
        var sink = rig.sink()
        switch way {
        case .nested: sink.info("m", metadata: ["d": ["v": value]])
        case .besideNested: sink.info("m", metadata: ["v": value, "z": ["n": "1"], "a": ["n": "1"]])
        case .inArray, .promotedContainer: sink.info("m", metadata: ["v": ["x", value]])
        case .besideLongKey:
            sink.info("m", metadata: ["v": value, String(repeating: "k", count: 200): "1", "__topic__": "1"])
        case .oversize: sink.info("m", metadata: ["v": value, "a": "\(long)", "b": "\(long)"])
        case .oversizeNested: sink.info("m", metadata: ["v": value, "d": ["w": value], "a": "\(long)", "b": "\(long)"])
        case .handler:
            sink.metadata = ["v": value]
            sink.info("m")
        case .provider:
            sink.metadataProvider = LogMetadataProvider { ["v": value] }
            sink.info("m", metadata: ["n": ["n": "1"]])
        case .outranked:
            sink.metadataProvider = LogMetadataProvider { ["v": "\(long)", "w": "provider"] }
            sink.info("m", metadata: ["v": value])
        case .error: sink.log(level: .info, "m", error: Failure(face: face), metadata: nil)
        case .oversizeError:
            sink.log(level: .info, "m", error: Failure(face: face), metadata: ["a": "\(long)", "b": "\(long)"])
        case .folded:
            sink.info("m", metadata: ["v": value])
            sink.info("m", metadata: ["v": "ok"])
        default: sink.info("m", metadata: ["v": value])
        }
        await rig.drain()
        let wire = rig.transport.stored.map { String(decoding: $0.rawBody, as: UTF8.self) }.joined()
        #expect(!wire.contains(Self.secret) || way == .oversizeNested)
        // In two places it is two values.
        #expect(face.asked.load(ordering: .relaxed) == (way == .oversizeNested ? 2 : 1))
        #expect(wire.contains("ok") || wire.contains("kkk") || wire.contains("p:"))
        await rig.stop()
    }

    @Test("After a change of the redaction, a handler's value is asked for each record that has it, and for no other")
    func asksNoOutrankedValueOfAnOlderHandler() async throws {
        let face = TwoFaced("ok")
        let rig = try Rig()
        var sink = rig.sink()
        sink[metadataKey: "v"] = .stringConvertible(face)
        let before = face.asked.load(ordering: .relaxed)
        try rig.producer.setRedaction(.none)
        sink.info("1", metadata: ["v": "event"])
        #expect(face.asked.load(ordering: .relaxed) == before)
        sink.info("2")
        #expect(face.asked.load(ordering: .relaxed) == before + 1)
        let logs = await rig.drain()
        #expect(logs.first?["v"] == "event")
        await rig.stop()
    }

    @Test("A change of the sampling alone leaves what is ready of a handler's metadata")
    func asksNoValueAgainAfterAChangeOfTheSampling() async throws {
        let face = TwoFaced("ok")
        let rig = try Rig()
        var sink = rig.sink()
        sink[metadataKey: "v"] = .stringConvertible(face)
        let before = face.asked.load(ordering: .relaxed)
        var sampling = Sampling.off
        sampling.suppressedRepeats = [.debug]
        try rig.producer.setSampling(sampling)
        sink.info("1")
        #expect(face.asked.load(ordering: .relaxed) == before)
        #expect(await rig.drain().first?["v"] == "ok")
        await rig.stop()
    }
}

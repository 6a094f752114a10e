// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// The field mapping guide's table, row by row.
@Suite(.timeLimit(.minutes(10))) struct FieldMappingTests {
    /// The fields of one record beyond the default ones.
    private func fields(
        _ metadata: LogMetadata,
        error: (any Error)? = nil,
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) async throws -> (fields: [String: String], repaired: [RepairKind: Int]) {
        let rig = try Rig(configure: configure)
        rig.sink().info("m", error: error, metadata: metadata)
        var log = try #require(await rig.drain().first)
        let repaired = rig.producer.statistics.repaired
        for name in ["seq", "time", "level", "label", "message", "source", "file", "function", "line"] {
            log[name] = nil
        }
        await rig.stop()
        return (log, repaired)
    }

    @Test func nestedDictionariesFlattenWithDots() async throws {
        let (fields, repaired) = try await self.fields(["a": ["b": "1", "c": ["d": "2"]], "e": "3"])
        #expect(fields == ["a.b": "1", "a.c.d": "2", "e": "3"])
        #expect(repaired == [:])
    }

    @Test func arraysAndEmptyContainersBecomeJSONText() async throws {
        let (fields, repaired) = try await self.fields([
            "list": ["x", ["k": "v\"", "j": []], .stringConvertible(7)], "none": [:], "empty": .array([]),
        ])
        #expect(fields == ["list": #"["x",{"j":[],"k":"v\""},"7"]"#, "none": "{}", "empty": "[]"])
        #expect(repaired == [:])
    }

    @Test func convertibleValuesAreDescribed() async throws {
        let (fields, _) = try await self.fields(["n": .stringConvertible(42), "d": .stringConvertible(1.5)])
        #expect(fields == ["n": "42", "d": "1.5"])
    }

    @Test func anErrorGivesItsTypeAndDescription() async throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "it broke" } }
        let (fields, _) = try await self.fields(["k": "v"], error: Broken())
        #expect(fields["error.message"] == "it broke")
        #expect(fields["error.type"]?.hasSuffix("Broken") == true)
        #expect(fields["k"] == "v")
    }

    @Test func metadataThatCollidesWithADefaultFieldIsNumbered() async throws {
        let (fields, repaired) = try await self.fields(["level": "high", "message": "own", "message_2": "taken"])
        #expect(fields == ["level_2": "high", "message_3": "own", "message_2": "taken"])
        #expect(repaired == [.collidingKey: 2])
    }

    @Test func metadataThatCollidesWithTheErrorsFieldsIsNumberedOnlyIfThereIsAnError() async throws {
        struct Broken: Error {}
        let with = try await self.fields(["error.type": "mine"], error: Broken())
        #expect(with.fields["error.type_2"] == "mine")
        #expect(with.repaired == [.collidingKey: 1])
        let without = try await self.fields(["error.type": "mine"])
        #expect(without.fields == ["error.type": "mine"])
        #expect(without.repaired == [:])
    }

    @Test func ofTwoValuesWithOneNameTheShorterPathKeepsIt() async throws {
        for _ in 0..<20 {
            let (fields, repaired) = try await self.fields([
                "a": ["b": ["c": "deep"]], "a.b": ["c": "middle"], "a.b.c": "flat",
            ])
            #expect(fields == ["a.b.c": "flat", "a.b.c_2": "middle", "a.b.c_3": "deep"])
            #expect(repaired == [.collidingKey: 2])
        }
    }

    @Test(arguments: [
        "__time__", "__source__", "__topic__", "__partition_time__", "_extract_others_", "__extract_others__",
        "__raw__", "__raw_log__", "__pack_id__", "__pack_unique_id__", "__client_ip__", "__receive_time__",
        "__tag__:env", "__time_ns_part__",
    ])
    func forbiddenNamesArePutBehindField(name: String) async throws {
        let (fields, repaired) = try await self.fields([name: "v", "_fine": "w"])
        #expect(fields == ["field.\(name)": "v", "_fine": "w"])
        #expect(repaired == [.forbiddenKey: 1])
    }

    @Test func anEmptyKeyBecomesAnUnderscore() async throws {
        let (fields, repaired) = try await self.fields(["": "v"])
        #expect(fields == ["_": "v"])
        #expect(repaired == [.emptyKey: 1])
    }

    @Test func anOverlongKeyIsCutBetweenScalarsWithAHashOfTheWhole() async throws {
        let stem = String(repeating: "\u{4e2d}", count: 60)
        let (fields, repaired) = try await self.fields([stem + "1": "one", stem + "2": "two"])
        #expect(fields.count == 2)
        #expect(Set(fields.values) == ["one", "two"])
        for name in fields.keys {
            #expect(name.utf8.count <= 128)
            #expect(name.hasPrefix(String(repeating: "\u{4e2d}", count: 37)))
        }
        #expect(repaired == [.longKey: 2])
        let again = try await self.fields([stem + "1": "one", stem + "2": "two"])
        #expect(again.fields == fields)
    }

    @Test func aKeyOf128BytesIsLeftAlone() async throws {
        let key = String(repeating: "k", count: 128)
        let (fields, repaired) = try await self.fields([key: "v"])
        #expect(fields == [key: "v"])
        #expect(repaired == [:])
    }

    @Test func aValueOfAMebibyteIsLeftAloneAndALongerOneIsCut() async throws {
        let whole = String(repeating: "v", count: 1 << 20)
        let (fields, repaired) = try await self.fields(["whole": .string(whole)])
        #expect(fields["whole"] == whole)
        #expect(repaired == [:])
        let (cut, cutRepairs) = try await self.fields(["cut": .string(whole + "v")])
        let value = try #require(cut["cut"])
        #expect(value.utf8.count <= 1 << 20)
        #expect(value.hasSuffix("\u{2026}[+41 bytes]"))
        #expect(cutRepairs == [.longValue: 1])
    }

    @Test func dictionariesNestedTooDeeplyBecomeJSONText() async throws {
        let (fields, repaired) = try await self.fields(["a": ["b": ["c": ["d": "v"]]]]) { $0.limits.maximumNesting = 2 }
        #expect(fields == ["a.b.c": #"{"d":"v"}"#])
        #expect(repaired == [.deepValue: 1])
    }

    @Test func nestingWithoutEndIsCutInsteadOfExhaustingTheStack() async throws {
        var value: LogMetadataValue = "leaf"
        for _ in 0..<5000 { value = .array([value]) }
        let (fields, _) = try await self.fields(["deep": value])
        #expect(fields["deep"]?.contains("\u{2026}") == true)
    }

    @Test func anOversizeRecordIsCutUntilItFits() async throws {
        var metadata: LogMetadata = [:]
        for index in 0..<8 { metadata["k\(index)"] = .string(String(repeating: "x", count: 20_000)) }
        let (fields, repaired) = try await self.fields(metadata) { $0.limits.maximumRecordBytes = 64 << 10 }
        #expect(fields.count == 8)
        #expect(fields.values.allSatisfy { $0.contains("bytes]") })
        #expect(repaired[.oversizeRecord] == 1)
    }

    @Test func anOversizeRecordOfTooManyFieldsTellsHowManyAreLeftOut() async throws {
        var metadata: LogMetadata = [:]
        for index in 0..<5000 { metadata["key-number-\(index)"] = "v" }
        let (fields, repaired) = try await self.fields(metadata) { $0.limits.maximumRecordBytes = 32 << 10 }
        #expect(fields == ["metadata.omitted": "5000"])
        #expect(repaired[.oversizeRecord] == 1)
    }

    @Test func theLargestRecordFillsARequestAndBlocksNobody() async throws {
        let rig = try Rig { $0.batching.maximumRequestBytes = 64 << 10 }
        rig.sink().info("before")
        rig.sink().info("\(String(repeating: "\u{1}", count: 1 << 20))")
        rig.sink().info("after")
        let logs = await rig.drain()
        #expect(logs.map { $0["seq"] } == ["1", "2", "3"])
        #expect(rig.transport.stored.allSatisfy { $0.rawBody.count <= 64 << 10 })
        #expect(rig.producer.statistics.repaired[.oversizeRecord] == 1)
        await rig.stop()
    }

    @Test func namesCanBeChangedAndCodeLocationAndSequenceLeftOut() async throws {
        let rig = try Rig { configuration in
            configuration.fields.message = "msg"
            configuration.fields.time = "@timestamp"
            configuration.fields.includesCodeLocation = false
            configuration.fields.includesSequence = false
        }
        rig.sink().notice("hello", metadata: ["message": "free now", "line": "9"])
        let log = try #require(await rig.drain().first)
        #expect(
            log == [
                "@timestamp": "2026-01-01T00:00:00.000000000Z", "level": "notice", "label": "label", "msg": "hello",
                "message": "free now", "line": "9",
            ]
        )
        await rig.stop()
    }

    @Test func anOverlongLabelIsCut() async throws {
        let rig = try Rig()
        rig.sink(String(repeating: "l", count: 3000)).info("m")
        #expect(await rig.drain().first?["label"]?.utf8.count == 1024)
        await rig.stop()
    }
}

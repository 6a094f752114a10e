// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import Testing

@testable import WebTracking

@Suite struct LogGroupEncoderTests {
    /// 2026-01-01T00:00:00Z
    private static let now: Int64 = 1_767_225_600_000_000_000

    private func encode(_ json: String, now: Int64 = Self.now) -> [UInt8]? {
        var encoder = LogGroupEncoder(timeField: "time", now: now)
        return Array(json.utf8).withUnsafeBytes { encoder.encode($0) }
    }

    private func read(_ json: String) throws -> LogGroupReader {
        try LogGroupReader(try #require(self.encode(json)))
    }

    /// The body of a test of an official client.
    @Test func writesTheBytesThatOfficialClientsWrite() {
        let body = self.encode(
            #"{"__topic__":"","__source__":"10.230.201.117","__logs__":[{"TestKey":"TestContent"}]}"#,
            now: 1_405_409_656_000_000_000
        )
        let expected: [UInt8] =
            [0x0A, 0x1E, 0x08, 0xF8, 0xB2, 0x93, 0x9E, 0x05, 0x12, 0x16, 0x0A, 0x07] + Array("TestKey".utf8)
            + [0x12, 0x0B] + Array("TestContent".utf8) + [0x1A, 0x00, 0x22, 0x0E] + Array("10.230.201.117".utf8)
        #expect(expected.count == 50)
        #expect(body == expected)
    }

    @Test func topicSourceTagsAndRecordsKeepTheirOrder() throws {
        let group = try self.read(
            #"{"__topic__":"t","__source__":"s","__tags__":{"__pack_id__":"A-1","env":"prod"},"__logs__":["#
                + "{\"seq\":\"1\",\"b\":\"2\"},\n{\"seq\":\"2\",\"a\":\"\"},\n{}]}"
        )
        #expect(group.topic == "t")
        #expect(group.source == "s")
        #expect(group.tags == [["__pack_id__", "A-1"], ["env", "prod"]])
        #expect(group.logs.map(\.fields) == [["seq", "1", "b", "2"], ["seq", "2", "a", ""], []])
        #expect(group.logs.allSatisfy { $0.time == 1_767_225_600 && $0.nanoseconds == nil })
    }

    @Test func theTimeOfAnEventIsTheTimeOfItsLog() throws {
        func time(_ text: String) throws -> [Int?] {
            let group = try self.read(
                #"{"__topic__":"","__source__":"","__logs__":[{"a":"b","time":"\#(text)"}]}"#
            )
            #expect(group.logs[0].fields == ["a", "b", "time", text])
            return [group.logs[0].time, group.logs[0].nanoseconds]
        }
        #expect(try time("2025-12-31T23:59:58.000000007Z") == [1_767_225_598, 7])
        #expect(try time("2025-12-31T23:59:58.999999999Z") == [1_767_225_598, 999_999_999])
        // What the service would refuse the whole batch for: it has the time of its delivery instead.
        #expect(try time("2025-12-24T00:00:00.000000000Z") == [1_767_225_600, nil])
        #expect(try time("2026-01-01T00:15:00.000000000Z") == [1_767_225_600, nil])
        #expect(try time("yesterday") == [1_767_225_600, nil])
    }

    /// The field of the format has 32 bits and no sign.
    @Test(arguments: [.min, -1, 0, 1, 604_800_000_000_000, 4_294_967_295_999_999_999, .max] as [Int64])
    func noTimeIsBefore1970OrBeyondItsField(now: Int64) throws {
        for offset in [Int64.min, 0 &- now, -4_000_000_000_000_000_000, -1, 0, 1, .max] {
            for text in ["1970-01-01T00:00:00Z", "2026-01-01T00:00:00.000000001Z", "2199-12-31T23:59:59.999999999Z"] {
                let json = #"{"__topic__":"t","__source__":"s","__logs__":[{"time":"\#(text)","a":"b"}]}"#
                var encoder = LogGroupEncoder(timeField: "time", now: now, offset: offset)
                let bytes = try #require(Array(json.utf8).withUnsafeBytes { encoder.encode($0) })
                let log = try #require(try LogGroupReader(bytes).logs.first)
                #expect((0...Int(UInt32.max)).contains(log.time))
                #expect(log.nanoseconds.map { (0..<1_000_000_000).contains($0) } ?? true)
                #expect(log.fields == ["time", text, "a", "b"])
            }
        }
    }

    @Test func everyStringComesBackAsItWas() throws {
        let strings = [
            "", "plain", "a \"quoted\" \\ slash/", "\u{0}\u{1}\u{7}\u{8}\t\n\u{B}\u{C}\r\u{1F}\u{7F}", "caf\u{E9}",
            "\u{4E2D}\u{6587}", "\u{1F600}", "\u{2028}\u{2029}", String(repeating: "x", count: 127),
            String(repeating: "x", count: 128), String(repeating: "\\", count: 16_384), "1234567\"", "12345678\"",
            String(repeating: "\u{1F600}\n", count: 5000),
        ]
        var writer = ByteWriter()
        writer.append(literal: "{\"__topic__\":\"")
        writer.append(escaping: strings[2])
        writer.append(literal: "\",\"__source__\":\"")
        writer.append(escaping: strings[3])
        writer.append(literal: "\",\"__logs__\":[{")
        for (index, string) in strings.enumerated() {
            if index > 0 { writer.append(UInt8(ascii: ",")) }
            writer.append(UInt8(ascii: "\""))
            writer.append(escaping: string)
            writer.append(literal: "\":\"")
            writer.append(escaping: strings[strings.count - 1 - index])
            writer.append(UInt8(ascii: "\""))
        }
        writer.append(literal: "}]}")
        var encoder = LogGroupEncoder(timeField: "time", now: Self.now)
        let group = try LogGroupReader(try #require(writer.withBytes { encoder.encode($0) }))
        #expect(group.topic == strings[2])
        #expect(group.source == strings[3])
        let pairs = zip(strings, strings.reversed()).flatMap { [$0, $1] }
        #expect(group.logs[0].fields == pairs)
    }

    @Test func escapesThatOthersWriteAreRead() throws {
        let group = try self.read(
            #"{"__topic__":"\/\u0041\u00e9\u4E2d\ud83d\uDE00","__source__":"","__logs__":[{"\b\f":"\n\r\t"}]}"#
        )
        #expect(group.topic == "/A\u{E9}\u{4E2D}\u{1F600}")
        #expect(group.logs[0].fields == ["\u{8}\u{C}", "\n\r\t"])
    }

    @Test func whatIsNoBatchIsNotEncoded() {
        let batch = #"{"__topic__":"t\n","__source__":"s","__tags__":{"a":"\u0001"},"__logs__":[{"k":"\ud83d\ude00"}]}"#
        #expect(self.encode(batch) != nil)
        for count in 0..<batch.utf8.count {
            #expect(self.encode(String(decoding: batch.utf8.prefix(count), as: UTF8.self)) == nil, "\(count) bytes")
        }
        for text in [
            batch + " ", batch.replacing("\"t", with: "t"), batch.replacing("__topic__", with: "topic"),
            batch.replacing("\\n", with: "\\x"), batch.replacing("\\ude00", with: "\\u0041"),
            batch.replacing("\"k\":", with: "\"k\":1"), batch.replacing("\\u0001", with: "\\u00g1"),
        ] {
            #expect(text != batch)
            #expect(self.encode(text) == nil, "\(text)")
        }
    }

    /// Any byte of a batch changed to any other: a result or none, and no reading outside of it.
    @Test func damageDoesNoHarm() {
        let batch = Array(
            #"{"__topic__":"t","__source__":"s","__tags__":{"a":"\u0001"},"__logs__":[{"k":"\ud83d\ude00"}]}"#.utf8
        )
        var results = 0
        for index in batch.indices {
            for byte in UInt8.min...UInt8.max {
                var damaged = batch
                damaged[index] = byte
                var encoder = LogGroupEncoder(timeField: "k", now: Self.now)
                if damaged.withUnsafeBytes({ encoder.encode($0) }) != nil { results += 1 }
            }
        }
        #expect(results > batch.count)
    }
}

#endif

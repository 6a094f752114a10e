// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwiftProtobuf
import Testing

@testable import LocalLogstore

@Suite("PutLogs")
struct PutLogsDecoderTests {
    private static let now = Date(timeIntervalSince1970: 1_767_225_600)

    private static var group: PutLogs_LogGroup {
        var content = PutLogs_Content()
        content.key = "message"
        content.value = "hello"
        var log = PutLogs_Log()
        log.time = 1_767_225_600
        log.timeNs = 999_999_999
        log.contents = [content]
        var tag = PutLogs_LogTag()
        tag.key = "env"
        tag.value = "prod"
        var group = PutLogs_LogGroup()
        group.topic = "t"
        group.source = "s"
        group.logs = [log]
        group.logTags = [tag]
        return group
    }

    private func decode(
        _ body: [UInt8],
        contentType: String? = "application/x-protobuf",
        mode: DecodingMode = .strict
    ) throws(ServiceError) -> LogGroup {
        let input = PutWebtrackingDecoder.Input(
            version: "0.6.0",
            rawSize: String(body.count),
            compressType: nil,
            body: body
        )
        return try PutLogsDecoder(track: PutWebtrackingDecoder(mode: mode))
            .decode(input, contentType: contentType, now: Self.now).group
    }

    /// The code of the answer to a group that was changed.
    private func refusal(_ change: (inout PutLogs_LogGroup) -> Void) throws -> String {
        var group = Self.group
        change(&group)
        let bytes: [UInt8] = try group.serializedBytes(partial: true)
        do {
            _ = try self.decode(bytes)
            return "taken"
        } catch {
            return "\(error.status) \(error.code)"
        }
    }

    @Test func takesALogGroup() throws {
        let bytes: [UInt8] = try Self.group.serializedBytes()
        let group = try self.decode(bytes)
        #expect(group.topic == "t" && group.source == "s")
        #expect(group.tags == [Field("env", "prod")])
        #expect(group.logs.map(\.fields) == [[Field("message", "hello")]])
    }

    @Test func keepsTheTimeOfEachLog() throws {
        var group = Self.group
        group.logs.append(group.logs[0])
        group.logs[1].clearTimeNs()
        group.logs[1].time -= 86_400
        let logs = try self.decode(group.serializedBytes()).logs
        #expect(logs.map(\.time) == [1_767_225_600_999_999, 1_767_139_200_000_000])
    }

    @Test func refusesWhatTheServiceDoesNotTake() throws {
        #expect(try self.refusal { _ in } == "taken")
        let invalid = "400 PostBodyInvalid"
        #expect(try self.refusal { $0.logs = [] } == invalid)
        #expect(try self.refusal { $0.logs[0].contents = [] } == invalid)
        #expect(try self.refusal { $0.logs[0].clearTime() } == invalid)
        #expect(try self.refusal { $0.logs[0].contents[0].clearValue() } == invalid)
        #expect(try self.refusal { $0.logs[0].timeNs = 1_000_000_000 } == invalid)
        #expect(try self.refusal { $0.logs[0].time -= 7 * 86_400 } == "taken")
        #expect(try self.refusal { $0.logs[0].time -= 7 * 86_400 + 1 } == invalid)
        #expect(try self.refusal { $0.logs[0].time += 900 } == "taken")
        #expect(try self.refusal { $0.logs[0].time += 901 } == invalid)
        #expect(try self.refusal { $0.logs[0].contents[0].key = "" } == "400 InvalidKey")
        #expect(try self.refusal { $0.logs[0].contents[0].key = "__topic__" } == invalid)
        #expect(try self.refusal { $0.logs[0].contents[0].key = "__time__" } == invalid)
        #expect(
            try self.refusal { $0.logs[0].contents[0].value = String(repeating: "x", count: 1 << 20 + 1) } == invalid
        )
        #expect(try self.refusal { $0.logs[0].contents.append($0.logs[0].contents[0]) } == invalid)
        #expect(try self.refusal { $0.logTags[0].key = "__client_ip__" } == invalid)
        func contents(_ count: Int) -> [PutLogs_Content] {
            (0..<count).map { number in
                var content = PutLogs_Content()
                content.key = "k\(number)"
                content.value = "v"
                return content
            }
        }
        #expect(try self.refusal { $0.logs[0].contents = contents(1024) } == "taken")
        #expect(try self.refusal { $0.logs[0].contents = contents(1025) } == invalid)
        #expect(try self.refusal { $0.logTags = Array(repeating: $0.logTags[0], count: 1025) } == invalid)
        #expect(try self.refusal { $0.topic = String(repeating: "x", count: 129) } == invalid)
        #expect(try self.refusal { $0.source = String(repeating: "x", count: 129) } == invalid)
        #expect(
            try self.refusal { $0.logs = Array(repeating: $0.logs[0], count: 4097) } == "400 PostBodyTooLarge"
        )
    }

    @Test func refusesOtherBodies() throws {
        let bytes: [UInt8] = try Self.group.serializedBytes()
        #expect(throws: ServiceError.self) { try self.decode(Array(bytes.dropLast())) }
        #expect(throws: ServiceError.self) { try self.decode(Array("{}".utf8)) }
        #expect(throws: ServiceError.self) { try self.decode(bytes, contentType: "application/json") }
        #expect(throws: ServiceError.self) { try self.decode(bytes, contentType: nil) }
        // A field 7, which there is not.
        #expect(throws: ServiceError.self) { try self.decode(bytes + [0x38, 0x01]) }
        #expect(try self.decode(bytes + [0x38, 0x01], mode: .compatible).topic == "t")
    }
}

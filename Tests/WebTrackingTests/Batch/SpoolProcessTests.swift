// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// What a producer's folder says of its maker.
@Suite struct SpoolProcessTests {
    private static let process = SpoolProcess(
        process: ProcessIdentity(pid: 4711, host: "web-1\"\\\n\u{1}é"),
        startedAt: 1_767_225_600_123_456_789,
        destination: "project/logstore",
        topic: "orders\t☃"
    )

    @Test func whatIsWrittenIsRead() {
        #expect(SpoolProcess.read(Self.process.bytes) == .process(Self.process))
        var early = Self.process
        early.startedAt = -1
        #expect(SpoolProcess.read(early.bytes) == .process(early))
    }

    @Test func whatNoProducerWritesIsDamaged() {
        let changes: [(inout SpoolProcess) -> Void] = [
            { $0.process.pid = 0 }, { $0.process.pid = -1 },
            { $0.process.host = String(repeating: "h", count: 256) },
            { $0.topic = String(repeating: "t", count: TopicKey.maximumTopicBytes + 1) },
        ]
        for change in changes {
            var process = Self.process
            change(&process)
            #expect(SpoolProcess.read(process.bytes) == .damaged)
        }
        var longest = Self.process
        longest.process.host = String(repeating: "h", count: 255)
        longest.topic = String(repeating: "t", count: TopicKey.maximumTopicBytes)
        #expect(SpoolProcess.read(longest.bytes) == .process(longest))
    }

    @Test func itsFirstLineIsJSONThatPeopleCanRead() {
        let plain = SpoolProcess(
            process: ProcessIdentity(pid: 1, host: "web-1"),
            startedAt: 2,
            destination: "p/l",
            topic: ""
        )
        let text = String(decoding: plain.bytes, as: UTF8.self)
        #expect(
            text.split(separator: "\n").first
                == #"{"version":1,"pid":"1","host":"web-1","started":"2","destination":"p/l","topic":""}"#
        )
    }

    @Test func noFlippedBitAndNoCutIsTakenForAProcess() {
        let bytes = Self.process.bytes
        for index in bytes.indices {
            #expect(SpoolProcess.read(Array(bytes[..<index])) == (index == 0 ? .empty : .damaged))
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << bit
                #expect(SpoolProcess.read(flipped) == .damaged, "byte \(index), bit \(bit)")
            }
        }
        #expect(SpoolProcess.read(bytes + bytes) == .damaged)
        #expect(SpoolProcess.read([UInt8](repeating: 0, count: bytes.count)) == .damaged)
    }

    @Test func aNewerVersionIsToldFromDamage() {
        for (text, finding) in [
            (#"{"version":2,"who":[]}"#, SpoolProcess.Finding.newer), (#"{"version":1}"#, .damaged), ("{}", .damaged),
        ] {
            let line = Array(text.utf8)
            let check = line.withUnsafeBytes {
                RecordCheck.of($0.baseAddress!, count: $0.count, seed: SpoolFormat.magic)
            }
            #expect(SpoolProcess.read(line + Array("\n\(check.hexadecimal)\n".utf8)) == finding)
        }
    }
}

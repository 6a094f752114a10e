// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// When records become requests, and what a request holds.
@Suite(.timeLimit(.minutes(10))) struct BatchingTests {
    @Test func aLoneRecordWaitsForTheLingerAndNoLonger() async throws {
        let rig = try Rig { $0.batching.linger = .seconds(2) }
        rig.sink().info("m")
        await rig.clock.waitForSleepers()
        #expect(rig.clock.timeToNextDeadline == .seconds(2))
        rig.clock.advance(by: .milliseconds(1999))
        #expect(rig.transport.attempts.isEmpty)
        rig.clock.advance(by: .milliseconds(1))
        await rig.transport.waitForAttempts(1)
        await rig.stop()
    }

    @Test(arguments: [LogLevel.error, .critical])
    func anUrgentRecordIsSentAtOnceWithThoseBeforeIt(level: LogLevel) async throws {
        let rig = try Rig()
        rig.sink().info("before")
        rig.sink().log(level: level, "urgent")
        await rig.transport.waitForAttempts(1)
        #expect(rig.transport.logs.map { $0["message"] } == ["before", "urgent"])
        await rig.stop()
    }

    @Test func withoutAnUrgentLevelErrorsLingerToo() async throws {
        let rig = try Rig { $0.batching.urgentLevel = nil }
        rig.sink().critical("m")
        await rig.clock.waitForSleepers()
        #expect(rig.transport.attempts.isEmpty)
        await rig.stop()
        #expect(rig.transport.logs.count == 1)
    }

    @Test func aRequestHoldsAtMostTheGivenNumberOfRecords() async throws {
        let rig = try Rig { $0.batching.maximumRecords = 10 }
        for index in 0..<35 { rig.sink().info("\(index)") }
        let logs = await rig.drain()
        #expect(logs.map { $0["message"] } == (0..<35).map { "\($0)" })
        #expect(rig.transport.stored.map(\.logs.count).max() == 10)
        await rig.stop()
    }

    @Test func aFullRequestIsSentWithoutLingering() async throws {
        let rig = try Rig { $0.batching.maximumRecords = 10 }
        for index in 0..<11 { rig.sink().info("\(index)") }
        await rig.transport.waitForAttempts(1)
        #expect(rig.transport.stored[0].logs.count == 10)
        await rig.stop()
    }

    @Test func noRequestExceedsTheLimitInEncodedBytesAndFullOnesComeClose() async throws {
        let limit = 64 << 10
        let rig = try Rig { configuration in
            configuration.batching.maximumRequestBytes = limit
            configuration.batching.targetBytes = 10 << 20
            configuration.tags = ["k\"": "v\u{1}"]
        }
        for index in 0..<4000 {
            rig.sink().info("\(index) \(String(repeating: "\u{4e2d}\u{1}", count: index % 50))")
        }
        let logs = await rig.drain()
        #expect(logs.count == 4000)
        let sizes = rig.transport.stored.map(\.rawBody.count)
        #expect(sizes.allSatisfy { $0 <= limit })
        #expect(sizes.dropLast().allSatisfy { $0 > limit - 1000 })
        for stored in rig.transport.stored {
            #expect(stored.request.header("x-log-bodyrawsize") == "\(stored.rawBody.count)")
        }
        await rig.stop()
    }

    @Test func aRequestMayBeExactlyAsLargeAsTheLimitAndNotOneByteLarger() throws {
        let header = Array("{".utf8)
        var batch = OpenBatch(header: header, openedAt: .init(nanoseconds: 0), memory: BatchMemory(capacity: 1100))
        let policy = SealPolicy(
            targetBytes: 1000,
            maximumBytes: 1000,
            maximumRecords: 4096,
            linger: .zero,
            urgentRank: 5
        )
        Array("x}".utf8).withUnsafeBytes {
            batch.append(
                EncodedRecord(opening: EncodedRecord.opening(sequenceName: nil), sequence: 7, members: $0),
                rank: 2,
                isSynthetic: false
            )
        }
        let room = 1000 - batch.rawBytes
        #expect(!batch.isFull(policy, adding: room, backlog: 0))
        #expect(batch.isFull(policy, adding: room + 1, backlog: 0))
        let empty = OpenBatch(header: header, openedAt: .init(nanoseconds: 0), memory: BatchMemory(capacity: 16))
        #expect(!empty.isFull(policy, adding: 5000, backlog: 0))
    }

    @Test func aBatchOfShortRecordsIsAsLargeAsARequestMayBe() {
        let policy = SealPolicy(
            targetBytes: 256 << 10,
            maximumBytes: 1 << 20,
            maximumRecords: 4096,
            linger: .zero,
            urgentRank: 5
        )
        var batch = OpenBatch(
            header: Array("{".utf8),
            openedAt: .init(nanoseconds: 0),
            memory: BatchMemory(capacity: policy.capacity(for: 0, current: .max / 4, backlog: 0))
        )
        let text = Array(("\"m\":\"" + String(repeating: "x", count: 128) + "\"}").utf8)
        var cost = 0
        let isFull = text.withUnsafeBytes { members in
            let opening = EncodedRecord.opening(sequenceName: nil)
            let record = EncodedRecord(opening: opening, sequence: nil, members: members)
            while batch.put(record, rank: 2, isSynthetic: false, policy: policy, backlog: 0) { cost = record.count }
            return batch.isFull(policy, adding: cost, backlog: 0)
        }
        // Sealed for its size, and not since its memory had no room for marks.
        #expect(isFull && batch.hasRoom(for: cost))
    }

    @Test(arguments: [nil, 0xAB_CDEF] as [UInt64?])
    func theSizeOfAHeaderIsKnownBeforeItIsMade(batchPrefix: UInt64?) {
        let key = TopicKey(topic: "t", tags: [.init(key: "k", value: "v")])
        let envelope = Envelope(key: key, source: "s", staticTags: [], batchPrefix: batchPrefix)
        for number in [0, 1, 15, 16, 255, 256, 1 << 32, UInt64.max] {
            #expect(envelope.headerCount(batch: number) == envelope.header(batch: number).bytes.count)
        }
        #expect(
            envelope.headerCount(batch: .max)
                == (batchPrefix == nil ? envelope.headerCount(batch: 0) : envelope.longestHeader)
        )
    }

    @Test func aTopicThatLagsBehindSendsLargerRequests() {
        let policy = SealPolicy(
            targetBytes: 100,
            maximumBytes: 1000,
            maximumRecords: 4096,
            linger: .zero,
            urgentRank: 5
        )
        #expect([0, 3, 4, 7, 8, 100].map { policy.sizeLimit(backlog: $0) } == [100, 100, 400, 400, 1000, 1000])
    }

    @Test func aPartOfASegmentIsARequestWithAnIDThatSaysWhichRecordsItHas() throws {
        let opening = "{\"__tags__\":{\"__pack_id__\":\"A-1"
        var batch = OpenBatch(
            header: Array("\(opening)\"},\"__logs__\":[".utf8),
            batchIDEnd: opening.utf8.count,
            openedAt: .init(nanoseconds: 0),
            memory: BatchMemory(capacity: 64)
        )
        for (index, rank) in [0, 2, 4, 5, 6].enumerated() {
            Array("\"m\":\"},\\n{\(index)\"}".utf8).withUnsafeBytes {
                let record = EncodedRecord(
                    opening: EncodedRecord.opening(sequenceName: "seq"),
                    sequence: UInt64(index),
                    members: $0
                )
                let before = batch.rawBytes
                let cost = batch.cost(of: record)
                if !batch.hasRoom(for: cost) {
                    batch.move(to: BatchMemory(capacity: batch.bytes(adding: cost)))
                }
                #expect(batch.hasRoom(for: cost))
                batch.append(record, rank: rank, isSynthetic: rank == 4)
                #expect(batch.rawBytes == before + cost)
            }
        }
        let sealed = batch.sealed()
        func read(_ records: Range<Int>) throws -> (id: String, messages: [String], size: Int) {
            let body = sealed.withBody(of: records) { Array($0) }
            guard case .object(let members) = try JSONValue.parse(body), case .object(let tags) = members[0].value,
                case .string(let id) = tags[0].value, case .array(let logs) = members[1].value
            else { return ("", [], 0) }
            let messages = logs.compactMap { log -> String? in
                guard case .object(let fields) = log, case .string(let text) = fields[1].value else { return nil }
                return text
            }
            return (id, messages, body.count)
        }
        let all = (0..<5).map { "},\n{\($0)" }
        #expect(try read(0..<5).id == "A-1")
        #expect(try read(0..<5).messages == all)
        for (part, id) in [(0..<2, "A-1.1-2"), (2..<5, "A-1.3-5"), (4..<5, "A-1.5-5")] {
            let (found, messages, size) = try read(part)
            #expect(found == id)
            #expect(messages == Array(all[part]))
            #expect(size == sealed.bodyBytes(of: part) + id.utf8.count - 3)
            #expect(sealed.count(of: part, within: sealed.bodyBytes(of: part)) == part.count)
            #expect(sealed.count(of: part, within: sealed.bodyBytes(of: part) - 1) == max(part.count - 1, 1))
        }
        #expect(sealed.count(of: 0..<5, within: 0) == 1)
        #expect(sealed.levels(of: [0..<1, 2..<4]).all.total == 3)
        #expect(sealed.levels(of: [0..<1, 2..<4]).own.total == 2)
        #expect(String(decoding: sealed.text(at: 3), as: UTF8.self) == #"{"seq":"3","m":"},\n{3"}"#)
    }

    /// Calls that overlap in time may come in another order than their numbers.
    @Test func theSequenceRisesInTheOrderOfTheCallsUnderConcurrency() async throws {
        let rig = try Rig { $0.topic = .metadata(key: "t", fallback: "none") }
        let sink = rig.sink()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<1000 {
                group.addTask {
                    for index in 0..<10 { sink.info("\(task).\(index)", metadata: ["t": "\(index % 3)"]) }
                }
            }
        }
        let logs = await rig.drain()
        #expect(logs.count == 10_000)
        #expect(Set(logs.compactMap { $0["seq"] }).count == 10_000)
        for topic in ["0", "1", "2"] {
            let logs = rig.transport.stored.filter { $0.topic == topic }.flatMap(\.logs)
            let byTask = Dictionary(grouping: logs) { $0["message"]?.split(separator: ".").first }
            #expect(byTask.count == 1000)
            for (_, logs) in byTask {
                let sequence = logs.compactMap { Int($0["seq"] ?? "") }
                let calls = logs.compactMap { $0["message"]?.split(separator: ".").last }
                #expect(sequence == sequence.sorted())
                #expect(calls == calls.sorted())
            }
        }
        await rig.stop()
    }
}

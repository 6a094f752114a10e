// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Which topic and tags a record gets, and how many of them there may be.
@Suite(.timeLimit(.minutes(10))) struct TopicTests {
    @Test func recordsAreSentByTopicInRequestsOfTheirOwn() async throws {
        let rig = try Rig { $0.topic = .label }
        rig.sink("a").info("1")
        rig.sink("b").info("2")
        rig.sink("a").info("3")
        await rig.drain()
        let byTopic = Dictionary(grouping: rig.transport.stored, by: \.topic)
        #expect(byTopic["a"]?.flatMap(\.logs).map { $0["message"] } == ["1", "3"])
        #expect(byTopic["b"]?.flatMap(\.logs).map { $0["message"] } == ["2"])
        await rig.stop()
    }

    @Test(arguments: [
        (TopicRule.labelPrefix(components: 1), "com"), (.labelPrefix(components: 2), "com.example"),
        (.labelPrefix(components: 9), "com.example.shop"), (.fixed("f"), "f"), (.label, "com.example.shop"),
    ])
    func rulesThatLookAtTheLabel(rule: TopicRule, topic: String) async throws {
        let rig = try Rig { $0.topic = rule }
        rig.sink("com.example.shop").info("m")
        await rig.drain()
        #expect(rig.transport.stored.map(\.topic) == [topic])
        await rig.stop()
    }

    @Test func aTopicFromMetadataIsNoFieldAndHasAFallback() async throws {
        let rig = try Rig { $0.topic = .metadata(key: "tenant", fallback: "other") }
        var sink = rig.sink()
        sink[metadataKey: "tenant"] = "handler"
        sink.info("1")
        sink.info("2", metadata: ["tenant": "event"])
        rig.sink().info("3", metadata: ["k": "v"])
        rig.sink().info("4", metadata: ["tenant": ["nested": "x"]])
        let logs = await rig.drain()
        let topics = Dictionary(
            uniqueKeysWithValues: rig.transport.stored.flatMap { stored in
                stored.logs.map { ($0["message"] ?? "", stored.topic) }
            }
        )
        #expect(topics == ["1": "handler", "2": "event", "3": "other", "4": "other"])
        #expect(logs.allSatisfy { $0["tenant"] == nil })
        #expect(logs.contains { $0["tenant.nested"] == "x" })
        #expect(rig.producer.statistics.repaired == [.unpromotable: 1])
        await rig.stop()
    }

    @Test func promotedMetadataBecomesTagsInsteadOfFields() async throws {
        let rig = try Rig { configuration in
            configuration.tags = ["env": "prod"]
            configuration.promotedTags = ["region", "zone"]
            configuration.fields.includesBatchID = false
        }
        var sink = rig.sink()
        sink[metadataKey: "region"] = "eu"
        sink.info("1", metadata: ["k": "v"])
        sink.info("2", metadata: ["region": "us", "zone": "z1"])
        await rig.drain()
        let tags = Dictionary(uniqueKeysWithValues: rig.transport.stored.map { ($0.logs[0]["message"] ?? "", $0.tags) })
        #expect(tags["1"] == ["env": "prod", "region": "eu"])
        #expect(tags["2"] == ["env": "prod", "region": "us", "zone": "z1"])
        #expect(rig.transport.logs.allSatisfy { $0["region"] == nil && $0["zone"] == nil })
        #expect(rig.transport.logs.contains { $0["k"] == "v" })
        await rig.stop()
    }

    @Test func whatCannotBeATagStaysAField() async throws {
        let rig = try Rig {
            $0.promotedTags = ["a", "b", "c"]
            $0.fields.includesBatchID = false
        }
        let long = String(repeating: "x", count: 129)
        rig.sink().info("m", metadata: ["a": .string(long), "b": ["x": "1"], "c": "tag"])
        let log = try #require(await rig.drain().first)
        #expect(log["a"] == long)
        #expect(log["b.x"] == "1")
        #expect(rig.transport.stored[0].tags == ["c": "tag"])
        #expect(rig.producer.statistics.repaired == [.unpromotable: 2])
        await rig.stop()
    }

    @Test func anOverlongTopicIsCutBetweenScalarsAndKeptAsAField() async throws {
        let rig = try Rig { $0.topic = .metadata(key: "t", fallback: "") }
        let long = String(repeating: "\u{4e2d}", count: 43)
        rig.sink().info("m", metadata: ["t": .string(long)])
        let log = try #require(await rig.drain().first)
        #expect(rig.transport.stored[0].topic == String(repeating: "\u{4e2d}", count: 42))
        #expect(log["t"] == long)
        #expect(rig.producer.statistics.repaired == [.longTopic: 1])
        await rig.stop()
    }

    @Test func overTheBoundRecordsStayInTheBaseTopicWithTheirFields() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .metadata(key: "t", fallback: "base")
            configuration.promotedTags = ["p"]
            configuration.maximumTopics = 3
        }
        for index in 0..<10 { rig.sink().info("\(index)", metadata: ["t": "t\(index)", "p": "p\(index)"]) }
        let logs = await rig.drain()
        #expect(logs.count == 10)
        let base = rig.transport.stored.filter { $0.topic == "base" }.flatMap(\.logs)
        #expect(base.count == 8)
        #expect(base.allSatisfy { $0["t"]?.first == "t" && $0["p"]?.first == "p" })
        #expect(rig.producer.statistics.repaired == [.topicOverflow: 8])
        #expect(rig.producer.statistics.topics == 3)
        await rig.stop()
    }

    @Test func topicsCountAgainstTheMemoryLimitAndLeaveHalfOfItToTheirRecords() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .label
            configuration.maximumTopics = 100_000
            configuration.memoryLimit = 1 << 20
            configuration.idleTopicTimeout = .seconds(10)
        }
        // Each of 12 KiB, beside the base topic.
        for round in 0..<3 {
            for index in 0..<100 { rig.sink("\(round).\(index)").log(level: .error, "m") }
            #expect(rig.producer.statistics.topics == 1 + 42)
            #expect(rig.producer.statistics.repaired == [.topicOverflow: 58 * (round + 1)])
            await rig.drain()
            #expect(rig.producer.statistics.pendingBytes == 0)
            await rig.run { rig.producer.statistics.topics == 1 }
        }
        #expect(rig.transport.logs.count == 300)
        await rig.stop()
    }

    @Test func aTopicTakesMemoryThatRecordsWouldHaveAndGivesItBack() {
        let budget = ByteBudget(limit: 1 << 20)
        #expect(budget.chargeTopic() && budget.heldBytes == ByteBudget.topicBytes && budget.recordBytes == 0)
        #expect(budget.charge(budget.room(rank: 6), rank: 6))
        // Full of records.
        #expect(!budget.chargeTopic() && !budget.charge(1, rank: 6))
        budget.releaseTopic()
        #expect(budget.room(rank: 6) == ByteBudget.topicBytes && budget.chargeTopic())
    }

    @Test func idleTopicsRetireAndMakeRoomAndNothingIsLostOrCountedTwice() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .metadata(key: "t", fallback: "base")
            configuration.maximumTopics = 5
            configuration.idleTopicTimeout = .seconds(10)
        }
        for round in 0..<20 {
            for index in 0..<4 { rig.sink().info("m", metadata: ["t": "\(round).\(index)"]) }
            await rig.run { rig.producer.statistics.topics == 1 }
        }
        #expect(rig.transport.logs.count == 80)
        #expect(rig.producer.statistics.repaired == [:])
        #expect(rig.producer.statistics.delivered == 80)
        rig.checkConservation()
        await rig.stop()
    }

    @Test func topicsOfLabelsRetireAndMakeRoomToo() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .label
            configuration.maximumTopics = 3
            configuration.idleTopicTimeout = .seconds(10)
        }
        let kept = rig.sink("kept")
        for round in 0..<20 {
            rig.sink("job-\(round)").info("m")
            kept.info("m")
            await rig.run { rig.producer.statistics.topics == 1 }
        }
        #expect(rig.transport.logs.count == 40)
        #expect(rig.transport.stored.count { $0.topic == "kept" } == 20)
        #expect(rig.producer.statistics.repaired == [:])
        rig.checkConservation()
        await rig.stop()
    }

    @Test func aHandlersOwnTopicIsFoundAgainAfterItWasIdle() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .label
            configuration.idleTopicTimeout = .seconds(10)
        }
        let sink = rig.sink("topic")
        sink.info("1")
        await rig.runUntilSettled()
        await rig.run { rig.producer.statistics.topics == 1 }
        sink.info("2")
        await rig.runUntilSettled()
        #expect(rig.transport.logs.map { $0["message"] } == ["1", "2"])
        await rig.stop()
    }

    @Test func allHandlersOfATopicThatWasIdleUseOneBuffer() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .label
            configuration.idleTopicTimeout = .seconds(10)
        }
        let first = rig.sink("topic")
        first.info("1")
        await rig.runUntilSettled()
        await rig.run { rig.producer.statistics.topics == 1 }
        #expect(rig.producer.statistics.topics == 1)
        // Made while the topic is idle, and used before the one that had it first.
        let second = rig.sink("topic")
        second.info("2")
        first.info("3")
        rig.sink("topic").info("4")
        #expect(rig.producer.statistics.topics == 2)
        await rig.drain()
        #expect(rig.transport.stored.map(\.logs.count) == [1, 3])
        #expect(rig.producer.statistics.accepted == 4)
        await rig.stop()
    }

    @Test func loggersThatNeverLogTakeUpNoTopic() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .label
            configuration.maximumTopics = 10
        }
        let silent = (0..<1000).map { rig.sink("silent \($0)") }
        rig.sink("loud").info("m")
        await rig.drain()
        #expect(rig.transport.stored.map(\.topic) == ["loud"])
        #expect(rig.producer.statistics.repaired == [:])
        #expect(silent.count == 1000)
        await rig.stop()
    }

    @Test func aTopicThatComesBackWhenThereIsNoRoomGoesToTheBase() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .label
            configuration.maximumTopics = 2
            configuration.idleTopicTimeout = .seconds(10)
        }
        let first = rig.sink("first")
        first.info("1")
        await rig.runUntilSettled()
        await rig.run { rig.producer.statistics.topics == 1 }
        rig.sink("second").info("2")
        first.info("3")
        await rig.drain()
        #expect(rig.transport.stored.map(\.topic).sorted() == ["", "first", "second"])
        #expect(rig.producer.statistics.repaired == [.topicOverflow: 1])
        await rig.stop()
    }

    @Test func aTopicThatIsRefusedHoldsUpNoOther() async throws {
        let rig = try Rig { configuration in
            configuration.topic = .label
            configuration.delivery.maximumConcurrentRequests = 1
        }
        rig.transport.reply([.failure(status: 500)], otherwise: .success)
        rig.sink("slow").error("1")
        await rig.transport.waitForAttempts(1)
        for index in 0..<5 { rig.sink("fast").error("\(index)") }
        await rig.run { rig.transport.stored.contains { $0.topic == "fast" } }
        await rig.runUntilSettled()
        #expect(rig.transport.logs.count == 6)
        await rig.stop()
    }

    @Test func aHangingRequestHoldsUpNoOtherTopic() async throws {
        let rig = try Rig(transport: InMemoryTransport(script: [.never])) { $0.topic = .label }
        rig.sink("hanging").error("1")
        await rig.transport.waitForAttempts(1)
        rig.sink("other").error("2")
        await rig.transport.waitForAttempts(2)
        #expect(rig.transport.logs.map { $0["message"] } == ["2"])
        async let report = rig.producer.shutdown(timeout: .seconds(5))
        await rig.run { rig.transport.isShutDown }
        #expect(await report.remaining == 1)
        rig.checkConservation()
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// The promises that swift-log's documentation makes about handlers.
@Suite(.timeLimit(.minutes(10))) struct HandlerTests {
    @Test func aCopyHasItsOwnLevelMetadataAndProvider() async throws {
        let rig = try Rig()
        let first = rig.sink()
        var second = first
        second.logLevel = .error
        second[metadataKey: "only"] = "second"
        second.metadataProvider = LogMetadataProvider { ["provided": "yes"] }
        #expect(first.logLevel == .trace)
        #expect(first[metadataKey: "only"] == nil)
        #expect(first.metadataProvider == nil)
        first.info("first")
        second.error("second")
        let logs = await rig.drain()
        #expect(logs[0]["only"] == nil)
        #expect(logs[1]["only"] == "second")
        #expect(logs[1]["provided"] == "yes")
        await rig.stop()
    }

    @Test func theEventOutranksTheProviderWhichOutranksTheHandler() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        sink.metadata = ["a": "handler", "b": "handler", "c": "handler"]
        sink.metadataProvider = LogMetadataProvider { ["b": "provider", "c": "provider"] }
        sink.info("m", metadata: ["c": "event"])
        let log = try #require(await rig.drain().first)
        #expect([log["a"], log["b"], log["c"]] == ["handler", "provider", "event"])
        #expect(rig.producer.statistics.repaired == [:])
        await rig.stop()
    }

    @Test func aLaterLayerReplacesANestedValueAsAWhole() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        sink.metadata = ["a": ["x": "handler", "y": "handler"]]
        sink.info("m", metadata: ["a": ["x": "event"]])
        let log = try #require(await rig.drain().first)
        #expect(log["a.x"] == "event")
        #expect(log["a.y"] == nil)
        await rig.stop()
    }

    @Test func settingAValueToNilRemovesIt() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        sink[metadataKey: "k"] = "v"
        #expect(sink[metadataKey: "k"] == "v")
        sink[metadataKey: "k"] = nil
        sink.info("m")
        #expect(await rig.drain().first?["k"] == nil)
        await rig.stop()
    }

    @Test func theHandlerTakesEveryLevelAndTheConveniencesCompare() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        sink.logLevel = .critical
        sink.info("left out")
        sink.log(
            event: LogEvent(
                level: .trace,
                message: "taken",
                metadata: nil,
                source: nil,
                file: "M/f",
                function: "f",
                line: 1
            )
        )
        #expect(await rig.drain().map { $0["message"] } == ["taken"])
        await rig.stop()
    }

    @Test func aMessageBelowTheLevelIsNotEvaluated() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        sink.logLevel = .info
        func costly() -> LogMessage {
            Issue.record("evaluated")
            return "m"
        }
        sink.debug(costly())
        await rig.stop()
    }

    @Test func allConveniencesLogAtTheirLevel() async throws {
        let rig = try Rig()
        let sink = rig.sink()
        sink.trace("m")
        sink.debug("m")
        sink.info("m")
        sink.notice("m")
        sink.warning("m")
        sink.error("m")
        sink.critical("m")
        let levels = await rig.drain().map { $0["level"] }
        #expect(levels == ["trace", "debug", "info", "notice", "warning", "error", "critical"])
        await rig.stop()
    }

    @Test func anExplicitSourceIsSent() async throws {
        let rig = try Rig()
        rig.sink().info("m", source: "mine")
        #expect(await rig.drain().first?["source"] == "mine")
        await rig.stop()
    }

    @Test func aDescriptionThatLogsInTurnDisturbsNothing() async throws {
        struct Chatty: CustomStringConvertible, Sendable {
            let sink: WebTrackingLogHandler
            var description: String {
                self.sink.info("inner", metadata: ["i": "1"])
                return "described"
            }
        }
        let rig = try Rig()
        let sink = rig.sink()
        sink.info("outer", metadata: ["chatty": .stringConvertible(Chatty(sink: sink)), "k": "v"])
        let logs = await rig.drain()
        #expect(logs.map { $0["message"] } == ["inner", "outer"])
        #expect(logs[1]["chatty"] == "described")
        #expect(logs[1]["k"] == "v")
        await rig.stop()
    }

    @Test func theTimeIsThatOfTheCallAndNotOfTheSending() async throws {
        let rig = try Rig()
        rig.sink().info("m")
        rig.clock.advance(by: .milliseconds(1500))
        #expect(await rig.drain().first?["time"] == "2026-01-01T00:00:00.000000000Z")
        await rig.stop()
    }
}

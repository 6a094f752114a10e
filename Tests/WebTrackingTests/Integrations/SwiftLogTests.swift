// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog

import Logging
import Testing
import WebTracking
import WebTrackingTestKit

/// What a program sees that logs through swift-log's own `Logger`.
@Suite struct SwiftLogTests {
    // MARK: Loggers

    @Test func aLoggerWithAFactoryNeedsNoBootstrap() async throws {
        let rig = try Rig()
        let logger = Logger(label: "shop.orders", factory: rig.producer.makeLogHandler(label:))
        logger.info("placed", metadata: ["id": "42"], file: "Shop/Order.swift", function: "place()", line: 7)
        let log = try #require(await rig.drain().first)
        #expect(
            log == [
                "seq": "1", "time": "2026-01-01T00:00:00.000000000Z", "level": "info", "label": "shop.orders",
                "message": "placed", "source": "Shop", "file": "Shop/Order.swift", "function": "place()", "line": "7",
                "id": "42",
            ]
        )
        await rig.stop()
    }

    @Test func aFactoryWithAProviderNeedsNoBootstrapEither() async throws {
        let rig = try Rig()
        let provider = Logger.MetadataProvider { ["trace": "abc"] }
        let logger = Logger(label: "label") { label in
            rig.producer.makeLogHandler(label: label, metadataProvider: provider)
        }
        logger.info("m")
        #expect(await rig.drain().first?["trace"] == "abc")
        await rig.stop()
    }

    @Test func everyLevelArrivesUnderItsName() async throws {
        let rig = try Rig()
        let logger = rig.logger()
        for level in Logger.Level.allCases { logger.log(level: level, "m") }
        #expect(await rig.drain().map { $0["level"] } == Logger.Level.allCases.map(\.rawValue))
        await rig.stop()
    }

    @Test func theProducersLevelIsThatOfItsLoggers() async throws {
        let rig = try Rig { $0.logLevel = .warning }
        let logger = rig.logger()
        #expect(logger.logLevel == .warning)
        logger.notice("left out")
        logger.warning("taken")
        #expect(await rig.drain().map { $0["message"] } == ["taken"])
        await rig.stop()
    }

    @Test func aLoggersCopyHasItsOwnLevelAndMetadata() async throws {
        let rig = try Rig()
        var first = rig.logger()
        first[metadataKey: "shared"] = "yes"
        var second = first
        second.logLevel = .error
        second[metadataKey: "only"] = "second"
        #expect(first.logLevel == .trace)
        #expect(first[metadataKey: "only"] == nil)
        first.info("first")
        second.info("left out")
        second.error("second")
        let logs = await rig.drain()
        #expect(logs.map { $0["message"] } == ["first", "second"])
        #expect(logs.map { $0["only"] } == [nil, "second"])
        #expect(logs.map { $0["shared"] } == ["yes", "yes"])
        await rig.stop()
    }

    @Test func aCopyInATaskDoesNotChangeTheOriginal() async throws {
        let rig = try Rig()
        let logger = rig.logger()
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<8 {
                group.addTask {
                    var mine = logger
                    mine[metadataKey: "task"] = "\(index)"
                    mine.info("in a task")
                }
            }
        }
        logger.info("outside")
        let logs = await rig.drain()
        #expect(Set(logs.compactMap { $0["task"] }) == Set((0..<8).map { "\($0)" }))
        #expect(logs.last?["task"] == nil)
        await rig.stop()
    }

    // MARK: Metadata

    @Test func theEventOutranksTheProviderWhichOutranksTheLogger() async throws {
        let rig = try Rig()
        var logger = rig.logger()
        for key in ["a", "b", "c"] { logger[metadataKey: key] = "logger" }
        logger.handler.metadataProvider = Logger.MetadataProvider { ["b": "provider", "c": "provider"] }
        logger.info("m", metadata: ["c": "event"])
        let log = try #require(await rig.drain().first)
        #expect([log["a"], log["b"], log["c"]] == ["logger", "provider", "event"])
        #expect(rig.producer.statistics.repaired == [:])
        await rig.stop()
    }

    @Test func theFieldsOfAnErrorKeepTheirNamesBeforeAnyMetadata() async throws {
        let rig = try Rig()
        var logger = rig.logger()
        logger[metadataKey: "error.type"] = "logger"
        logger.error("m", error: Refusal(), metadata: ["error.message": "event"])
        let log = try #require(await rig.drain().first)
        #expect(log["error.type"] == String(reflecting: Refusal.self))
        #expect(log["error.message"] == "refused")
        #expect(log["error.type_2"] == "logger")
        #expect(log["error.message_2"] == "event")
        #expect(rig.producer.statistics.repaired == [.collidingKey: 2])
        await rig.stop()
    }

    @Test func anErrorIsSentAtAnyLevel() async throws {
        let rig = try Rig()
        rig.logger().notice("m", error: Refusal())
        let log = try #require(await rig.drain().first)
        #expect(log["level"] == "notice")
        #expect(log["error.type"] == String(reflecting: Refusal.self))
        #expect(log["error.message"] == "refused")
        await rig.stop()
    }

    @Test func aProviderSetThroughTheLoggerIsAskedForEachEvent() async throws {
        let rig = try Rig()
        var logger = rig.logger()
        #expect(logger.metadataProvider == nil)
        logger.handler.metadataProvider = Logger.MetadataProvider { ["trace": "\(CallerTrace.id)"] }
        #expect(logger.metadataProvider?.get() == ["trace": "none"])
        CallerTrace.$id.withValue("1") { logger.info("m") }
        CallerTrace.$id.withValue("2") { logger.info("m") }
        logger.handler.metadataProvider = nil
        logger.info("m")
        #expect(await rig.drain().map { $0["trace"] } == ["1", "2", nil])
        await rig.stop()
    }

    @Test func attributedValuesSendTheirText() async throws {
        let rig = try Rig()
        var logger = rig.logger()
        logger[metadataKey: "logger"] = "\("l", attributes: [Sensitivity.high])"
        logger.info(
            "m",
            metadata: [
                "plain": .attributed("p", attributes: [Sensitivity.high]),
                "nested": ["inner": .attributed("n", attributes: [Sensitivity.high])],
                "list": [.attributed("1", attributes: [Sensitivity.high]), "2"],
            ]
        )
        let log = try #require(await rig.drain().first)
        #expect(log["logger"] == "l")
        #expect(log["plain"] == "p")
        #expect(log["nested.inner"] == "n")
        #expect(log["list"] == #"["1","2"]"#)
        await rig.stop()
    }

    @Test func anAttributedValueCanBecomeTopicAndTag() async throws {
        let rig = try Rig {
            $0.topic = .metadata(key: "service", fallback: "")
            $0.promotedTags = ["zone"]
        }
        rig.logger().info(
            "m",
            metadata: [
                "service": .attributed("orders", attributes: [Sensitivity.high]),
                "zone": .attributed("a", attributes: [Sensitivity.high]),
            ]
        )
        await rig.drain()
        #expect(rig.transport.stored.first?.topic == "orders")
        #expect(rig.transport.stored.first?.tags["zone"] == "a")
        await rig.stop()
    }

    // MARK: Older entry points

    @Test func theEntryPointsOfEarlierVersionsReachTheBackendOnce() async throws {
        let rig = try Rig()
        let callers: [any EarlierCaller] = [CallerOfVersion10(), CallerOfVersion13()]
        for caller in callers { caller.log(to: rig.sink()) }
        let logs = await rig.drain()
        #expect(logs.map { $0["message"] } == ["1.0", "1.3"])
        #expect(logs.map { $0["k"] } == ["v", "v"])
        #expect(logs.map { $0["level"] } == ["notice", "notice"])
        #expect(logs.map { $0["file"] } == ["Shop/Order.swift", "Shop/Order.swift"])
        #expect(logs.map { $0["function"] } == ["place()", "place()"])
        #expect(logs.map { $0["line"] } == ["7", "7"])
        #expect(rig.producer.statistics.accepted == 2)
        await rig.stop()
    }

    // MARK: Other handlers around this one

    @Test func twoHandlersInAMultiplexHandlerEachSendTheEvent() async throws {
        let rig = try Rig()
        var strict = rig.sink("strict")
        strict.logLevel = .error
        let handlers: [any LogHandler] = [rig.sink("lenient"), strict]
        var logger = Logger(label: "label") { _ in MultiplexLogHandler(handlers) }
        logger[metadataKey: "k"] = "v"
        logger.info("info")
        logger.error("error")
        let logs = await rig.drain()
        #expect(logs.map { $0["label"] } == ["lenient", "lenient", "strict"])
        #expect(logs.map { $0["message"] } == ["info", "error", "error"])
        #expect(logs.map { $0["k"] } == ["v", "v", "v"])
        await rig.stop()
    }

    @Test func theProviderOfAMultiplexHandlerReachesBothOutrankedByTheEvent() async throws {
        let rig = try Rig()
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider"] }
        let handlers: [any LogHandler] = [rig.sink("first"), rig.sink("second")]
        let logger = Logger(label: "label") { _ in MultiplexLogHandler(handlers, metadataProvider: provider) }
        logger.info("m", metadata: ["b": "event"])
        let logs = await rig.drain()
        #expect(logs.map { $0["label"] } == ["first", "second"])
        #expect(logs.map { $0["a"] } == ["provider", "provider"])
        #expect(logs.map { $0["b"] } == ["event", "event"])
        await rig.stop()
    }

    @Test func theProviderSetOnAMultiplexHandlerIsAskedByBoth() async throws {
        let rig = try Rig()
        let handlers: [any LogHandler] = [rig.sink("first"), rig.sink("second")]
        var logger = Logger(label: "label") { _ in MultiplexLogHandler(handlers) }
        logger.handler.metadataProvider = Logger.MetadataProvider { ["a": "provider"] }
        logger.info("m")
        #expect(await rig.drain().map { $0["a"] } == ["provider", "provider"])
        await rig.stop()
    }

    // MARK: Task-local loggers

    @Test func theCurrentLoggerOfATaskSendsWithAllThatWasMerged() async throws {
        let rig = try Rig()
        await withLogger(rig.logger("current")) { _ in
            Logger.current.info("outer")
            await withLogger(mergingMetadata: ["request": "1"]) { logger in
                logger.info("given")
                Logger.current.info("current", metadata: ["event": "yes"])
                async let child: Void = Logger.current.info("child")
                await child
            }
            Logger.current.info("outer again")
        }
        let logs = await rig.drain()
        #expect(logs.map { $0["message"] } == ["outer", "given", "current", "child", "outer again"])
        #expect(logs.map { $0["request"] } == [nil, "1", "1", "1", nil])
        #expect(logs.map { $0["label"] } == Array(repeating: "current", count: 5))
        #expect(logs[2]["event"] == "yes")
        await rig.stop()
    }

    @Test func aTaskCanBeGivenThisHandlerWithALevelAndMetadata() async throws {
        let rig = try Rig()
        withLogger(logLevel: .error, handler: rig.sink(), metadata: ["k": "v"]) { logger in
            logger.warning("left out")
            logger.error("taken")
        }
        let logs = await rig.drain()
        #expect(logs.map { $0["message"] } == ["taken"])
        #expect(logs.map { $0["k"] } == ["v"])
        await rig.stop()
    }
}

private struct Refusal: Error, CustomStringConvertible {
    var description: String { "refused" }
}

private enum Sensitivity: Int64, Logger.MetadataValueAttributes.Attribute {
    case high = 1
}

extension Rig {
    fileprivate func logger(_ label: String = "label") -> Logger {
        Logger(label: label, factory: self.producer.makeLogHandler(label:))
    }
}

// MARK: Callers of deprecated entry points

/// Code that was written for an earlier version of swift-log; a protocol, so that calling it is not deprecated, too.
private protocol EarlierCaller {
    func log(to handler: any LogHandler)
}

private struct CallerOfVersion10: EarlierCaller {
    @available(*, deprecated)
    func log(to handler: any LogHandler) {
        handler.log(
            level: .notice,
            message: "1.0",
            metadata: ["k": "v"],
            file: "Shop/Order.swift",
            function: "place()",
            line: 7
        )
    }
}

private struct CallerOfVersion13: EarlierCaller {
    @available(*, deprecated)
    func log(to handler: any LogHandler) {
        handler.log(
            level: .notice,
            message: "1.3",
            metadata: ["k": "v"],
            source: "Given",
            file: "Shop/Order.swift",
            function: "place()",
            line: 7
        )
    }
}

#endif

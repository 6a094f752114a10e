// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// Functions of the user's that log while a record is made, which would go on for ever.
@Suite(.timeLimit(.minutes(10))) struct NestedLoggingTests {
    /// Something that others log through once it is there.
    private final class Outlet: Sendable {
        let sink = Lock<WebTrackingLogHandler?>(nil)

        func log(_ message: LogMessage, error: (any Error)? = nil, metadata: LogMetadata? = nil) {
            self.sink.withLock { $0 }?.info(message, error: error, metadata: metadata)
        }

        /// What a handler's own functions log through holds the handler, which would keep both for ever.
        func close() { self.sink.withLock { $0 = nil } }
    }

    /// A value that logs itself whenever it is asked for its description, and an error that does.
    private struct Talkative: CustomStringConvertible, Error {
        let outlet: Outlet
        var description: String {
            self.outlet.log("described", error: self, metadata: ["again": .stringConvertible(self)])
            return "value"
        }
    }

    @Test func aProviderThatLogsThroughItsOwnHandlerIsNotAskedForTheInnerRecord() async throws {
        let rig = try Rig()
        let outlet = Outlet()
        defer { outlet.close() }
        var sink = rig.sink()
        sink.metadataProvider = LogMetadataProvider {
            outlet.log("inner", metadata: ["own": "kept"])
            return ["provided": "yes"]
        }
        let complete = sink
        outlet.sink.withLock { $0 = complete }
        for _ in 0..<10_000 { sink.info("outer") }
        let logs = await rig.drain()
        #expect(logs.count == 20_000)
        #expect(logs.filter { $0["message"] == "outer" }.allSatisfy { $0["provided"] == "yes" })
        #expect(logs.filter { $0["message"] == "inner" }.allSatisfy { $0["provided"] == nil && $0["own"] == "kept" })
        #expect(rig.producer.statistics.repaired == [.nested: 10_000])
        await rig.stop()
    }

    @Test func aDescriptionThatLogsItselfEndsAfterTwoRecords() async throws {
        let rig = try Rig()
        let outlet = Outlet()
        let sink = rig.sink()
        outlet.sink.withLock { $0 = sink }
        for _ in 0..<1000 { sink.info("outer", metadata: ["value": .stringConvertible(Talkative(outlet: outlet))]) }
        let logs = await rig.drain()
        #expect(logs.filter { $0["message"] == "outer" }.allSatisfy { $0["value"] == "value" })
        let inner = logs.filter { $0["message"] == "described" }
        // Its own description again and the error's, each of which logs once more, bare.
        #expect(inner.filter { $0["again"] == "value" && $0["error.message"] == "value" }.count == 1000)
        #expect(inner.filter { $0["again"] == nil && $0["error.type"] == nil }.count == 2000)
        #expect(inner.count == 3000)
        #expect(rig.producer.statistics.repaired == [.nested: 2000])
        await rig.stop()
    }

    @Test func aRedactionFunctionThatLogsWhatItDecidesAboutEnds() async throws {
        let outlet = Outlet()
        defer { outlet.close() }
        let rig = try Rig { configuration in
            configuration.redaction = Redaction(rules: [
                .function { key, value in
                    outlet.log("deciding", metadata: ["key": .string(key)])
                    return .mask
                }
            ])
        }
        let sink = rig.sink()
        outlet.sink.withLock { $0 = sink }
        sink.info("outer", metadata: ["secret": "s"])
        let logs = await rig.drain()
        #expect(logs.filter { $0["message"] == "outer" }.map { $0["secret"] } == ["[redacted]"])
        #expect(logs.filter { $0["message"] == "deciding" }.map { $0["key"] } == [nil, "[redacted]"])
        await rig.stop()
    }

    @Test func twoProducersWhoseProvidersLogThroughEachOtherEnd() async throws {
        let rigs = [try Rig(), try Rig()]
        let outlets = [Outlet(), Outlet()]
        defer { for outlet in outlets { outlet.close() } }
        for (index, rig) in rigs.enumerated() {
            var sink = rig.sink()
            let other = outlets[1 - index]
            sink.metadataProvider = LogMetadataProvider {
                other.log("inner")
                return ["provided": "yes"]
            }
            let complete = sink
            outlets[index].sink.withLock { $0 = complete }
        }
        for _ in 0..<1000 { outlets[0].log("outer") }
        #expect(await rigs[0].drain().map { $0["message"] } == Array(repeating: "outer", count: 1000))
        #expect(await rigs[1].drain().map { $0["message"] } == Array(repeating: "inner", count: 1000))
        #expect(rigs[1].producer.statistics.repaired == [.nested: 1000])
        for rig in rigs { await rig.stop() }
    }

    @Test func aDescriptionThatPutsItselfIntoAHandlersMetadataEnds() async throws {
        struct Restless: CustomStringConvertible, Sendable {
            let sink: WebTrackingLogHandler
            var description: String {
                var sink = self.sink
                sink[metadataKey: "restless"] = .stringConvertible(self)
                sink.info("described")
                return "value"
            }
        }
        let rig = try Rig()
        var sink = rig.sink()
        sink[metadataKey: "restless"] = .stringConvertible(Restless(sink: sink))
        sink.info("outer")
        let logs = await rig.drain()
        #expect(logs.filter { $0["message"] == "outer" }.map { $0["restless"] } == ["value"])
        #expect(!logs.filter { $0["message"] == "described" }.isEmpty)
        await rig.stop()
    }

    @Test func aRecordThatIsNotNestedIsAsItWas() async throws {
        let rig = try Rig()
        let outlet = Outlet()
        var sink = rig.sink()
        sink.metadataProvider = LogMetadataProvider { ["provided": "yes"] }
        let complete = sink
        outlet.sink.withLock { $0 = complete }
        sink.info("outer", metadata: ["value": .stringConvertible(Talkative(outlet: outlet))])
        // After the recursion has ended, the thread is in the middle of nothing.
        sink.info("later", error: Plain(), metadata: ["value": "v"])
        let later = try #require(await rig.drain().last)
        #expect(later["provided"] == "yes" && later["value"] == "v" && later["error.type"]?.isEmpty == false)
        await rig.stop()
    }

    private struct Plain: Error {}
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct ProducerTests {
    @Test func atItsStartAProducerSaysWhichLevelsRedactionAndSamplingHold() async throws {
        func line(_ change: (inout WebTrackingConfiguration) -> Void) async throws -> [String] {
            let told = Recorder<String>()
            var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
            change(&configuration)
            let producer = try WebTrackingProducer(
                configuration: configuration,
                transport: InMemoryTransport(),
                diagnostics: DiagnosticHandler { if case .settingsInForce = $0 { told.add("\($0)") } }
            )
            let lines = told.elements
            await producer.shutdown(timeout: .seconds(1))
            return lines
        }
        #expect(
            try await line { _ in } == ["settings in force: level info; redaction standard; sampling off"]
        )
        let lines = try await line { configuration in
            configuration.logLevel = .notice
            configuration.logLevelOverrides = ["shop.db": .debug]
            configuration.redaction.rules.insert(.key("mail", .mask), at: 0)
            configuration.redaction.rules.insert(.key("note", .drop), at: 0)
            configuration.sampling.rates = Sampling.Rate.below(.warning, .init(first: 10, thenOneIn: 100))
            configuration.sampling.suppressedRepeats = [.trace, .debug]
        }
        #expect(
            lines == [
                "settings in force: level notice, shop.db=debug; redaction standard, drop note, mask mail; "
                    + "sampling first 10, thenOneIn 100, below warning, suppressRepeatsBelow info"
            ]
        )
        #expect(
            try await line { $0.redaction = .none } == ["settings in force: level info; redaction off; sampling off"]
        )
    }

    @Test func aRecordArrivesWithItsFields() async throws {
        let rig = try Rig()
        rig.sink("shop.orders").info(
            "order placed",
            metadata: ["id": "42"],
            file: "Shop/Order.swift",
            function: "place()",
            line: 7
        )
        let logs = await rig.drain()
        #expect(
            logs == [
                [
                    "seq": "1", "time": "2026-01-01T00:00:00.000000000Z", "level": "info", "label": "shop.orders",
                    "message": "order placed", "source": "Shop", "file": "Shop/Order.swift", "function": "place()",
                    "line": "7", "id": "42",
                ]
            ]
        )
        let request = try #require(rig.transport.stored.first)
        #expect(request.request.url == "https://project.cn-test.log.aliyuncs.com/logstores/logstore/track")
        #expect(request.source == "host")
        #expect(request.topic == "")
        await rig.stop()
        #expect(rig.transport.isShutDown)
    }
}

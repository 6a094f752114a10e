// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingPlatform
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

@Suite("The recorder for users' own tests", .timeLimit(.minutes(10)))
struct LogRecorderTests {
    private struct Refused: Error, CustomStringConvertible {
        var description: String { "out of tea" }
    }

    @Test("A test sees level, label, message, metadata, error, code location, topic and tags of what was logged")
    func takesRecordsApart() async throws {
        let recorder = try LogRecorder {
            $0.topic = .label
            $0.tags = ["env": "test"]
            $0.promotedTags = ["zone"]
        }
        let sink = recorder.makeLogHandler(label: "shop", metadataProvider: LogMetadataProvider { ["request.id": "7"] })
        sink.warning("refused", error: Refused(), metadata: ["item": ["name": "tea"], "zone": "a", "token": "t"])
        let log = try #require(await recorder.logs.first)
        #expect(log.sequence == 1 && log.level == .warning && log.label == "shop" && log.message == "refused")
        #expect(log.metadata == ["item.name": "tea", "request.id": "7", "token": "[redacted]"])
        #expect(log.error?.message == "out of tea" && log.error?.type.hasSuffix("Refused") == true)
        #expect(log.topic == "shop" && log.tags == ["env": "test", "zone": "a"])
        #expect(log.file.hasSuffix("LogRecorderTests.swift") && log.line > 0 && log.function == "takesRecordsApart()")
        #expect("\(log)" == "warning shop: refused item.name=tea request.id=7 token=[redacted]")
        await recorder.shutdown()
    }

    @Test("A record that comes later is waited for, and one that never comes is an error that tells what came instead")
    func waits() async throws {
        let recorder = try LogRecorder()
        let sink = recorder.makeLogHandler(label: "l")
        async let later = recorder.log { $0.message == "second" }
        sink.info("first")
        sink.info("second", metadata: ["k": "v"])
        #expect(try await later.metadata == ["k": "v"])
        #expect(try await recorder.log { $0.message == "first" }.sequence == 1)
        do {
            _ = try await recorder.log(within: .milliseconds(1)) { $0.message == "third" }
            Issue.record("no error")
        } catch let error as LogRecorder.NotLogged {
            #expect("\(error)".contains("info l: second k=v"))
        }
        await recorder.shutdown()
    }

    @Test("A wait ends when its task is cancelled")
    func endsWhenCancelled() async throws {
        let recorder = try LogRecorder()
        let wait = Task { try await recorder.log(within: .seconds(3600)) { _ in false } }
        wait.cancel()
        await #expect(throws: LogRecorder.NotLogged.self) { try await wait.value }
        await recorder.shutdown()
    }

    @Test("Records of many topics and tasks are told in the order in which they were logged")
    func keepsTheOrder() async throws {
        let recorder = try LogRecorder { $0.topic = .label }
        for number in 0..<100 { recorder.makeLogHandler(label: "\(number % 7)").info("\(number)") }
        #expect(await recorder.logs.map(\.message) == (0..<100).map(String.init))
        await recorder.shutdown()
    }

    @Test("A program's real configuration is not let near its spool")
    func leavesTheSpoolAlone() async throws {
        let directory = "/tmp/webtracking-recorder-\(UInt64.random(in: 0...UInt64.max))"
        let recorder = try LogRecorder {
            $0.durability = .process
            $0.spool.directory = directory
        }
        recorder.makeLogHandler(label: "l").info("m")
        #expect(await recorder.logs.map(\.message) == ["m"])
        #expect(access(directory, F_OK) != 0)
        await recorder.shutdown()
        // What would not start is not recorded either.
        #expect(throws: ConfigurationError.self) { try LogRecorder { $0.spool.directory = directory } }
        #expect(throws: ConfigurationError.self) { try LogRecorder { $0.durability = .process } }
    }

    #if SignedPutLogs
    @Test("Records of a program that signs its requests are recorded")
    func recordsASignedConfiguration() async throws {
        let credentials = WebTrackingCredentials(accessKeyID: "id", accessKeySecret: "secret")
        let recorder = try LogRecorder {
            var production = WebTrackingConfiguration(endpoint: "cn-hangzhou", project: "shop", logstore: "app")
            production.authentication = .signed(credentials: credentials, region: "cn-hangzhou")
            $0 = production
        }
        recorder.makeLogHandler(label: "l").info("m")
        #expect(await recorder.logs.map(\.message) == ["m"])
        await recorder.shutdown()
    }

    @Test("Transports that read bodies say why they cannot read a signed one")
    func saysWhyASignedBodyIsNotRead() async throws {
        let credentials = WebTrackingCredentials(accessKeyID: "id", accessKeySecret: "secret")
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "shop", logstore: "app")
        configuration.authentication = .signed(credentials: credentials, region: "cn-test")
        let memory = InMemoryTransport()
        let reported = Recorder<String>()
        let transports: [any WebTrackingTransport] = [memory, NDJSONTransport()]
        for transport in transports {
            let producer = try WebTrackingProducer(
                configuration: configuration,
                transport: transport,
                diagnostics: DiagnosticHandler {
                    if case .settingsInForce = $0 { return }
                    reported.add("\($0)")
                }
            )
            producer.makeLogHandler(label: "l").error("m")
            await producer.flush(timeout: .milliseconds(200))
            await reported.wait(for: 1)
            await producer.shutdown(timeout: .zero)
        }
        #expect(memory.malformed.allSatisfy { $0.contains("authentication = .anonymous") } && !memory.malformed.isEmpty)
        #expect(reported.elements.contains { $0.contains("no answer") && $0.contains("authentication = .anonymous") })
    }
    #endif

    #if SwiftLog
    @Test("A swift-log logger is recorded without bootstrapping anything")
    func recordsALogger() async throws {
        let recorder = try LogRecorder()
        var logger = recorder.logger(label: "shop")
        logger[metadataKey: "order"] = "17"
        logger.info("ordered", metadata: ["item": "tea"])
        #expect(try await recorder.log { $0.message == "ordered" }.metadata == ["order": "17", "item": "tea"])
        await recorder.shutdown()
    }
    #endif
}

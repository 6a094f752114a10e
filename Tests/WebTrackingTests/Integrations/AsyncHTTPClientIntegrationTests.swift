// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// A producer with AsyncHTTPClient, from a configuration alone.
///
/// AsyncHTTPClient ends a process of a debug build that drops a client without shutting it down; hence the exit tests.
@Suite struct AsyncHTTPClientIntegrationTests {
    @Test func aConfigurationIsEnoughToDeliver() async throws {
        let server = try Self.service()
        let producer = try WebTrackingProducer(configuration: Self.configuration(port: server.port), diagnostics: .none)
        producer.makeLogHandler(label: "label").info("m")
        let report = await producer.shutdown(timeout: .seconds(60))
        #expect(report.delivered == 1)
        #expect(report.isComplete)
        #expect(server.requests.map(\.target) == ["/logstores/logstore/track"])
        let numbers = producer.statistics
        #expect(numbers.accepted == numbers.delivered + numbers.totalDropped + numbers.pending)
    }

    @Test func aBadConfigurationThrowsAndDoesNotEndTheProcess() async {
        await #expect(processExitsWith: .success) {
            var configuration = Self.configuration(port: 80)
            configuration.project = "Not A Project"
            let error = #expect(throws: ConfigurationError.self) {
                try WebTrackingProducer(configuration: configuration)
            }
            #expect(error?.setting == "project")
        }
    }

    @Test func aProducerThatIsDroppedUnusedDoesNotEndTheProcess() async {
        await #expect(processExitsWith: .success) {
            _ = try WebTrackingProducer(configuration: Self.configuration(port: 80), diagnostics: .none)
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func aProducerThatIsDroppedAfterItsWorkDoesNotEndTheProcess() async {
        await #expect(processExitsWith: .success) {
            let server = try Self.service()
            let clock = ManualClock()
            let gone = Recorder<Bool>()
            try await Self.deliverAndDrop(to: server.port, clock: clock, gone: gone)
            #expect(server.requests.count == 1)
            // The topic's worker holds the client until it has been idle for a while.
            while gone.elements.isEmpty {
                if let rest = clock.timeToNextDeadline { clock.advance(by: rest) }
                await Task.yield()
            }
        }
    }

    private static func deliverAndDrop(to port: Int, clock: ManualClock, gone: Recorder<Bool>) async throws {
        let producer = try WebTrackingProducer(
            configuration: Self.configuration(port: port),
            transport: WatchedTransport(gone: gone),
            diagnostics: .none,
            clock: clock
        )
        producer.makeLogHandler(label: "label").info("m")
        await producer.flush(timeout: .seconds(60))
        #expect(producer.statistics.delivered == 1)
    }

    /// Tells when it is gone, and the client with it.
    private final class WatchedTransport: WebTrackingTransport {
        private final class Canary: Sendable {
            let gone: Recorder<Bool>

            init(gone: Recorder<Bool>) {
                self.gone = gone
            }

            deinit {
                self.gone.add(true)
            }
        }

        // Properties go in this order.
        private let inner = AsyncHTTPClientTransport()
        private let canary: Canary

        init(gone: Recorder<Bool>) {
            self.canary = Canary(gone: gone)
        }

        func send(_ request: TransportRequest) async throws -> TransportResponse {
            try await self.inner.send(request)
        }
    }

    #if SwiftLog

    @Test func theBootstrapFromABadConfigurationThrowsAndLeavesSwiftLogAlone() async {
        await #expect(processExitsWith: .success) {
            var configuration = Self.configuration(port: 80)
            configuration.logstore = "/"
            let error = #expect(throws: ConfigurationError.self) {
                try WebTrackingProducer.bootstrap(configuration)
            }
            #expect(error?.setting == "logstore")
            // Once in a process, which would be over if the failed one had counted.
            let rig = try Rig()
            WebTrackingProducer.bootstrap(rig.producer)
            Logger(label: "global").info("m")
            #expect(await rig.drain().count == 1)
            await rig.stop()
        }
    }

    @Test func theBootstrapFromAConfigurationMakesEveryLoggerSend() async {
        // In a function of its own: the compiler (6.3.1) crashes on this body as a closure.
        await #expect(processExitsWith: .success) { try await Self.bootstrapAndDeliver() }
    }

    private static func bootstrapAndDeliver() async throws {
        let server = try Self.service()
        let producer = try WebTrackingProducer.bootstrap(
            Self.configuration(port: server.port),
            keepingConsole: true,
            metadataProvider: Logger.MetadataProvider { ["trace": "abc"] }
        )
        let logger = Logger(label: "global")
        #expect(logger.handler is ConsolePair)
        #expect(logger.metadataProvider?.get() == ["trace": "abc"])
        logger.info("m")
        let report = await producer.shutdown(timeout: .seconds(60))
        #expect(report.delivered == 1)
        #expect(server.requests.count == 1)
    }

    #endif

    /// A server that answers as the service does.
    private static func service() throws -> LoopbackServer {
        try LoopbackServer(otherwise: .answer(headers: [("x-log-requestid", "5642EFA499248C827B012B39")]))
    }

    private static func configuration(port: Int) -> WebTrackingConfiguration {
        WebTrackingConfiguration(endpoint: "http://127.0.0.1:\(port)", project: "project", logstore: "logstore")
    }
}

#endif

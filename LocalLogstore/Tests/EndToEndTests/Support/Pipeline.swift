// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import Logging
import Testing
import WebTracking

/// The parent of all end-to-end tests: one after the other, since each of them keeps the whole machine busy.
@Suite("End to end", .serialized, .timeLimit(.minutes(10)))
enum EndToEnd {}

/// The library and an endpoint, connected by a socket.
struct Pipeline {
    let server: TestServer
    let producer: WebTrackingProducer

    /// A logger whose lines end up at the endpoint.
    func logger(_ label: String = "test") -> Logger {
        var logger = Logger(label: label, factory: self.producer.makeLogHandler(label:))
        logger.logLevel = .trace
        return logger
    }

    /// What arrived, in order.
    func logs(topic: String? = nil) async throws -> [StoredLog] {
        try await self.server.store.logs(matching: LogQuery(topic: topic))
    }

    /// Delivers everything; records an issue if that does not work out.
    func flush(_ location: SourceLocation = #_sourceLocation) async {
        let report = await self.producer.flush(timeout: .seconds(60))
        #expect(report.isComplete, "\(report)", sourceLocation: location)
        self.checkBalance(location)
    }

    /// accepted = delivered + dropped + pending
    func checkBalance(_ location: SourceLocation = #_sourceLocation) {
        let statistics = self.producer.statistics
        #expect(
            statistics.accepted == statistics.delivered + statistics.totalDropped + statistics.pending,
            sourceLocation: location
        )
    }
}

extension StoredRequest {
    /// The tags but for the number of the batch.
    var ownTags: [Field] { self.tags.filter { $0.name != "__pack_id__" } }
}

/// Runs an endpoint and a producer that sends to it while `body` runs.
///
/// The producer waits as little as possible after failures, to keep tests short.
func withPipeline<Result: Sendable>(
    faults: FaultPlan = .none,
    diagnostics: DiagnosticHandler = .none,
    clock: any ProducerClock = SystemProducerClock(),
    _ change: (inout WebTrackingConfiguration) -> Void = { _ in },
    _ body: (Pipeline) async throws -> Result
) async throws -> Result {
    try await withServer {
        $0.faults = faults
    } _: { server async throws in
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1:\(server.port)",
            project: "local",
            logstore: "app"
        )
        // A busy machine must not look like a broken network.
        configuration.delivery.requestTimeout = .seconds(120)
        configuration.delivery.initialBackoff = .milliseconds(5)
        configuration.delivery.maximumBackoff = .milliseconds(50)
        configuration.delivery.initialQuotaBackoff = .milliseconds(5)
        configuration.delivery.maximumQuotaBackoff = .milliseconds(50)
        configuration.delivery.initialRefusalBackoff = .milliseconds(5)
        configuration.delivery.maximumRefusalBackoff = .milliseconds(50)
        configuration.logLevel = .trace
        change(&configuration)
        // Before the transport is made: a client that is never used has to be shut down all the same.
        try configuration.validate()
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: AsyncHTTPClientTransport(),
            diagnostics: diagnostics,
            clock: clock
        )
        do {
            let result = try await body(Pipeline(server: server, producer: producer))
            await producer.shutdown(timeout: .seconds(60))
            return result
        } catch {
            // The transport's client insists on being shut down.
            await producer.shutdown(timeout: .zero)
            throw error
        }
    }
}

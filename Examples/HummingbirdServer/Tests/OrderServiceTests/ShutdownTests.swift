// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore
import ServiceLifecycle
import Testing
import WebTracking
import WebTrackingTestKit

@testable import OrderService

@Suite struct ShutdownTests {
    @Test func linesOfTheShutdownAreDelivered() async throws {
        let transport = InMemoryTransport()
        let producer = try LogRecorder.makeProducer(transport: transport)
        let logger = Logger(label: "orders.closing", factory: producer.makeLogHandler(label:))
        let group = self.group(producer, ClosingReport(store: OrderStore(), logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(transport.logs.map { $0["message"] } == ["shop closed"])
        #expect(transport.logs.map { $0["orders"] } == ["0"])
        #expect(transport.isShutDown)
    }

    @Test func whyTheServiceFailedIsDelivered() async throws {
        struct PortTaken: Error {}
        struct Failing: Service {
            func run() async throws { throw PortTaken() }
        }
        let transport = InMemoryTransport()
        let producer = try LogRecorder.makeProducer(transport: transport)
        let logger = Logger(label: "service.failure", factory: producer.makeLogHandler(label:))
        let group = self.group(producer, FailureLog(base: Failing(), logger: logger))
        await #expect(throws: PortTaken.self) { try await group.run() }
        #expect(transport.logs.map { $0["level"] } == ["critical"])
        #expect(transport.logs.map { $0["error.message"] } == ["PortTaken()"])
        #expect(transport.isShutDown)
    }

    /// The producer and one more service, in the order that matters.
    private func group(_ producer: WebTrackingProducer, _ service: any Service) -> ServiceGroup {
        ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [producer, service],
                logger: Logger(label: "service.group") { _ in SwiftLogNoOpLogHandler() }
            )
        )
    }

    /// The whole service on a real socket: starts, says where, answers, stops, and nothing is missing.
    @Test(.timeLimit(.minutes(10))) func theWholeService() async throws {
        _ = LogRecorder.producer
        let portFile = FileManager.default.temporaryDirectory.appending(path: "order-service-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: portFile) }
        // This producer's group stops it; the bootstrapped one has to go on for the other tests.
        let transport = InMemoryTransport()
        let producer = try LogRecorder.makeProducer(transport: transport)
        let settings = try Settings.forTests(["PORT": "0", "PORT_FILE": portFile.path()])
        let service = OrderService(settings: settings, producer: producer, signals: [])
        let trace = TraceContext()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await service.run() }
            let port = try await self.port(in: portFile)
            let body = try await TestClient.withClient(host: "127.0.0.1", port: port) { client in
                try await client.execute(
                    TestClient.Request(
                        "/health",
                        method: .get,
                        authority: "127.0.0.1",
                        headers: [.traceparent: trace.traceparent]
                    )
                ).body
            }
            #expect(body.map(String.init(buffer:)) == "ok\n")
            await service.stop()
            try await tasks.waitForAll()
        }
        #expect(service.counter.count == 1)
        #expect(transport.isShutDown)
        #expect(await LogRecorder.lines(ofTrace: trace.traceID).count { $0["label"] == "http.requests" } == 1)
    }

    private func port(in file: URL) async throws -> Int {
        while true {
            let text = try? String(contentsOf: file, encoding: .utf8)
            if let port = text.flatMap({ Int($0.dropLast()) }) { return port }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

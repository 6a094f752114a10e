// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import Logging
import Synchronization
import Testing
import WebTracking

extension EndToEnd {
    @Suite("Faults on the way")
    struct FaultTests {
        /// Which records arrived, and how often each.
        private func counts(_ logs: [StoredLog]) -> [String: Int] {
            logs.reduce(into: [:]) { $0[$1.log["index"] ?? "?", default: 0] += 1 }
        }

        /// The order of first arrival.
        private func firstArrivals(_ logs: [StoredLog]) -> [String] {
            var seen: Set<String> = []
            return logs.compactMap { $0.log["index"] }.filter { seen.insert($0).inserted }
        }

        private func isStored(_ name: String) -> Bool { ["reset-stored", "cut", "slow"].contains(name) }

        @Test(arguments: Fault.kinds.map(\.name))
        func loseNothing(name: String) async throws {
            let fault = try #require(name == "slow" ? Fault.slow(.milliseconds(600)) : Fault.named(name))
            try await withPipeline(faults: .sequence([fault, nil, fault, fault])) {
                $0.batching.targetBytes = 16 << 10
                $0.delivery.requestTimeout = .milliseconds(name == "slow" ? 300 : 120_000)
            } _: { pipeline async throws in
                let logger = pipeline.logger()
                for index in 0..<300 { logger.info("line", metadata: ["index": "\(index)"]) }
                await pipeline.flush()
                let logs = try await pipeline.logs()
                let expected = (0..<300).map(String.init)
                if self.isStored(name) {
                    #expect(self.firstArrivals(logs) == expected)
                    #expect(logs.count > 300)
                } else {
                    #expect(logs.map { $0.log["index"] } == expected)
                }
                #expect(pipeline.server.server.statistics.faults == 3)
                #expect(pipeline.producer.statistics.delivered == 300)
            }
        }

        @Test func loseNothingOfManyTopicsWhenAThirdFails() async throws {
            let kinds = try ["500", "reset", "cut", "no-id", "reset-stored", "quota"].map {
                try #require(Fault.named($0))
            }
            try await withPipeline(faults: .random(share: 0.33, of: kinds, seed: 7)) {
                $0.topic = .label
                $0.batching.targetBytes = 16 << 10
            } _: { pipeline async throws in
                let loggers = (0..<20).map { pipeline.logger("topic-\($0)") }
                for index in 0..<500 {
                    for logger in loggers { logger.info("line", metadata: ["index": "\(index)"]) }
                }
                await pipeline.flush()
                for topic in 0..<20 {
                    let logs = try await pipeline.logs(topic: "topic-\(topic)")
                    #expect(self.firstArrivals(logs) == (0..<500).map(String.init))
                }
                #expect(pipeline.server.server.statistics.faults > 10)
                #expect(pipeline.producer.statistics.retries > 0)
            }
        }

        @Test func outlivesTrackingThatIsOffForAWhile() async throws {
            let refused = AsyncStream<Void>.makeStream()
            let diagnostics = DiagnosticHandler { diagnostic in
                if case .requestFailed(_, .unauthorized, _, _) = diagnostic { refused.continuation.yield() }
            }
            try await withPipeline(diagnostics: diagnostics) { pipeline async throws in
                pipeline.server.server.registry.setTracking(false, for: "app")
                for index in 0..<10 { pipeline.logger().error("line", metadata: ["index": "\(index)"]) }
                var refusals = refused.stream.makeAsyncIterator()
                for _ in 0..<3 { _ = await refusals.next() }
                #expect(try await pipeline.server.store.count() == 0)
                pipeline.server.server.registry.setTracking(true, for: "app")
                await pipeline.flush()
                #expect(try await pipeline.logs().map { $0.log["index"] } == (0..<10).map(String.init))
            }
        }

        @Test func ofOneTopicStarveNoOther() async throws {
            let failing = Atomic(true)
            let busy = try #require(Fault.named("500"))
            try await withPipeline(
                faults: FaultPlan { $0.topic == "bad" && failing.load(ordering: .relaxed) ? busy : nil }
            ) {
                $0.topic = .label
                $0.delivery.maximumConcurrentRequests = 2
            } _: { pipeline async throws in
                let bad = pipeline.logger("bad")
                let good = (0..<10).map { pipeline.logger("good-\($0)") }
                for index in 0..<100 {
                    bad.info("line", metadata: ["index": "\(index)"])
                    for logger in good { logger.info("line", metadata: ["index": "\(index)"]) }
                }
                let report = await pipeline.producer.flush(timeout: .seconds(2))
                #expect(report.remaining == 100)
                #expect(try await pipeline.server.store.count() == 1000)
                failing.store(false, ordering: .relaxed)
                await pipeline.flush()
                #expect(try await pipeline.logs(topic: "bad").map { $0.log["index"] } == (0..<100).map(String.init))
            }
        }

        @Test func aRefusedRequestIsDroppedAndCounted() async throws {
            let invalid = LocalLogstore.ServiceError.refusal
            try await withPipeline(faults: .sequence([.answer(invalid)])) { pipeline async throws in
                pipeline.logger().info("gone")
                let report = await pipeline.producer.flush(timeout: .seconds(30))
                #expect(report.dropped == [.rejected: 1])
                pipeline.logger().info("there")
                await pipeline.producer.flush(timeout: .seconds(30))
                #expect(try await pipeline.logs().contains { $0.log["message"] == "there" })
                #expect(try await pipeline.logs().allSatisfy { $0.log["message"] != "gone" })
                pipeline.checkBalance()
            }
        }

        @Test func aDeadEndpointHoldsUpTheEndNoLongerThanTold() async throws {
            let port = try await withServer { server async throws in server.port }
            // Nobody listens there any more.
            var configuration = WebTrackingConfiguration(
                endpoint: "http://127.0.0.1:\(port)",
                project: "local",
                logstore: "app"
            )
            configuration.delivery.initialBackoff = .milliseconds(5)
            let producer = try WebTrackingProducer(configuration: configuration, diagnostics: .none)
            let logger = Logger(label: "test", factory: producer.makeLogHandler(label:))
            for _ in 0..<100 { logger.info("line") }
            let started = ContinuousClock.now
            let report = await producer.shutdown(timeout: .milliseconds(500))
            let elapsed = ContinuousClock.now - started
            #expect(elapsed >= .milliseconds(400) && elapsed < .seconds(60))
            #expect(report.delivered == 0)
            #expect(report.remaining == 100)
            #expect(producer.statistics.totalDropped == 100)
        }
    }
}

extension LocalLogstore.ServiceError {
    fileprivate static let refusal = Self(status: 400, code: "PostBodyInvalid", message: "no")
}

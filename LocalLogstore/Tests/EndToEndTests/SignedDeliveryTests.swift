// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import Logging
import Testing
import WebTracking

extension EndToEnd {
    /// Over sockets, against the endpoint's own check of signatures.
    @Suite("Signed delivery")
    struct SignedDeliveryTests {
        private static let key = AccessKey(id: "id", secret: "secret")
        private static let credentials = WebTrackingCredentials(accessKeyID: "id", accessKeySecret: "secret")

        /// The codes with which the endpoint refused requests.
        private func refusals(of pipeline: Pipeline) -> [String] {
            pipeline.server.events.all.compactMap { if case .refused(let error) = $0 { error.code } else { nil } }
        }

        private func checkOrder(_ pipeline: Pipeline, count: Int) async throws {
            let logs = try await pipeline.logs()
            #expect(logs.map { $0.log["index"] } == (0..<count).map { "\($0)" })
        }

        @Test(arguments: [
            (WebTracking.Compression.lz4, LocalLogstore.Compression.lz4), (.deflate(), .deflate), (.none, .none),
        ])
        func deliversEachRecordOnceAndInOrder(
            compression: WebTracking.Compression,
            expected: LocalLogstore.Compression
        ) async throws {
            try await withPipeline { configuration in
                configuration.authentication = .signed(credentials: Self.credentials, region: "cn-hangzhou")
                configuration.compression = compression
                configuration.source = "host-1"
                configuration.topic = .fixed("orders")
                configuration.tags = ["env": "test", "zone": "\u{4E2D}"]
                configuration.batching.targetBytes = 64 << 10
            } _: { pipeline async throws in
                pipeline.server.server.accessKeys.add(Self.key)
                // Signed delivery does not need web tracking.
                pipeline.server.server.registry.setTracking(false, for: "app")
                let logger = pipeline.logger("shop.cart")
                for index in 0..<3000 {
                    logger.info(
                        "added \"\(index)\"\n\u{1F600}",
                        metadata: ["index": "\(index)", "user": ["id": "u\(index % 7)"]]
                    )
                }
                await pipeline.flush()

                try await self.checkOrder(pipeline, count: 3000)
                let logs = try await pipeline.logs()
                for (index, stored) in logs.enumerated() {
                    #expect(stored.log["message"] == "added \"\(index)\"\n\u{1F600}")
                    #expect(stored.log["user.id"] == "u\(index % 7)")
                }
                let requests = try await pipeline.server.store.requests()
                #expect(requests.count > 1)
                for request in requests {
                    #expect(request.topic == "orders" && request.source == "host-1")
                    #expect(
                        request.ownTags.sorted { $0.name < $1.name } == [
                            Field("env", "test"), Field("zone", "\u{4E2D}"),
                        ]
                    )
                    #expect(request.compression == expected)
                }
                #expect(self.refusals(of: pipeline).isEmpty)
            }
        }

        /// The endpoint gives each log the time of its event, whatever field has it, or none.
        @Test func eachLogKeepsTheTimeOfItsEvent() async throws {
            try await withPipeline { configuration in
                configuration.authentication = .signed(credentials: Self.credentials, region: "cn-hangzhou")
                configuration.fields.time = "when"
            } _: { pipeline async throws in
                pipeline.server.server.accessKeys.add(Self.key)
                for _ in 0..<10 { pipeline.logger("shop").info("x") }
                await pipeline.flush()
                let logs = try await pipeline.logs()
                #expect(logs.count == 10)
                for log in logs {
                    let parts = try #require(log.log["when"]?.split(separator: "."))
                    let seconds = try Date("\(parts[0])Z", strategy: .iso8601).timeIntervalSince1970
                    #expect(log.time == Int64(seconds) * 1_000_000 + Int64(parts[1].prefix(6))!)
                }
            }
        }

        @Test func aWrongSignatureIsRefusedAndNothingIsStored() async throws {
            try await withPipeline { configuration in
                var wrong = Self.credentials
                wrong.accessKeySecret = "another"
                configuration.authentication = .signed(credentials: wrong, region: "cn-hangzhou")
            } _: { pipeline async throws in
                pipeline.server.server.accessKeys.add(Self.key)
                pipeline.logger().error("never stored")
                while pipeline.producer.statistics.retries < 3 { await Task.yield() }
                #expect(try await pipeline.server.store.count() == 0)
                #expect(pipeline.producer.statistics.pending == 1)
                #expect(Set(self.refusals(of: pipeline)) == ["SignatureNotMatch"])
                // The record waits, as it does for web tracking to be switched on.
                pipeline.server.server.accessKeys.add(AccessKey(id: "id", secret: "another"))
                await pipeline.flush()
                #expect(try await pipeline.server.store.count() == 1)
            }
        }

        @Test func credentialsThatExpireDuringARunAreReplacedAndNoRecordIsLost() async throws {
            let tokens = TokenService()
            try await withPipeline { configuration in
                configuration.authentication = .signed(credentials: tokens, region: "cn-hangzhou")
                configuration.batching.targetBytes = 16 << 10
                configuration.batching.linger = .milliseconds(1)
            } _: { pipeline async throws in
                tokens.serve(pipeline.server.server)
                let logger = pipeline.logger()
                var count = 0
                // Six times, while requests are under way, and none of it is known to the client.
                for _ in 0..<6 {
                    for _ in 0..<500 {
                        logger.info("line", metadata: ["index": "\(count)"])
                        count += 1
                        if count % 500 == 250 { tokens.expire() }
                        if count % 50 == 0 { await Task.yield() }
                    }
                    await pipeline.flush()
                }
                try await self.checkOrder(pipeline, count: count)
                #expect(tokens.issued >= 6)
                #expect(self.refusals(of: pipeline).contains("Unauthorized"))
                #expect(pipeline.producer.statistics.totalDropped == 0)
            }
        }

        @Test func credentialsAreRenewedAheadOfTheirExpiration() async throws {
            let tokens = TokenService(life: 3)
            try await withPipeline { configuration in
                configuration.authentication = .signed(credentials: tokens, region: "cn-hangzhou")
            } _: { pipeline async throws in
                tokens.serve(pipeline.server.server)
                let logger = pipeline.logger()
                var count = 0
                // As long as three lives of credentials last.
                while tokens.issued < 3 {
                    logger.info("line", metadata: ["index": "\(count)"])
                    count += 1
                    await pipeline.flush()
                }
                try await self.checkOrder(pipeline, count: count)
                #expect(pipeline.producer.statistics.totalDropped == 0)
            }
        }

        @Test func aProviderThatIsDownIsWaitedFor() async throws {
            let tokens = TokenService()
            try await withPipeline { configuration in
                configuration.authentication = .signed(credentials: tokens, region: "cn-hangzhou")
            } _: { pipeline async throws in
                tokens.serve(pipeline.server.server)
                tokens.setDown(true)
                pipeline.logger().error("waits", metadata: ["index": "0"])
                while pipeline.producer.statistics.retries < 3 { await Task.yield() }
                #expect(pipeline.server.server.statistics.requests == 0)
                tokens.setDown(false)
                await pipeline.flush()
                try await self.checkOrder(pipeline, count: 1)
            }
        }

        @Test(arguments: [Duration.seconds(7200), .seconds(-7200), .seconds(86_400 * 30), .seconds(-86_400 * 30)])
        func aWrongClockIsPutRightByTheEndpoint(error: Duration) async throws {
            try await withPipeline(clock: WrongClock(error: error)) { configuration in
                configuration.authentication = .signed(credentials: Self.credentials, region: "cn-hangzhou")
            } _: { pipeline async throws in
                pipeline.server.server.accessKeys.add(Self.key)
                for index in 0..<3 {
                    pipeline.logger().error("line", metadata: ["index": "\(index)"])
                    await pipeline.flush()
                }
                try await self.checkOrder(pipeline, count: 3)
                #expect(self.refusals(of: pipeline) == ["RequestTimeExpired"])
            }
        }

        @Test func faultsOfTheEndpointHitSignedRequestsToo() async throws {
            let faults = [
                Fault.resetBeforeStore, .answer(ServiceError(status: 500, code: "InternalServerError", message: "")),
            ]
            try await withPipeline(faults: .sequence(faults)) { configuration in
                configuration.authentication = .signed(credentials: Self.credentials, region: "cn-hangzhou")
            } _: { pipeline async throws in
                pipeline.server.server.accessKeys.add(Self.key)
                pipeline.logger().error("line", metadata: ["index": "0"])
                while pipeline.producer.statistics.pending > 0 { await Task.yield() }
                try await self.checkOrder(pipeline, count: 1)
                #expect(pipeline.producer.statistics.retries == 2)
            }
        }
    }
}

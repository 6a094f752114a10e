// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import Logging
import Testing
import WebTracking

extension EndToEnd {
    @Suite("Delivery")
    struct DeliveryTests {
        @Test(arguments: [
            (WebTracking.Compression.lz4, LocalLogstore.Compression.lz4), (.deflate(), .deflate), (.none, .none),
        ])
        func deliversEachRecordOnceAndInOrder(
            compression: WebTracking.Compression,
            expected: LocalLogstore.Compression
        ) async throws {
            try await withPipeline { configuration in
                configuration.compression = compression
                configuration.source = "host-1"
                configuration.topic = .fixed("orders")
                configuration.tags = ["env": "test", "zone": "\u{4E2D}"]
                configuration.batching.targetBytes = 64 << 10
            } _: { pipeline async throws in
                let logger = pipeline.logger("shop.cart")
                for index in 0..<5000 {
                    logger.info("added \(index)", metadata: ["index": "\(index)", "user": ["id": "u\(index % 7)"]])
                }
                await pipeline.flush()

                let logs = try await pipeline.logs()
                #expect(logs.count == 5000)
                for (index, stored) in logs.enumerated() {
                    #expect(stored.log["message"] == "added \(index)")
                    #expect(stored.log["index"] == "\(index)")
                    #expect(stored.log["user.id"] == "u\(index % 7)")
                    #expect(stored.log["seq"] == "\(index + 1)")
                }
                let requests = try await pipeline.server.store.requests()
                #expect(requests.count > 1)
                for request in requests {
                    #expect(request.topic == "orders" && request.source == "host-1" && request.project == "local")
                    #expect(
                        request.ownTags.sorted { $0.name < $1.name } == [
                            Field("env", "test"), Field("zone", "\u{4E2D}"),
                        ]
                    )
                    #expect(request.compression == expected)
                    #expect((request.wireBytes < request.rawBytes) == (expected != .none))
                }
                let statistics = pipeline.producer.statistics
                #expect(statistics.rawBytes == requests.map(\.rawBytes).reduce(0, +))
                #expect(statistics.wireBytes == requests.map(\.wireBytes).reduce(0, +))
                #expect(statistics.requests == [.delivered: requests.count])
            }
        }

        @Test func describesTheEvent() async throws {
            struct Trouble: Error, CustomStringConvertible {
                var description: String { "no more \"ink\"" }
            }
            try await withPipeline { pipeline async throws in
                var logger = pipeline.logger("printer")
                logger[metadataKey: "room"] = "7"
                logger.error("stopped", error: Trouble(), metadata: ["page": "3"], source: "Office")
                let line = #line - 1
                await pipeline.flush()

                let log = try #require(try await pipeline.logs().first?.log)
                #expect(log["level"] == "error")
                #expect(log["label"] == "printer")
                #expect(log["message"] == "stopped")
                #expect(log["source"] == "Office")
                #expect(log["function"] == "describesTheEvent()")
                #expect(log["line"] == "\(line)")
                #expect(log["file"]?.hasSuffix("DeliveryTests.swift") == true)
                #expect(log["room"] == "7")
                #expect(log["page"] == "3")
                #expect(log["error.message"] == "no more \"ink\"")
                #expect(log["error.type"]?.contains("Trouble") == true)
                let time = try #require(log["time"])
                #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z/) != nil)
            }
        }

        @Test func separatesTopicsAndPromotedTags() async throws {
            try await withPipeline { configuration in
                configuration.topic = .label
                configuration.promotedTags = ["tenant"]
            } _: { pipeline async throws in
                let loggers = (0..<50).map { pipeline.logger("topic-\($0)") }
                for index in 0..<40 {
                    for logger in loggers {
                        logger.info("line", metadata: ["index": "\(index)", "tenant": "t\(index % 2)"])
                    }
                }
                await pipeline.flush()
                #expect(try await pipeline.server.store.count() == 2000)
                for topic in 0..<50 {
                    let logs = try await pipeline.logs(topic: "topic-\(topic)")
                    #expect(logs.count == 40)
                    for tenant in 0..<2 {
                        let own = logs.filter { $0.request.ownTags == [Field("tenant", "t\(tenant)")] }
                        #expect(own.map { $0.log["index"] } == (0..<20).map { "\($0 * 2 + tenant)" })
                        #expect(own.allSatisfy { $0.log["tenant"] == nil })
                    }
                }
            }
        }

        @Test func takesAThousandTasksAtOnce() async throws {
            try await withPipeline { configuration in
                configuration.batching.targetBytes = 64 << 10
            } _: { pipeline async throws in
                let logger = pipeline.logger()
                await withTaskGroup(of: Void.self) { tasks in
                    for task in 0..<1000 {
                        tasks.addTask {
                            for index in 0..<20 {
                                logger.info("line", metadata: ["task": "\(task)", "index": "\(index)"])
                                if index % 5 == 0 { await Task.yield() }
                            }
                        }
                    }
                }
                await pipeline.flush()
                let logs = try await pipeline.logs()
                #expect(logs.count == 20_000)
                var next: [String: Int] = [:]
                for stored in logs {
                    let task = stored.log["task"] ?? ""
                    // Within a task the order is kept, so nothing is missing and nothing comes twice.
                    #expect(stored.log["index"] == "\(next[task, default: 0])")
                    next[task, default: 0] += 1
                }
                #expect(next.count == 1000 && next.values.allSatisfy { $0 == 20 })
            }
        }

        @Test func sendsUrgentRecordsAtOnce() async throws {
            try await withPipeline { configuration in
                configuration.batching.linger = .seconds(3600)
            } _: { pipeline async throws in
                pipeline.logger().info("waits")
                pipeline.logger().error("rings")
                // No flush: the error itself sends both.
                while pipeline.producer.statistics.pending > 0 { await Task.yield() }
                #expect(try await pipeline.logs().map { $0.log["message"] } == ["waits", "rings"])
            }
        }
    }
}

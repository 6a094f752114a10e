// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import NIOHTTP1
import Testing

@Suite("Deliveries")
struct DeliveryTests {
    private let other = #"{"__source__":"s","__logs__":[{"k":"w"}]}"#

    @Test func listsEveryRequestWithItsAnswer() async throws {
        try await withServer { server async throws in
            let raw = Array(Body.logs(500).utf8)
            let wire = Wire.lz4(raw)
            _ = try await server.post(
                wire,
                headers: [("x-log-bodyrawsize", "\(raw.count)"), ("x-log-compresstype", "lz4")]
            )
            _ = try await server.post("no JSON")
            _ = try await server.get("/logstores/app/track?APIVersion=0.6.0&k=v")
            _ = try await server.post(Body.small, to: "-")
            let page = try await server.store.deliveries()
            #expect(page.deliveries.map(\.status) == [400, 200, 400, 200])
            #expect(page.deliveries.map(\.code) == ["ParameterInvalid", "", "PostBodyInvalid", ""])
            #expect(page.deliveries.map(\.logCount) == [0, 1, 0, 500])
            let first = page.deliveries[3]
            #expect(first.rawBytes == raw.count && first.wireBytes == wire.count && first.compression == "lz4")
            #expect(first.isStored && !first.isDuplicate && first.attempt == 1 && first.microseconds > 0)
            #expect(first.project == "local" && first.logstore == "app" && first.client == "127.0.0.1")
            #expect(page.summary.requests == 4 && page.summary.statuses == [200: 2, 400: 2])
            #expect(page.summary.logs == 501 && page.summary.retries == 0)
            #expect(
                try await server.store.deliveries(before: first.id + 2, limit: 1).deliveries.map(\.id) == [first.id + 1]
            )
            #expect(try await server.store.deliveries(logstore: "other").deliveries.isEmpty)
            // The page's own requests are none.
            _ = try await server.api("logs")
            #expect(try await server.store.deliveries().summary.requests == 4)
        }
    }

    @Test func namesThePlaceOfWhatWasRefused() async throws {
        try await withServer {
            $0.logstores = .only(["app"])
        } _: { server async throws in
            #expect(try await server.post(Body.small, to: "web").status == 404)
            #expect(try await server.post(Body.small, headers: [("host", "shop.example.com")]).status == 404)
            let deliveries = try await server.store.deliveries().deliveries
            #expect(deliveries.map(\.project) == ["shop", "local"] && deliveries.map(\.logstore) == ["app", "web"])
            #expect(deliveries.map(\.code) == ["ProjectNotExist", "LogStoreNotExist"])
        }
    }

    /// Whatever is written meanwhile.
    @Test func areListedWhileTheEndpointIsBusy() async throws {
        try await withServer { server async throws in
            try await withThrowingTaskGroup(of: Void.self) { senders in
                for _ in 0..<4 {
                    senders.addTask {
                        while !Task.isCancelled { _ = try await server.post(Body.small) }
                    }
                }
                for count in 1...20 {
                    while try await server.store.deliveries().summary.requests < count {}
                }
                senders.cancelAll()
                while let result = await senders.nextResult() { _ = result }
            }
        }
    }

    @Test func tellsRetriesAndDuplicates() async throws {
        try await withServer {
            $0.faults = .sequence([Fault.named("503"), .resetAfterStore, nil, nil])
        } _: { server async throws in
            #expect(try await server.post(Body.small).status == 503)
            await #expect(throws: (any Error).self) { try await server.post(Body.small) }
            #expect(try await server.post(Body.small).status == 200)
            #expect(try await server.post(self.other).status == 200)
            let deliveries = try await server.store.deliveries().deliveries.reversed().map(\.self)
            #expect(deliveries.map(\.status) == [503, 0, 200, 200])
            #expect(deliveries.map(\.attempt) == [1, 2, 3, 1])
            #expect(deliveries.map(\.isStored) == [false, true, true, true])
            #expect(deliveries.map(\.isDuplicate) == [false, false, true, false])
            #expect(Set(deliveries.prefix(3).map(\.batch)).count == 1 && deliveries[3].batch != deliveries[0].batch)
            let summary = try await server.store.deliveries().summary
            #expect(summary.retries == 2 && summary.duplicates == 1 && summary.duplicateLogs == 1)
        }
    }

    @Test func takesTheNumberThatAClientGivesItsBatches() async throws {
        try await withServer { server async throws in
            for value in ["a", "b"] {
                let body = #"{"__source__":"s","__tags__":{"__pack_id__":"5-1"},"__logs__":[{"k":"\#(value)"}]}"#
                #expect(try await server.post(body).status == 200)
            }
            let deliveries = try await server.store.deliveries().deliveries
            #expect(deliveries.map(\.batch) == ["5-1", "5-1"] && deliveries.map(\.attempt) == [2, 1])
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import OrderService

@Suite struct RequestLogTests {
    @Test func aPlacedOrder() async throws {
        let caller = TraceContext()
        let exchange = try await Shop().send(.post, "/orders", body: #"{"item":"tea","quantity":2}"#, in: caller)
        #expect(exchange.response.status == .created)
        #expect(exchange.response.headers[.location] == "/orders/1")

        let line = try #require(exchange.requestLines.first)
        #expect(exchange.requestLines.count == 1)
        #expect(line["level"] == "info")
        #expect(line["message"] == "request handled")
        #expect(line["method"] == "POST")
        #expect(line["path"] == "/orders")
        #expect(line["route"] == "/orders")
        #expect(line["status"] == "201")
        #expect(line["request.id"] == exchange.response.headers[.xRequestID])
        #expect(line["traceID"] == caller.traceID)
        #expect(line["spanID"] != caller.spanID)
        let duration = try #require(line["duration_ms"].flatMap(Double.init))
        #expect((0..<10_000).contains(duration))
        #expect(line["error.type"] == nil)
    }

    @Test func aShownOrder() async throws {
        let shop = Shop()
        _ = try await shop.send(.post, "/orders", body: #"{"item":"tea","quantity":2}"#)
        let exchange = try await shop.send(.get, "/orders/1?colour=green")
        #expect(exchange.text.contains("tea"))
        let line = try #require(exchange.requestLines.first)
        #expect(line["route"] == "/orders/{id}")
        // The query may hold what is nobody's business.
        #expect(line["path"] == "/orders/1")
        #expect(line["status"] == "200")
    }

    @Test func health() async throws {
        let exchange = try await Shop().send(.get, "/health")
        #expect(exchange.text == "ok\n")
        #expect(exchange.requestLines.count == 1)
    }

    @Test func theNewestOrders() async throws {
        let shop = Shop()
        for number in 1...21 {
            _ = try await shop.send(.post, "/orders", body: #"{"item":"tea","quantity":\#(number)}"#)
        }
        let exchange = try await shop.send(.get, "/orders")
        #expect(exchange.text.hasPrefix(#"[{"id":21,"#) || exchange.text.contains(#""id":21"#))
        #expect(!exchange.text.contains(#""id":1,"#) && !exchange.text.contains(#""id":1}"#))
        #expect(shop.counter.count == 22)
    }

    @Test(arguments: [
        Failure("GET /nowhere", status: 404, error: "HTTPError: Not Found", type: "Hummingbird.HTTPError"),
        Failure("GET /orders/7", status: 404, error: "there is no order 7"),
        Failure("GET /orders/seven", status: 400, error: #""seven" is not the number of an order"#),
        Failure(#"POST /orders {"item":"","quantity":1}"#, status: 422, error: "item has from 1 to 100 characters"),
        Failure(#"POST /orders {"item":"tea","quantity":0}"#, status: 422, error: "quantity is from 1 to 1000"),
        Failure("POST /orders tea, please", status: 400, error: nil, type: "Hummingbird.HTTPError"),
    ])
    func aFailure(_ failure: Failure) async throws {
        let exchange = try await Shop().send(failure.method, failure.path, body: failure.body)
        #expect(exchange.response.status.code == failure.status)
        let line = try #require(exchange.requestLines.first)
        #expect(exchange.requestLines.count == 1)
        #expect(line["level"] == "error")
        #expect(line["message"] == "request failed")
        #expect(line["status"] == "\(failure.status)")
        #expect(line["error.type"] == failure.type)
        if let error = failure.error { #expect(line["error.message"] == error) }
        #expect(line["request.id"] == exchange.response.headers[.xRequestID])
        #expect(line["request.id"] != nil)
    }

    /// A request that fails, written as method, path and body, and how.
    struct Failure: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var status: Int
        var error: String?
        var type: String

        init(_ request: String, status: Int, error: String?, type: String = "OrderService.OrderError") {
            self.testDescription = request
            self.status = status
            self.error = error
            self.type = type
        }

        private var words: [String] { self.testDescription.split(separator: " ", maxSplits: 2).map(String.init) }
        var method: HTTPRequest.Method { self.words[0] == "GET" ? .get : .post }
        var path: String { self.words[1] }
        var body: String? { self.words.count > 2 ? self.words[2] : nil }
    }

    @Test func anUnexpectedErrorStaysInside() async throws {
        struct DiskOnFire: Error {}
        let shop = Shop { $0.get("disk") { _, _ -> String in throw DiskOnFire() } }
        let exchange = try await shop.send(.get, "/disk")
        #expect(exchange.response.status == .internalServerError)
        #expect(exchange.text == "")
        #expect(exchange.requestLines.map { $0["status"] } == ["500"])
        #expect(exchange.requestLines.first?["error.message"] == "DiskOnFire()")
        #expect(exchange.requestLines.first?["request.id"] == exchange.response.headers[.xRequestID])
    }
}

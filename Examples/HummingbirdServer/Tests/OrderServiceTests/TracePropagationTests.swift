// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Testing
import Tracing

@testable import OrderService

@Suite struct TracePropagationTests {
    @Test func allLinesOfARequestBelongToItsTrace() async throws {
        let exchange = try await Shop().send(.post, "/orders", body: #"{"item":"tea","quantity":2}"#)
        #expect(exchange.lines.map { $0["label"] } == ["orders.store", "http.requests"])
        #expect(Set(exchange.lines.map { $0["spanID"] }).count == 1)
        #expect(Set(exchange.lines.map { $0["request.id"] }) == [exchange.response.headers[.xRequestID]])
        #expect(exchange.lines[0]["order.item"] == "tea")
    }

    @Test func linesOfOtherLibrariesDoToo() async throws {
        let shop = Shop {
            $0.get("library") { _, context in
                Logger(label: "some.library").info("made on the spot")
                context.logger.info("the server's logger")
                Logger.current.info("the task's logger")
                await Task { Logger(label: "some.task").info("from a task of the request") }.value
                return ""
            }
        }
        let exchange = try await shop.send(.get, "/library")
        #expect(
            exchange.lines.map { $0["message"] } == [
                "made on the spot", "the server's logger", "the task's logger", "from a task of the request",
                "request handled",
            ]
        )
        #expect(Set(exchange.lines.map { $0["request.id"] }) == [exchange.response.headers[.xRequestID]])
    }

    @Test func aSpanWithinTheRequestHasAnIDOfItsOwn() async throws {
        let shop = Shop {
            $0.get("span") { _, _ in
                withSpan("inner") { _ in Logger(label: "some.library").info("inside") }
                return ""
            }
        }
        let exchange = try await shop.send(.get, "/span")
        #expect(exchange.lines.map { $0["message"] } == ["inside", "request handled"])
        #expect(Set(exchange.lines.map { $0["spanID"] }).count == 2)
    }

    @Test func theAnswerNamesTheTrace() async throws {
        let caller = TraceContext()
        let exchange = try await Shop().send(.get, "/nowhere", in: caller)
        let answer = try #require(exchange.response.headers[.traceresponse].flatMap(TraceContext.init(traceparent:)))
        #expect(answer.traceID == caller.traceID)
        #expect(answer.spanID == exchange.requestLines.first?["spanID"])
        #expect(answer.spanID != caller.spanID)
    }

    @Test(arguments: [nil, "nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"])
    func aTraceBeginsWhereNoneIsGiven(header: String?) async throws {
        let headers: HTTPFields = header.map { [.traceparent: $0] } ?? [:]
        let response = try await Shop().answer(.get, "/health", headers: headers)
        let trace = try #require(response.headers[.traceresponse].flatMap(TraceContext.init(traceparent:)))
        let lines = await LogRecorder.lines(ofTrace: trace.traceID)
        #expect(lines.count == 1)
        #expect(lines.first?["spanID"] == trace.spanID)
    }

    @Test func requestsAtTheSameTimeKeepTheirTracesApart() async throws {
        let shop = Shop()
        let exchanges = try await withThrowingTaskGroup(of: Exchange.self) { group in
            for number in 1...100 {
                group.addTask {
                    try await shop.send(.post, "/orders", body: #"{"item":"tea","quantity":\#(number)}"#)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(exchanges.count == 100)
        #expect(exchanges.allSatisfy { $0.lines.count == 2 && $0.requestLines.count == 1 })
        #expect(Set(exchanges.map { $0.response.headers[.xRequestID] }).count == 100)
    }
}

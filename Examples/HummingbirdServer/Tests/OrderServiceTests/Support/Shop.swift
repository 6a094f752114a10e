// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging

@testable import OrderService

/// A shop of its own for a test, whose routes answer without a network.
struct Shop: Sendable {
    let counter = RequestCounter()
    private let responder: RouterResponder<BasicRequestContext>

    /// Opens the shop; `extend` may add routes.
    init(extend: (Router<BasicRequestContext>) -> Void = { _ in }) {
        _ = LogRecorder.producer
        let router = OrderRoutes.router(store: OrderStore(), counter: self.counter)
        extend(router)
        self.responder = router.buildResponder()
    }

    /// Sends one request with these headers.
    func answer(
        _ method: HTTPRequest.Method,
        _ path: String,
        headers: HTTPFields,
        body: String? = nil
    ) async throws -> TestResponse {
        let app = Application(responder: self.responder, logger: Logger(label: "http.server"))
        return try await app.test(.router) { client in
            try await client.execute(
                uri: path,
                method: method,
                headers: headers,
                body: body.map(ByteBuffer.init(string:))
            )
        }
    }

    /// Sends one request on behalf of a trace, its own by default, and collects what was logged for it.
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        body: String? = nil,
        in caller: TraceContext = TraceContext()
    ) async throws -> Exchange {
        let headers: HTTPFields = [.traceparent: caller.traceparent]
        let response = try await self.answer(method, path, headers: headers, body: body)
        return Exchange(response: response, lines: await LogRecorder.lines(ofTrace: caller.traceID))
    }
}

/// An answer, and the lines that were logged for it.
struct Exchange {
    var response: TestResponse
    var lines: [[String: String]]

    /// The lines about the request itself, of which there has to be one.
    var requestLines: [[String: String]] { self.lines.filter { $0["label"] == "http.requests" } }

    var text: String { String(buffer: self.response.body) }
}

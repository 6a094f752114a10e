// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Tracing

/// Puts Hummingbird's id of the request where all lines of the request find it, and on the answer.
///
/// It stands in front of Hummingbird's `TracingMiddleware`, whose spans begin with the context that they find.
struct RequestIDMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var current = ServiceContext.current ?? .topLevel
        current.requestID = context.id
        return try await ServiceContext.$current.withValue(current) {
            var response = try await next(request, context)
            response.headers[.xRequestID] = context.id
            return response
        }
    }
}

/// Names the trace in the answer's `traceresponse`, so that a client can ask for its lines.
///
/// It stands behind `TracingMiddleware`, which has continued the caller's trace or begun one.
struct TraceResponseMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let current = ServiceContext.current {
            response.headers[.traceresponse] = TraceParent.header(of: current, from: InstrumentationSystem.instrument)
        }
        return response
    }
}

extension ServiceContext {
    private enum RequestIDKey: ServiceContextKey {
        typealias Value = String
        static let nameOverride: String? = "request.id"
    }

    /// The id that Hummingbird has given the request.
    var requestID: String? {
        get { self[RequestIDKey.self] }
        set { self[RequestIDKey.self] = newValue }
    }
}

extension HTTPField.Name {
    static let xRequestID = Self("x-request-id")!
    static let traceresponse = Self("traceresponse")!
}

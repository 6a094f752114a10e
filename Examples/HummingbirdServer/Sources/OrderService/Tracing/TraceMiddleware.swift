//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import HTTPTypes
import Hummingbird

/// Continues the trace of the caller, or begins one, for as long as the request is worked on.
///
/// The answer names the trace in `traceresponse`, so that a client can ask for its lines.
struct TraceMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let trace = request.headers[.traceparent].flatMap(TraceContext.init(traceparent:)) ?? TraceContext()
        return try await TraceContext.$current.withValue(trace) {
            var response = try await next(request, context)
            response.headers[.traceresponse] = trace.traceparent
            return response
        }
    }
}

extension HTTPField.Name {
    static let traceresponse = Self("traceresponse")!
}

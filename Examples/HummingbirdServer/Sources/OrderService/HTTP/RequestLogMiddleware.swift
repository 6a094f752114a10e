// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// Logs one line for every request when its answer is ready.
///
/// Errors become answers here already, and not in Hummingbird, so that they carry the ids as well.
struct RequestLogMiddleware<Context: RequestContext>: RouterMiddleware {
    var counter: RequestCounter
    private let logger = Logger(label: "http.requests")

    init(counter: RequestCounter) {
        self.counter = counter
    }

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response: Response
        var failure: (any Error)?
        do {
            response = try await next(request, context)
        } catch {
            response = try self.answer(to: error, request: request, context: context)
            failure = error
        }
        self.counter.increment()
        self.log(request, context, status: response.status, error: failure, duration: ContinuousClock.now - start)
        if let failure = failure as? HTTPParserError { throw failure }
        return response
    }

    private func answer(to error: any Error, request: Request, context: Context) throws -> Response {
        switch error {
        case let error as any HTTPResponseError: try error.response(from: request, context: context)
        // Rethrown: Hummingbird answers it, and closes the connection.
        case is HTTPParserError: Response(status: .badRequest)
        // What went wrong inside is for the log, not for the client.
        default: try HTTPError(.internalServerError).response(from: request, context: context)
        }
    }

    private func log(
        _ request: Request,
        _ context: Context,
        status: HTTPResponse.Status,
        error: (any Error)?,
        duration: Duration
    ) {
        var metadata: Logger.Metadata = [
            "method": "\(request.method.rawValue)",
            "path": "\(request.uri.path)",
            "status": "\(status.code)",
            "duration_ms": "\(duration.milliseconds)",
        ]
        if let route = context.endpointPath { metadata["route"] = "\(route)" }
        self.logger.log(
            level: error == nil ? .info : .error,
            error == nil ? "request handled" : "request failed",
            error: error,
            metadata: metadata
        )
    }
}

extension Duration {
    /// Milliseconds, to the microsecond.
    fileprivate var milliseconds: Double {
        (self / .microseconds(1)).rounded() / 1000
    }
}

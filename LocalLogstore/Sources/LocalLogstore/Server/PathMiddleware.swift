// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Refuses paths with a slash too many, which the routes would take: the service documents none. Some proxies write them.
struct PathMiddleware: RouterMiddleware {
    typealias Context = TrackContext

    let mode: DecodingMode

    func handle(
        _ request: Request,
        context: TrackContext,
        next: @concurrent (Request, TrackContext) async throws -> Response
    ) async throws -> Response {
        let path = RequestPath(request)
        if !path.isExact {
            let message = "The path \(request.uri.path) has a slash too many"
            switch path.owner {
            case .page: throw WebError.notFound(message + ".")
            case .service, .nobody:
                guard self.mode == .compatible else {
                    throw ServiceError.parameterInvalid(message + "; with --compatible it is taken.")
                }
            }
        }
        return try await next(request, context)
    }
}

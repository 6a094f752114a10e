// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Refuses requests of clients that may not read.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = TrackContext

    let access: Access

    func handle(
        _ request: Request,
        context: TrackContext,
        next: @concurrent (Request, TrackContext) async throws -> Response
    ) async throws -> Response {
        try self.access.checkRead(request)
        return try await next(request, context)
    }
}

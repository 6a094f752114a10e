// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Lets nobody read who may not.
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

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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

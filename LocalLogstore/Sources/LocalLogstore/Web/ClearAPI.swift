// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `DELETE /api/logs`: removes logs and deliveries.
struct ClearAPI: Sendable {
    let store: LogStore
    let access: Access
    let onEvent: @Sendable (ServerEvent) -> Void

    func add(to api: RouterGroup<TrackContext>) {
        api.delete("logs", use: self.clear)
    }

    private func clear(_ request: Request, _: TrackContext) async throws -> Response {
        try self.access.checkWrite(request)
        let parameters = try WebParameters(request, ["project", "logstore"])
        // What it asks for there would be taken for everything.
        let body = try await request.body.collect(upTo: 16 * 1024)
        guard body.readableBytes == 0 || (try? JSONValue(parsing: Array(buffer: body)).json) == "{}" else {
            throw WebError.badRequest("The body has to be empty, or {}: name project and logstore in the query.")
        }
        let cleared = try await self.store.clear(
            project: parameters.name("project"),
            logstore: parameters.name("logstore")
        )
        self.onEvent(.cleared(cleared))
        return .json(.object([("logs", .int(cleared.logs)), ("deliveries", .int(cleared.deliveries))]))
    }
}

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
        let cleared = try await self.store.clear(
            project: parameters.name("project"),
            logstore: parameters.name("logstore")
        )
        self.onEvent(.cleared(cleared))
        return .json(.object([("logs", .int(cleared.logs)), ("deliveries", .int(cleared.deliveries))]))
    }
}

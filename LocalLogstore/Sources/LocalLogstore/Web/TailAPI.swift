// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

/// `/api/tail`: new logs as they come, as server-sent events.
struct TailAPI: Sendable {
    let store: LogStore

    func add(to api: RouterGroup<TrackContext>) {
        api.get("tail", use: self.tail)
    }

    private func tail(_ request: Request, _: TrackContext) async throws -> Response {
        let parameters = try WebParameters(request, WebParameters.ofSelection + ["after"])
        let selection = try parameters.selection()
        // What is no number of a log is as good as none.
        let resumed = request.headers[HTTPField.Name("last-event-id")!].flatMap { Int64($0) }.flatMap {
            $0 < 0 ? nil : $0
        }
        let newest = try await self.store.newestID()
        var start = try resumed ?? parameters.id("after") ?? newest
        // After a restart without its old logs, an endpoint has fewer logs than the reader has seen: all of them are
        // new.
        if start > newest { start = 0 }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody(asyncSequence: TailEvents(store: self.store, selection: selection, start: start))
        )
    }
}

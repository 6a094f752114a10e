// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `/api/statistics`: what is computed from logs.
struct StatisticsAPI: Sendable {
    let store: LogStore

    func add(to api: RouterGroup<TrackContext>) {
        api.get("statistics", use: self.statistics)
    }

    private func statistics(_ request: Request, _: TrackContext) async throws -> Response {
        let (selection, statement) = try WebParameters(request, WebParameters.ofSelection).question()
        guard let statement else {
            throw WebError.badRequest("A statement is missing: level: error | select path, count(*) group by path")
        }
        do {
            return .json(try await self.store.statistics(of: selection, statement).json)
        } catch let error as StatisticsError {
            throw WebError(status: .unprocessableContent, message: "\(error)")
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `/api/deliveries`: the requests and what became of them.
struct DeliveryAPI: Sendable {
    let store: LogStore

    func add(to api: RouterGroup<TrackContext>) {
        api.get("deliveries", use: self.deliveries)
    }

    private func deliveries(_ request: Request, _: TrackContext) async throws -> Response {
        let parameters = try WebParameters(request, ["project", "logstore", "refused", "before", "limit"])
        let page = try await self.store.deliveries(
            project: parameters.text("project"),
            logstore: parameters.text("logstore"),
            isRefused: parameters.int("refused", default: 0, in: 0...1) == 1,
            before: parameters.id("before"),
            limit: parameters.int("limit", default: 100, in: 1...1000)
        )
        return .json(
            .object([("deliveries", .array(page.deliveries.map(Self.json))), ("summary", Self.json(page.summary))])
        )
    }

    private static func json(_ delivery: Delivery) -> JSONValue {
        .object([
            ("id", .int(delivery.id)), ("received", .int(delivery.receivedAt)), ("project", .string(delivery.project)),
            ("logstore", .string(delivery.logstore)), ("client", .string(delivery.client)),
            ("status", .int(delivery.status)), ("code", .string(delivery.code)), ("message", .string(delivery.message)),
            ("rawBytes", .int(delivery.rawBytes)), ("wireBytes", .int(delivery.wireBytes)),
            ("compression", .string(delivery.compression)), ("logs", .int(delivery.logCount)),
            ("microseconds", .int(delivery.microseconds)), ("batch", .string(delivery.batch)),
            ("attempt", .int(delivery.attempt)), ("stored", .bool(delivery.isStored)),
            ("duplicate", .bool(delivery.isDuplicate)),
        ])
    }

    private static func json(_ summary: DeliverySummary) -> JSONValue {
        let statuses = summary.statuses.sorted { $0.key < $1.key }.map {
            (name: String($0.key), value: JSONValue.int($0.value))
        }
        return .object([
            ("requests", .int(summary.requests)), ("statuses", .object(statuses)), ("retries", .int(summary.retries)),
            ("duplicates", .int(summary.duplicates)), ("logs", .int(summary.logs)),
            ("duplicateLogs", .int(summary.duplicateLogs)), ("rawBytes", .int(summary.rawBytes)),
            ("wireBytes", .int(summary.wireBytes)), ("medianMicroseconds", .int(summary.medianMicroseconds)),
            ("p95Microseconds", .int(summary.p95Microseconds)), ("first", .int(summary.first)),
            ("last", .int(summary.last)),
        ])
    }
}

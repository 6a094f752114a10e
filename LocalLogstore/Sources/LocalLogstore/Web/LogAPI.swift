// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `/api/logs`, `/api/overview` and `/api/fields`: questions about logs.
struct LogAPI: Sendable {
    let store: LogStore

    func add(to api: RouterGroup<TrackContext>) {
        api.get("logs", use: self.logs)
        api.get("arrivals", use: self.arrivals)
        api.get("logs/:id", use: self.log)
        api.get("logs/:id/context", use: self.context)
        api.get("overview", use: self.overview)
        api.get("fields", use: self.fields)
    }

    private func logs(_ request: Request, _: TrackContext) async throws -> Response {
        let parameters = try WebParameters(request, WebParameters.ofSelection + ["limit", "after"])
        var cursor: LogPage.Cursor?
        if let text = parameters.text("after") {
            let parts = text.split(separator: ".")
            guard parts.count == 2, let time = Int64(parts[0]), let id = Int64(parts[1]) else {
                throw WebError.badRequest("after has to be what next was in the answer before.")
            }
            cursor = LogPage.Cursor(time: time, id: id)
        }
        // Ask for it first: a reader that follows from there gets some logs twice rather than missing some.
        let position = try await self.store.newestID()
        let page = try await self.store.page(
            of: parameters.selection(),
            limit: parameters.int("limit", default: 100, in: 1...1000),
            after: cursor
        )
        return .json(
            LogJSON.object(
                page.logs,
                [
                    ("next", page.next.map { .string("\($0.time).\($0.id)") } ?? .null),
                    ("position", .int(position)),
                ]
            )
        )
    }

    private func arrivals(_ request: Request, _: TrackContext) async throws -> Response {
        let parameters = try WebParameters(request, WebParameters.ofSelection + ["limit", "after", "before"])
        let selection = try parameters.selection()
        let limit = try parameters.int("limit", default: 100, in: 1...5000)
        let newest = try await self.store.newestID()
        let before = try parameters.id("before")
        let after = try parameters.id("after")
        let arrivals: LogStore.Arrivals
        let isComplete: Bool
        switch (after, before) {
        case (.some, .some): throw WebError.badRequest("Logs can be asked for after one, or before one, not both.")
        case (let after, nil):
            arrivals = try await self.store.arrivals(after: after ?? 0, matching: selection, limit: limit)
            isComplete = arrivals.position >= newest
        case (nil, let before?):
            arrivals = try await self.store.arrivals(before: before, matching: selection, limit: limit)
            isComplete = arrivals.position <= 1
        }
        return .json(
            LogJSON.object(
                arrivals.logs,
                [("position", .int(arrivals.position)), ("newest", .int(newest)), ("complete", .bool(isComplete))]
            )
        )
    }

    private func log(_ request: Request, context: TrackContext) async throws -> Response {
        _ = try WebParameters(request)
        guard let log = try await self.store.log(self.id(context)) else { throw self.noLog }
        var bytes: [UInt8] = []
        LogJSON.append(log, to: &bytes)
        return .json(bytes)
    }

    private func context(_ request: Request, context: TrackContext) async throws -> Response {
        let count = try WebParameters(request, ["count"]).int("count", default: 10, in: 1...200)
        guard let around = try await self.store.context(of: self.id(context), count: count) else { throw self.noLog }
        return .json(
            LogJSON.object(
                around.logs,
                [("index", .int(around.index)), ("order", .string(around.isBySequence ? "seq" : "arrival"))]
            )
        )
    }

    private func id(_ context: TrackContext) throws(WebError) -> Int64 {
        guard let id = context.parameters.get("id").flatMap({ Int64($0) }), id > 0, id < 1 << 53 else {
            throw .badRequest("The number of a log has to be a number.")
        }
        return id
    }

    private var noLog: WebError { .notFound("There is no such log; it may have been deleted to make room.") }

    private func overview(_ request: Request, _: TrackContext) async throws -> Response {
        let parameters = try WebParameters(request, WebParameters.ofSelection + ["buckets"])
        let overview = try await self.store.overview(
            of: parameters.selection(),
            buckets: parameters.int("buckets", default: 60, in: 1...500)
        )
        return .json(
            .object([
                ("start", .int(overview.start)), ("step", .int(overview.step)),
                ("severities", .strings(Severity.allCases.map(\.name))),
                ("buckets", .array(overview.buckets.map { .array($0.map { .int($0) }) })),
                ("total", .int(overview.total)),
                ("levels", Self.counts(overview.levels)), ("labels", Self.counts(overview.labels)),
                ("topics", Self.counts(overview.topics)),
                (
                    "different",
                    .object([
                        ("levels", .int(overview.different.levels)), ("labels", .int(overview.different.labels)),
                        ("topics", .int(overview.different.topics)),
                    ])
                ),
            ])
        )
    }

    private func fields(_ request: Request, _: TrackContext) async throws -> Response {
        let parameters = try WebParameters(request, WebParameters.ofSelection + ["field", "sample", "values"])
        let field = parameters.text("field")
        let facets = try await self.store.facets(
            of: parameters.selection(),
            only: field.map { FieldName($0) },
            // All fields are counted among some logs; for one alone there is time for all.
            limit: parameters.int("sample", default: field == nil ? 2_000 : 1_000_000, in: 1...1_000_000),
            values: parameters.int("values", default: 10, in: 1...1000)
        )
        let fields = facets.fields.map { facet -> JSONValue in
            .object([
                ("name", .string(facet.name)), ("count", .int(facet.count)), ("values", Self.counts(facet.values)),
                ("more", .bool(facet.hasMore)),
            ])
        }
        return .json(
            .object([
                ("logs", .int(facets.logs)), ("complete", .bool(facets.isComplete)), ("fields", .array(fields)),
                ("left", .int(facets.left)),
            ])
        )
    }

    private static func counts(_ counts: [LogOverview.Count]) -> JSONValue {
        .array(
            counts.map { count in
                .object(
                    [("value", .string(count.value)), ("count", .int(count.count))]
                        + (count.isCut ? [("cut", .bool(true))] : [])
                )
            }
        )
    }
}

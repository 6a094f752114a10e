// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `/` and `/assets/`: the page, which is part of the program.
enum PageHandler {
    /// The files of the page by name, and their types.
    private static let assets: [String: (bytes: [UInt8], type: String)] = [
        "app.css": (PackageResources.app_css, "text/css; charset=utf-8"),
        "icon.svg": (PackageResources.icon_svg, "image/svg+xml"),
        "api.js": script(PackageResources.api_js),
        "clear.js": script(PackageResources.clear_js),
        "deliveries.js": script(PackageResources.deliveries_js),
        "dom.js": script(PackageResources.dom_js),
        "export.js": script(PackageResources.export_js),
        "facets.js": script(PackageResources.facets_js),
        "format.js": script(PackageResources.format_js),
        "histogram.js": script(PackageResources.histogram_js),
        "history.js": script(PackageResources.history_js),
        "keys.js": script(PackageResources.keys_js),
        "levels.js": script(PackageResources.levels_js),
        "list.js": script(PackageResources.list_js),
        "logs.js": script(PackageResources.logs_js),
        "main.js": script(PackageResources.main_js),
        "record.js": script(PackageResources.record_js),
        "marks.js": script(PackageResources.marks_js),
        "rehearsal.js": script(PackageResources.rehearsal_js),
        "search.js": script(PackageResources.search_js),
        "state.js": script(PackageResources.state_js),
        "states.js": script(PackageResources.states_js),
        "statistics.js": script(PackageResources.statistics_js),
        "status.js": script(PackageResources.status_js),
        "tail.js": script(PackageResources.tail_js),
        "timeline.js": script(PackageResources.timeline_js),
        "trace.js": script(PackageResources.trace_js),
    ]

    private static func script(_ bytes: [UInt8]) -> (bytes: [UInt8], type: String) {
        (bytes, "text/javascript; charset=utf-8")
    }

    /// - Parameter project: Answers signed requests for `/`, which are for the project.
    static func add(
        to router: Router<TrackContext>,
        project: @escaping @Sendable (Request, TrackContext) async throws -> Response
    ) {
        router.get("/") { request, context in
            guard RequestPath(request).owner == .page else { return try await project(request, context) }
            return Self.response(PackageResources.index_html, type: "text/html; charset=utf-8")
        }
        router.get("assets/:name") { _, context -> Response in
            guard let name = context.parameters.get("name"), let asset = Self.assets[name] else {
                throw WebError.notFound("There is no such file.")
            }
            return Self.response(asset.bytes, type: asset.type)
        }
        router.get("api/openapi.json") { request, _ in
            _ = try WebParameters(request)
            return Self.response(PackageResources.openapi_json, type: "application/json; charset=utf-8")
        }
    }

    /// Another version of the program has another page: nothing is kept without asking.
    private static func response(_ bytes: [UInt8], type: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: type, .cacheControl: "no-cache"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}

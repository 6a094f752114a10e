// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird

/// What official clients ask for besides, in compatible mode: the clock, and a browser's leave to send headers.
enum CompatibilityRoutes {
    static let time = HTTPField.Name("x-log-time")!

    static func add(to router: Router<TrackContext>) {
        router.get("servertime") { _, _ in Response.success }
        for (path, methods) in [
            ("/track", "GET, POST, OPTIONS"), ("", "GET, POST, OPTIONS"), ("/shards/lb", "POST, OPTIONS"),
            ("/shards/route", "POST, OPTIONS"),
        ] {
            router.on(RouterPath("logstores/:logstore\(path)"), method: .options) { _, _ in
                Response(
                    status: .ok,
                    headers: [
                        .accessControlAllowMethods: methods,
                        // Any, since pages add headers for tracing; but for the one that has to be named.
                        .accessControlAllowHeaders: "*, authorization",
                        .accessControlMaxAge: "86400",
                    ]
                )
            }
        }
    }

    /// UNIX seconds.
    static var now: String { String(Int(Date().timeIntervalSince1970)) }
}

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
        router.on("logstores/:logstore/track", method: .options) { _, _ in
            Response(
                status: .ok,
                headers: [
                    .accessControlAllowMethods: "GET, POST, OPTIONS",
                    .accessControlAllowHeaders:
                        "content-type, x-log-apiversion, x-log-bodyrawsize, x-log-compresstype",
                    .accessControlMaxAge: "86400",
                ]
            )
        }
    }

    /// UNIX seconds.
    static var now: String { String(Int(Date().timeIntervalSince1970)) }
}

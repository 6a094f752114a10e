// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Subprocess
import WebTrackingTestKit

/// A service for one test: an HTTP server on the loopback, and what it was sent.
struct Logstore {
    let server: LoopbackServer

    init(otherwise: LoopbackServer.Reply = .success) throws {
        self.server = try LoopbackServer(otherwise: otherwise)
    }

    /// The environment of a program whose logs go here.
    var environment: Environment {
        .inherit.updating([
            "WEBTRACKING_ENDPOINT": "http://127.0.0.1:\(self.server.port)",
            "WEBTRACKING_PROJECT": "demo",
            "WEBTRACKING_LOGSTORE": "small",
        ])
    }

    /// The lines that have arrived, taken apart as the service would.
    var lines: [[String: String]] {
        get throws {
            try self.server.requests.flatMap { request in
                try RecordedRequest(
                    self.server.request(path: request.target, headers: request.headers, body: request.body)
                ).logs
            }
        }
    }
}

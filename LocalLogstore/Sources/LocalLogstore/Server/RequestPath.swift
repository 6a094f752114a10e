// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// The path of a request, as the routes see it: to them a slash more makes no other path.
struct RequestPath {
    enum Owner {
        /// The paths that logs are sent to.
        case service
        /// The page and its interface.
        case page
        /// What is read with a signature, and paths that there are not.
        case nobody
    }

    private let text: String
    private let parts: [Substring]

    /// Whether what is asked for here is the project, and not the page, which has the same path.
    private let isSigned: Bool

    /// Whether logs are sent here, and the logstore, which has the same path, is not asked about.
    private let isSent: Bool

    init(_ text: String, isSigned: Bool = false, isSent: Bool = false) {
        self.text = text
        self.parts = text.split(separator: "/")
        self.isSigned = isSigned
        self.isSent = isSent
    }

    init(_ request: Request) {
        let authorization = request.headers[.authorization] ?? ""
        self.init(
            request.uri.path,
            isSigned: authorization.hasPrefix("LOG ") || authorization.hasPrefix("SLS4-HMAC-SHA256 "),
            isSent: request.method == .post || request.method == .options
        )
    }

    /// Whether it has no slash too many.
    var isExact: Bool { self.text == "/" + self.parts.joined(separator: "/") }

    var owner: Owner {
        guard let first = self.parts.first else { return self.isSigned ? .nobody : .page }
        if first == "assets" || first == "api" { return .page }
        guard first == "logstores", self.parts.count > 1 else { return .nobody }
        if self.parts.count == 2 { return self.isSent ? .service : .nobody }
        let rest = self.parts[2...].joined(separator: "/")
        let isService = ["shards/lb", "shards/route"].contains(rest) || GetHandler.Form(rawValue: rest) != nil
        return isService ? .service : .nobody
    }
}

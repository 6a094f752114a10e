// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The path of a request, as the routes see it: to them a slash more makes no other path.
struct RequestPath {
    enum Owner {
        /// The paths that logs are sent to.
        case service
        /// The page and its interface.
        case page
        case nobody
    }

    private let text: String
    private let parts: [Substring]

    init(_ text: String) {
        self.text = text
        self.parts = text.split(separator: "/")
    }

    /// Whether it has no slash too many.
    var isExact: Bool { self.text == "/" + self.parts.joined(separator: "/") }

    var owner: Owner {
        guard let first = self.parts.first, first != "assets", first != "api" else { return .page }
        guard first == "logstores", self.parts.count > 2 else { return .nobody }
        let rest = self.parts[2...].joined(separator: "/")
        let isService = ["shards/lb", "shards/route"].contains(rest) || GetHandler.Form(rawValue: rest) != nil
        return isService ? .service : .nobody
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1

/// The target of a request in absolute form, as clients write it that take the endpoint for a proxy
/// (`GET http://local.example.com:80/logstores/app`). Nothing is forwarded: the endpoint answers in the place of that host.
///
/// Above the parser, only `Host` would be left.
struct RequestTarget: Equatable {
    /// Without the port that is the scheme's own.
    var authority: String
    /// With the query.
    var path: String

    /// `nil` for a target in another form.
    init?(_ target: String) {
        let name = target.prefix(8).lowercased()
        guard let (scheme, port) = Self.schemes.first(where: { name.hasPrefix($0.0) }) else { return nil }
        let rest = target.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        // What stands before an @ is the name of a user.
        var authority = rest[..<end].split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        guard !authority.isEmpty else { return nil }
        if authority.hasSuffix(port) { authority = authority.dropLast(port.count) }
        self.authority = String(authority)
        self.path = (rest[end...].first == "/" ? "" : "/") + rest[end...]
    }

    /// Puts it in the place of the target, and of the header `Host`, which the client should have made the same.
    func replace(in head: inout HTTPRequestHead) {
        head.uri = self.path
        head.headers.replaceOrAdd(name: "host", value: self.authority)
    }

    private static let schemes = [("http://", ":80"), ("https://", ":443")]
}

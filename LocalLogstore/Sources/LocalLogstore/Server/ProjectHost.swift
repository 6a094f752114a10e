// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Finds the project in the `Host` of a request.
enum ProjectHost {
    /// The project that `host` names, or `nil` if it is of a kind that names none: an IP address or a single label.
    ///
    /// - Parameter host: With or without a port.
    static func project(in host: String) -> String? {
        // An address of IPv6 stands in brackets.
        if host.hasPrefix("[") { return nil }
        let name = host.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let labels = name.split(separator: ".")
        guard labels.count > 1, let first = labels.first, let last = labels.last else { return nil }
        // No top-level domain is a number, so this is an address of IPv4.
        if last.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) { return nil }
        return String(first)
    }
}

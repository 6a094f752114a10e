// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Addresses as numbers, as the C library reads them.
enum NumericAddress {
    /// The four bytes of an IPv4 address in its usual form; `nil` for anything else.
    static func version4(_ text: String) -> [UInt8]? {
        var address = in_addr()
        // C reads a text only up to a zero byte.
        guard !text.utf8.contains(0), inet_pton(AF_INET, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { Array($0) }
    }

    /// The sixteen bytes of an IPv6 address; `nil` for anything else, and for one with a zone.
    static func version6(_ text: some StringProtocol) -> [UInt8]? {
        var address = in6_addr()
        guard !text.utf8.contains(0), inet_pton(AF_INET6, String(text), &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { Array($0) }
    }

    /// Whether the C library reads a host as an IPv4 address, or tries to. It also accepts `127.1`, octal and
    /// hexadecimal numbers, and a single number. No host name ends in a number.
    static func looksNumeric(_ host: some StringProtocol) -> Bool {
        guard let last = host.split(separator: ".", omittingEmptySubsequences: false).last?.lowercased() else {
            return false
        }
        if last.hasPrefix("0x") { return last.utf8.dropFirst(2).allSatisfy { Self.isHexadecimal($0) } }
        return !last.isEmpty && last.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}

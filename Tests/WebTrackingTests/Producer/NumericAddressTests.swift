// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

/// Endpoints are read as the C library, which every transport connects with, reads them.
@Suite(.timeLimit(.minutes(10))) struct NumericAddressTests {
    /// The bytes of the address that the C library takes this host for; `nil` if it takes it for a name.
    private static func address(_ host: String) -> [UInt8]? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0, let first = list?.pointee, let place = first.ai_addr else {
            return nil
        }
        defer { freeaddrinfo(list) }
        if first.ai_family == AF_INET {
            return place.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                withUnsafeBytes(of: address.pointee.sin_addr) { Array($0) }
            }
        }
        return place.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
            withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) }
        }
    }

    private static func isLoopback(_ address: [UInt8]) -> Bool {
        address.count == 4 ? address[0] == 127 : address == Array(repeating: 0, count: 15) + [1]
    }

    @Test func noHostIsAnotherAddressToTheCLibrary() throws {
        var random = SeededGenerator(seed: 12)
        let numbers = [
            "0", "1", "127", "255", "256", "08", "010", "00", "0x7f", "0x1", "2130706433", "a", "", "1e", "+1", "0X7F",
        ]
        var addresses = 0
        var refused = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...5, using: &random)
            let kinds = Bool.random(using: &random) ? numbers : ["0", "1", "127", "255"]
            let host = (0..<count).map { _ in kinds.randomElement(using: &random) ?? "1" }.joined(separator: ".")
            let parsed = try? Endpoint.parse("https://\(host)")
            guard let parsed else {
                refused += 1
                continue
            }
            let address = Self.address(host)
            #expect(address == NumericAddress.version4(parsed.host), "\(host)")
            #expect(parsed.isLoopback == address.map(Self.isLoopback) ?? false, "\(host)")
            if address != nil { addresses += 1 }
        }
        #expect(addresses > 100 && refused > 5000)
    }

    @Test func whatStandsInBracketsIsAnAddressToTheCLibraryToo() throws {
        var random = SeededGenerator(seed: 13)
        let parts = ["0", "1", "::", "ffff", "fFfF", "12345", "g", "", "127.0.0.1", "1.2.3", "0000", "0001"]
        var addresses = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...9, using: &random)
            var host = (0..<count).map { _ in parts.randomElement(using: &random) ?? "1" }.joined(separator: ":")
            if Bool.random(using: &random) { host.replace(":::", with: "::") }
            if host == "127.0.0.1" || !host.contains(":") { continue }
            let parsed = try? Endpoint.parse("https://[\(host)]:8443")
            let address = Self.address(host)
            #expect((parsed != nil) == (address != nil), "\(host)")
            guard let parsed, let address else { continue }
            addresses += 1
            #expect(parsed.isLoopback == Self.isLoopback(address), "\(host)")
            #expect(parsed.port == 8443)
        }
        #expect(addresses > 100)
    }

    @Test(arguments: [
        "127.0.0.1", "127.255.255.254", "localhost", "LOCALHOST", "[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[0::0:1]",
    ])
    func loopbackInEachSpellingNeedsNoTLS(host: String) throws {
        #expect(try Endpoint.parse("http://\(host)").isLoopback)
    }

    @Test(arguments: [
        "128.0.0.1", "[::2]", "[::ffff:127.0.0.1]", "[::]", "127.example.com", "localhost.example.com", "x1",
    ])
    func anotherMachineIsNotLoopback(host: String) throws { #expect(try !Endpoint.parse("http://\(host)").isLoopback) }
}

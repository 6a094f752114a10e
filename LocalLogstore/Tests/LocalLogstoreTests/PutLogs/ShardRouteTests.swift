// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LocalLogstore

@Suite("Routes to shards")
struct ShardRouteTests {
    private static let key = "0123456789abcdef0123456789ABCDEF"

    private func route(_ query: String, mode: DecodingMode = .strict) throws -> ShardRoute {
        try ShardRoute(#require(FormEncoding.parameters(of: "/?" + query)), mode: mode)
    }

    @Test func hasAKeyAndPerhapsANumber() throws {
        #expect(try self.route("key=\(Self.key)") == ShardRoute(key: Self.key.lowercased(), sequence: nil))
        #expect(try self.route("seqid=1&key=\(Self.key)").sequence == 1)
        #expect(try self.route("key=\(Self.key)&seqid=18446744073709551615").sequence == .max)
    }

    @Test(arguments: [
        "", "key=", "key=0123", "key=\(key)0", "key=\(key.dropLast())g", "key=\(key.dropLast())%D9%A3",
        "key=\(key)&key=\(key)", "key=\(key)&seqid=", "key=\(key)&seqid=0", "key=\(key)&seqid=-1",
        "key=\(key)&seqid=%2B1", "key=\(key)&seqid=1.0", "key=\(key)&seqid=18446744073709551616",
        "key=\(key)&seqid=1&seqid=2",
    ])
    func refusesOthers(query: String) {
        for mode in DecodingMode.allCases {
            #expect(throws: ServiceError.self) { try self.route(query, mode: mode) }
        }
    }

    @Test func refusesUnknownParametersInStrictModeOnly() throws {
        #expect(throws: ServiceError.self) { try self.route("key=\(Self.key)&x=1") }
        #expect(try self.route("key=\(Self.key)&x=1", mode: .compatible).key == Self.key.lowercased())
    }
}

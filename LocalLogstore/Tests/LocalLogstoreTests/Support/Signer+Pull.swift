// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import LocalLogstoreTestSupport
import NIOCore
import NIOHTTP1
import SwiftProtobuf
import Testing

@testable import LocalLogstore

extension Signer {
    /// What GetCursor answers for the logstore `app`; empty for none.
    func cursor(from: String) async throws -> String {
        let answer = try await self.get("/logstores/app/shards/0", query: [("type", "cursor"), ("from", from)])
        let body = try JSONValue(parsing: Array(answer.body.utf8))
        guard case .string(let cursor)? = body["cursor"] else { return "" }
        return cursor
    }

    /// What PullLogs answers.
    struct Pulled {
        var groups: [PutLogs_LogGroup] = []
        var next: String
        var compression: Compression
    }

    /// Up to two groups of the logstore `app`.
    func pull(from cursor: String, until end: String? = nil, encoding: String? = nil) async throws -> Pulled {
        var query = [("type", "log"), ("cursor", cursor), ("count", "2")]
        if let end { query.append(("end_cursor", end)) }
        let headers = encoding.map { [("accept-encoding", $0)] } ?? []
        let request = self.request(.GET, "/logstores/app/shards/0", query: query, headers: headers)
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        var body = Array(buffer: try await response.body.collect(upTo: 1 << 24))
        let size = try #require(response.headers["x-log-bodyrawsize"].first.flatMap { Int($0) })
        var pulled = Pulled(
            next: try #require(response.headers["x-log-cursor"].first),
            compression: response.headers["x-log-compresstype"].first.flatMap(Compression.init) ?? .none
        )
        // Clients expand what has a size.
        if size > 0 { body = try Decompression.expand(body, compression: pulled.compression, rawSize: size) }
        #expect(body.count == size && response.headers["content-type"] == ["application/x-protobuf"])
        var rest = body[...]
        while let tag = rest.popFirst() {
            #expect(tag == 0x0A)
            var (length, shift) = (0, 0)
            while let byte = rest.popFirst() {
                length |= Int(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            pulled.groups.append(try PutLogs_LogGroup(serializedBytes: Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        #expect(response.headers["x-log-count"] == ["\(pulled.groups.count)"])
        return pulled
    }

    /// All groups from a cursor on, two by two.
    func pullAll(from cursor: String) async throws -> (groups: [PutLogs_LogGroup], next: String) {
        var all: [PutLogs_LogGroup] = []
        var cursor = cursor
        while true {
            let pulled = try await self.pull(from: cursor)
            all += pulled.groups
            if pulled.next == cursor { return (all, cursor) }
            cursor = pulled.next
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
package import LocalLogstore
import NIOHTTP1

/// Puts one log, of now and with the field `message`, to the shard of a hash key.
///
/// - Parameter sequence: Its sequence id; `nil` for a write that is stored each time.
package func putLogs(
    _ message: String,
    hashKey: String,
    sequence: UInt64?,
    to logstore: String = "app",
    key: AccessKey,
    host: String = "local.example.com",
    port: Int
) async throws -> TestServer.Answer {
    let id = sequence.map { [("seqid", "\($0)")] } ?? []
    return try await TestServer.answer(
        to: signedRequest(
            .POST,
            "/logstores/\(logstore)/shards/route",
            query: [("key", hashKey)] + id,
            body: logGroup(message),
            headers: [("content-type", "application/x-protobuf")],
            key: key,
            host: host,
            port: port
        )
    )
}

/// One log, of now and with the field `message`, as PutLogs has it.
package func logGroup(_ message: String) -> [UInt8] {
    func varint(_ value: Int) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F | 0x80)] + varint(value >> 7)
    }
    func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2] + varint(bytes.count) + bytes }
    let content = field(1, Array("message".utf8)) + field(2, Array(message.utf8))
    return field(1, [1 << 3] + varint(Int(Date().timeIntervalSince1970)) + field(2, content))
}

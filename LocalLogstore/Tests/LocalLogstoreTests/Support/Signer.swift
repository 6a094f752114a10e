// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import LocalLogstore
import LocalLogstoreTestSupport
import NIOHTTP1

/// Signs requests of tests, in version 1.
struct Signer {
    static let key = AccessKey(id: "id", secret: "secret")

    var server: TestServer
    var host = "local.example.com"

    func request(
        _ method: HTTPMethod,
        _ path: String,
        query: [(String, String)] = [],
        body: [UInt8] = [],
        rawSize: Int? = nil,
        headers: [(String, String)] = []
    ) -> HTTPClientRequest {
        signedRequest(
            method,
            path,
            query: query,
            body: body,
            rawSize: rawSize,
            headers: headers,
            key: Self.key,
            host: self.host,
            port: self.server.port
        )
    }

    /// Puts one log by a hash key.
    func put(
        _ message: String,
        hashKey: String,
        sequence: UInt64?,
        to logstore: String = "app"
    ) async throws -> TestServer.Answer {
        try await putLogs(
            message,
            hashKey: hashKey,
            sequence: sequence,
            to: logstore,
            key: Self.key,
            host: self.host,
            port: self.server.port
        )
    }

    func get(
        _ path: String,
        query: [(String, String)] = [],
        headers: [(String, String)] = []
    ) async throws -> TestServer.Answer {
        try await self.server.send(self.request(.GET, path, query: query, headers: headers))
    }
}

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Makes the HTTP request for a body: host, path and headers of PutWebtracking.
struct RequestFactory: Sendable {
    let isSecure: Bool
    let host: String
    let port: Int?
    let path: String
    let compression: Compression
    let timeout: Duration

    /// The request for an uncompressed body; compresses it unless that would not make it smaller.
    func request(for raw: UnsafeRawBufferPointer) -> TransportRequest {
        // The content type is not among the headers that the operation documents; the service takes any.
        var headers = [
            (name: "Content-Type", value: "application/json"),
            (name: "x-log-apiversion", value: "0.6.0"),
            (name: "x-log-bodyrawsize", value: String(raw.count)),
        ]
        let compressed = self.compression.compress(raw)
        if compressed != nil, let name = self.compression.headerValue {
            headers.append((name: "x-log-compresstype", value: name))
        }
        return TransportRequest(
            isSecure: self.isSecure,
            host: self.host,
            port: self.port,
            path: self.path,
            headers: headers,
            body: compressed ?? Array(raw),
            timeout: self.timeout
        )
    }
}

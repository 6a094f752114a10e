//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Makes the HTTP request for a batch: host, path, headers and body of the operation that takes it.
struct RequestFactory: Sendable {
    let isSecure: Bool
    let host: String
    let port: Int?
    let logstore: String
    let operation: any WriteOperation
    let compression: Compression
    let timeout: Duration

    /// The request for a batch; compresses its body unless that would not make it smaller.
    func request(for batch: UnsafeRawBufferPointer) -> TransportRequest {
        guard let body = self.operation.body(from: batch) else {
            return self.request(rawSize: batch.count, compressed: self.compression.compress(batch)) { Array(batch) }
        }
        let compressed = body.withUnsafeBytes { self.compression.compress($0) }
        return self.request(rawSize: body.count, compressed: compressed) { body }
    }

    private func request(rawSize: Int, compressed: [UInt8]?, plain: () -> [UInt8]) -> TransportRequest {
        var headers = [
            (name: "Content-Type", value: self.operation.contentType),
            // What the service says of an error is read, and short.
            (name: "Accept-Encoding", value: "identity"),
            (name: "x-log-apiversion", value: "0.6.0"),
            (name: "x-log-bodyrawsize", value: String(rawSize)),
        ]
        if compressed != nil, let name = self.compression.headerValue {
            headers.append((name: "x-log-compresstype", value: name))
        }
        return TransportRequest(
            isSecure: self.isSecure,
            host: self.host,
            port: self.port,
            path: "/logstores/\(self.logstore)/\(self.operation.path)",
            headers: headers,
            body: compressed ?? plain(),
            timeout: self.timeout
        )
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Makes the HTTP request for a batch: host, path, headers and body of the operation that takes it.
struct RequestFactory: Sendable {
    let isSecure: Bool
    let host: String
    let port: Int?
    let logstore: String
    let operation: any WriteOperation
    let compression: Compression
    let timeout: Duration

    /// A request with the size of its body before compression.
    struct Made: Sendable {
        var request: TransportRequest
        var rawBytes: Int
        /// The memory that the body takes up on its way: itself, and the copy that an HTTP client makes in its own form.
        var heldBytes: Int { self.request.body.capacity + self.request.body.count }
    }

    /// The request for a batch; compresses its body unless that would not make it smaller.
    func request(for batch: UnsafeRawBufferPointer) -> Made {
        guard let body = self.operation.body(from: batch) else {
            return self.request(rawSize: batch.count, compressed: self.compression.compress(batch)) { Array(batch) }
        }
        let compressed = body.withUnsafeBytes { self.compression.compress($0) }
        return self.request(rawSize: body.count, compressed: compressed) { body }
    }

    /// The memory that making the request for a batch of `bytes` takes at most, beside the batch: the body that is made of
    /// it, twice for a moment where it is of another form, and the room to compress it in.
    func peakBytes(for bytes: Int) -> Int {
        self.operation.isVerbatim ? bytes : bytes * 3 + bytes / 4
    }

    private func request(rawSize: Int, compressed: [UInt8]?, plain: () -> [UInt8]) -> Made {
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
        let request = TransportRequest(
            isSecure: self.isSecure,
            host: self.host,
            port: self.port,
            path: "/logstores/\(self.logstore)/\(self.operation.path)",
            headers: headers,
            body: compressed ?? plain(),
            timeout: self.timeout
        )
        return Made(request: request, rawBytes: rawSize)
    }
}

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

    /// The most memory that is needed, beside a batch of `bytes`, to make its request: the body, twice for a moment if
    /// it has another format, and the room to compress it.
    func peakBytes(for bytes: Int) -> Int {
        self.operation.isVerbatim ? bytes : bytes * 3 + bytes / 4
    }

    private func request(rawSize: Int, compressed: [UInt8]?, plain: () -> [UInt8]) -> Made {
        var headers = [
            (name: "Content-Type", value: self.operation.contentType),
            // Answers are read for their error codes, and are short.
            (name: "Accept-Encoding", value: "identity"),
            (name: "x-log-apiversion", value: "0.6.0"),
            // The bytes before compression: the service needs them to decompress (SLS: MissingBodyRawSize).
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

/// An operation of the service that takes batches, and what it asks of a request. Chosen once, by the configuration.
protocol WriteOperation: Sendable {
    /// What follows `/logstores/{name}/` in the path.
    var path: String { get }
    /// The content type of a body.
    var contentType: String { get }

    /// Whether the operation takes batches as they are.
    var isVerbatim: Bool { get }
    /// The body for a batch of JSON, before compression; `nil` where the operation takes the batch as it is.
    func body(from batch: UnsafeRawBufferPointer) -> [UInt8]?

    /// The transport for the operation's requests: `transport` itself, or one that wraps it.
    func transport(over transport: any WebTrackingTransport) -> any WebTrackingTransport
}

/// PutWebtracking: takes batches as they are, without a signature.
struct WebTrackingOperation: WriteOperation {
    var path: String { "track" }
    // Not among the headers that the operation documents; the service takes any.
    var contentType: String { "application/json" }

    var isVerbatim: Bool { true }

    func body(from batch: UnsafeRawBufferPointer) -> [UInt8]? { nil }

    func transport(over transport: any WebTrackingTransport) -> any WebTrackingTransport { transport }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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

    /// What carries the operation's requests: `transport` itself, or something around it.
    func transport(over transport: any WebTrackingTransport) -> any WebTrackingTransport
}

/// PutWebtracking: batches as they are, from anybody.
struct WebTrackingOperation: WriteOperation {
    var path: String { "track" }
    // Not among the headers that the operation documents; the service takes any.
    var contentType: String { "application/json" }

    var isVerbatim: Bool { true }

    func body(from batch: UnsafeRawBufferPointer) -> [UInt8]? { nil }

    func transport(over transport: any WebTrackingTransport) -> any WebTrackingTransport { transport }
}

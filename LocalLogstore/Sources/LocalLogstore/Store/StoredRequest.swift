// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// One accepted request, as it is kept.
public struct StoredRequest: Sendable, Equatable {
    public var receivedAt: Date
    public var project: String
    public var logstore: String
    public var topic: String
    public var source: String
    public var tags: [Field]
    /// Bytes of the body before compression.
    public var rawBytes: Int
    /// Bytes of the body as sent.
    public var wireBytes: Int
    public var compression: Compression
    public var logCount: Int
}

/// One log, and the request it came with.
public struct StoredLog: Sendable, Equatable {
    /// Rises in the order of arrival, from 1.
    public var id: Int64
    public var requestID: Int64
    /// The place within the request, from 0.
    public var position: Int
    /// What the log states as its `time`, or when it was received; in microseconds since 1970.
    public var time: Int64
    public var severity: Severity
    public var request: StoredRequest
    public var log: LogFields
}

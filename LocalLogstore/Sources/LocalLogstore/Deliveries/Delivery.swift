// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// One request to deliver logs, with any result.
public struct Delivery: Sendable, Equatable {
    /// Rises in the order of the answers, from 1; 0 until it is kept.
    public var id: Int64 = 0
    /// Microseconds since 1970.
    public var receivedAt: Int64
    public var project: String
    public var logstore: String
    /// The address it came from.
    public var client: String
    /// The HTTP status of the answer; 0 if the connection was broken instead.
    public var status: Int
    /// The service's code and message; empty for success.
    public var code: String
    public var message: String
    /// Bytes before compression; what the request says if it was refused before they were counted.
    public var rawBytes: Int
    public var wireBytes: Int
    public var compression: String
    public var logCount: Int
    /// From the head of the request to the answer.
    public var microseconds: Int
    /// The same for the attempts to deliver the same logs.
    public var batch: String
    /// Which attempt this is, from 1.
    public var attempt = 1
    /// Whether its logs are in the store.
    public var isStored: Bool
    /// Whether an attempt before it had them stored already.
    public var isDuplicate = false
}

/// Many deliveries in numbers.
public struct DeliverySummary: Sendable, Equatable {
    public var requests = 0
    /// Requests by status; 0 for broken connections.
    public var statuses: [Int: Int] = [:]
    public var retries = 0
    public var duplicates = 0
    public var logs = 0
    public var duplicateLogs = 0
    public var rawBytes = 0
    public var wireBytes = 0
    /// Microseconds that half, and nineteen of twenty, of the answers took at most.
    public var medianMicroseconds = 0
    public var p95Microseconds = 0
    /// Microseconds since 1970 of the first and the last.
    public var first: Int64 = 0
    public var last: Int64 = 0
}

/// Deliveries as the page shows them.
public struct DeliveryPage: Sendable, Equatable {
    /// The newest first.
    public var deliveries: [Delivery] = []
    /// Of all that are kept and match.
    public var summary = DeliverySummary()
}

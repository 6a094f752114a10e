// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import WebTracking

/// Takes every request at once and counts its bytes: what is measured with it is the library up to the transport.
public final class CountingTransport: WebTrackingTransport {
    private let bytes = Atomic<Int>(0)

    public init() {}

    /// The bytes of all bodies so far.
    public var byteCount: Int { self.bytes.load(ordering: .relaxed) }

    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        self.bytes.add(request.body.count, ordering: .relaxed)
        return TransportResponse(status: 200, headers: [(name: "x-log-requestid", value: "1")])
    }
}

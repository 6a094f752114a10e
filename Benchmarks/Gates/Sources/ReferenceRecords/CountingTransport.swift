//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Synchronization
public import WebTracking

/// Takes every request at once and counts: what is measured with it is the library up to the transport.
public final class CountingTransport: WebTrackingTransport {
    private let requests = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)

    public init() {}

    /// The requests so far.
    public var requestCount: Int { self.requests.load(ordering: .relaxed) }
    /// The bytes of their bodies.
    public var byteCount: Int { self.bytes.load(ordering: .relaxed) }

    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        self.requests.add(1, ordering: .relaxed)
        self.bytes.add(request.body.count, ordering: .relaxed)
        return TransportResponse(status: 200, headers: [(name: "x-log-requestid", value: "1")])
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTracking

/// Notes where the first request goes.
final class NotingTransport: WebTrackingTransport {
    private let inner: AsyncHTTPClientTransport
    private let first = Mutex<TransportRequest?>(nil)

    init(inner: AsyncHTTPClientTransport) {
        self.inner = inner
    }

    var request: TransportRequest? { self.first.withLock { $0 } }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        self.first.withLock { $0 = $0 ?? request }
        return try await self.inner.send(request)
    }

    func shutdown() async { await self.inner.shutdown() }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
import WebTracking

/// Takes requests at once, or, between ``hold()`` and ``release()``, when it is released.
final class HoldableTransport: WebTrackingTransport {
    private struct State {
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)

    func hold() { self.state.withLock { $0.isHeld = true } }

    /// Waits until a request is being held.
    func waitForRequest() {
        precondition(self.arrived.wait(timeout: .now() + .seconds(60)) == .success, "no request came")
    }

    func release() {
        let waiting = self.state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        await withCheckedContinuation { continuation in
            let isHeld = self.state.withLock { state in
                if state.isHeld { state.waiting.append(continuation) }
                return state.isHeld
            }
            if isHeld { self.arrived.signal() } else { continuation.resume() }
        }
        return TransportResponse(status: 200, headers: [(name: "x-log-requestid", value: "1")])
    }
}

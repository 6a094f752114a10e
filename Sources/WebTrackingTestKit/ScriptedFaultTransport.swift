// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

/// Puts scripted faults in front of another transport, a real one included.
///
/// ```swift
/// let transport = ScriptedFaultTransport(
///     AsyncHTTPClientTransport(), script: [.failure(status: 503), .lostAnswer, .success])
/// ```
public final class ScriptedFaultTransport: WebTrackingTransport {
    private struct State {
        var script: [InMemoryTransport.Reply]
        var otherwise: InMemoryTransport.Reply
    }

    private let inner: any WebTrackingTransport
    private let state: Lock<State>

    /// Creates a transport that follows `script` request by request, and after that does `otherwise`.
    ///
    /// If a reply of the script takes the records, the request goes to `inner`. Other requests never reach it.
    public init(
        _ inner: any WebTrackingTransport,
        script: [InMemoryTransport.Reply],
        otherwise: InMemoryTransport.Reply = .success
    ) {
        self.inner = inner
        self.state = Lock(State(script: script, otherwise: otherwise))
    }

    /// Does what the script says.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        let reply = self.state.withLock { $0.script.isEmpty ? $0.otherwise : $0.script.removeFirst() }
        switch reply {
        case .success:
            return try await self.inner.send(request)
        case .lostAnswer:
            _ = try await self.inner.send(request)
            throw TransportError.connectionFailed("scripted")
        case .withoutRequestID:
            var response = try await self.inner.send(request)
            response.headers.removeAll { $0.name.lowercased() == "x-log-requestid" }
            return response
        case .failure, .response, .noAnswer, .never:
            return try await reply.answer()
        }
    }

    /// Shuts the other transport down.
    public func shutdown() async {
        await self.inner.shutdown()
    }
}

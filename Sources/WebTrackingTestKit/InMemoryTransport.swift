// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

/// A transport that keeps all requests in memory. It answers like the service, or with the faults of a test's script.
public final class InMemoryTransport: WebTrackingTransport {
    /// What to do with a request.
    public enum Reply: Sendable {
        /// Take the records and answer 200.
        case success
        /// Answer with this status, code and message, and more headers.
        case failure(
            status: Int,
            code: String = "",
            message: String = "",
            headers: [(name: String, value: String)] = []
        )
        /// Answer with exactly this.
        case response(TransportResponse)
        /// Give no answer, like a broken connection.
        case noAnswer
        /// Take the records, but give no answer, like a connection that breaks late.
        case lostAnswer
        /// Take the records, and answer 200 without a request id, like a server that is not the service.
        case withoutRequestID
        /// Keep the request waiting until it is cancelled.
        case never
    }

    private struct State {
        var script: [Reply]
        var otherwise: Reply
        var attempts: [RecordedRequest] = []
        var stored: [RecordedRequest] = []
        var malformed: [String] = []
        var isShutDown = false
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Lock<State>

    /// Creates a transport that follows `script` request by request, and after that does `otherwise`.
    public init(script: [Reply] = [], otherwise: Reply = .success) {
        self.state = Lock(State(script: script, otherwise: otherwise))
    }

    /// The requests that the service would have stored, in order. A request whose answer was lost is there twice.
    public var stored: [RecordedRequest] { self.state.withLock { $0.stored } }

    /// All requests, in order, with any answer.
    public var attempts: [RecordedRequest] { self.state.withLock { $0.attempts } }

    /// The records of all stored requests, in order.
    public var logs: [[String: String]] { self.stored.flatMap(\.logs) }

    /// Errors of malformed requests. Should be empty.
    public var malformed: [String] { self.state.withLock { $0.malformed } }

    /// Whether the producer has shut the transport down.
    public var isShutDown: Bool { self.state.withLock { $0.isShutDown } }

    /// Changes the script for requests from now on.
    public func reply(_ script: [Reply] = [], otherwise: Reply) {
        self.state.withLock { state in
            state.script = script
            state.otherwise = otherwise
        }
    }

    /// Waits until there have been at least `count` requests.
    public func waitForAttempts(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isReached = self.state.withLock { state -> Bool in
                if state.attempts.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isReached { continuation.resume() }
        }
    }

    /// Takes a request and does what the script says.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        let recorded: RecordedRequest
        do {
            recorded = try RecordedRequest(request)
        } catch {
            self.state.withLock { $0.malformed.append("\(error)") }
            return try await Reply.malformed("\(error)").answer()
        }
        let (reply, watchers) = self.state.withLock { state -> (Reply, [CheckedContinuation<Void, Never>]) in
            let reply = state.script.isEmpty ? state.otherwise : state.script.removeFirst()
            state.attempts.append(recorded)
            switch reply {
            case .success, .lostAnswer, .withoutRequestID: state.stored.append(recorded)
            case .failure, .response, .noAnswer, .never: break
            }
            let count = state.attempts.count
            let ready = state.watchers.filter { $0.count <= count }.map(\.continuation)
            state.watchers.removeAll { $0.count <= count }
            return (reply, ready)
        }
        for watcher in watchers { watcher.resume() }
        return try await reply.answer()
    }

    /// Notes that the producer has shut the transport down.
    public func shutdown() async {
        self.state.withLock { $0.isShutDown = true }
    }
}

extension InMemoryTransport.Reply {
    /// The id on scripted answers, in the service's form.
    private static let requestID = (name: "x-log-requestid", value: "5642EFA499248C827B012B39")

    /// A 400 for a request that is malformed.
    static func malformed(_ reason: String) -> InMemoryTransport.Reply {
        .failure(status: 400, code: "PostBodyInvalid", message: reason)
    }

    /// Returns the answer, or throws if there is none.
    func answer() async throws -> TransportResponse {
        switch self {
        case .success:
            return TransportResponse(status: 200, headers: [Self.requestID])
        case .failure(let status, let code, let message, let headers):
            let text = message.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return TransportResponse(
                status: status,
                headers: [Self.requestID] + headers,
                body: code.isEmpty ? [] : Array("{\"errorCode\":\"\(code)\",\"errorMessage\":\"\(text)\"}".utf8)
            )
        case .response(let response):
            return response
        case .noAnswer, .lostAnswer:
            throw TransportError.connectionFailed("scripted")
        case .withoutRequestID:
            return TransportResponse(status: 200, headers: [])
        case .never:
            try await Task.sleep(for: .seconds(86_400 * 365))
            throw TransportError.timedOut
        }
    }
}

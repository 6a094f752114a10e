// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

/// An HTTP/1.1 server on 127.0.0.1 for tests of transports. It keeps all requests, and answers by a script.
///
/// ```swift
/// let server = try LoopbackServer(script: [.reset, .answer(status: 503)])
/// _ = try? await transport.send(server.request())
/// ```
///
/// It has threads and sockets of its own and needs nothing but the C library. It speaks no TLS.
public final class LoopbackServer: Sendable {
    private let core: LoopbackCore

    /// Starts a server that follows `script` request by request, and after that does `otherwise`.
    ///
    /// After `lifetime` it ends all its connections, so that a client that knows no timeout is stuck no longer than
    /// that. Throws ``SocketError`` if there is no socket to be had.
    public init(
        script: [Reply] = [],
        otherwise: Reply = .success,
        lifetime: Duration = .seconds(60)
    ) throws {
        self.core = try LoopbackCore(script: script, otherwise: otherwise, lifetime: lifetime)
        self.core.start()
    }

    deinit {
        self.core.stop()
    }

    /// The port that the system has chosen.
    public var port: Int { self.core.socket.port }

    /// All requests that were read completely, in that order.
    public var requests: [Request] { self.core.requests }

    /// How many connections have been accepted.
    public var connectionCount: Int { self.core.connectionCount }

    /// Changes the script for requests from now on.
    public func reply(_ script: [Reply] = [], otherwise: Reply) {
        self.core.reply(script, otherwise: otherwise)
    }

    /// Waits until at least `count` requests have been read; `false` if the server ends before that.
    @discardableResult
    public func waitForRequests(_ count: Int) async -> Bool {
        await withCheckedContinuation { self.core.watch(for: count, $0) }
    }

    /// Ends the server and all its connections; soon, but not at once.
    public func stop() {
        self.core.stop()
    }

    /// A request to this server, with the headers that the producer sends.
    public func request(
        path: String = "/logstores/app/track",
        headers: [(name: String, value: String)]? = nil,
        body: [UInt8] = Array("{}".utf8),
        timeout: Duration = .seconds(10)
    ) -> TransportRequest {
        TransportRequest(
            isSecure: false,
            host: "127.0.0.1",
            port: self.port,
            path: path,
            headers: headers ?? [
                (name: "Content-Type", value: "application/json"),
                (name: "x-log-apiversion", value: "0.6.0"),
                (name: "x-log-bodyrawsize", value: String(body.count)),
            ],
            body: body,
            timeout: timeout
        )
    }
}

/// The state that the server and its threads share. The server ends its threads, never the other way round.
final class LoopbackCore: Sendable {
    private struct State {
        var script: [LoopbackServer.Reply]
        var otherwise: LoopbackServer.Reply
        var requests: [LoopbackServer.Request] = []
        var connectionCount = 0
        var hasEnded = false
        var watchers: [(count: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    let socket: LoopbackSocket
    /// Opened when the server is to end.
    let end = Latch()
    /// The end of the server's life.
    let deadline: MonotonicInstant
    private let state: Lock<State>

    init(script: [LoopbackServer.Reply], otherwise: LoopbackServer.Reply, lifetime: Duration) throws {
        self.socket = try LoopbackSocket(listening: true)
        self.deadline = SystemProducerClock().now() + lifetime
        self.state = Lock(State(script: script, otherwise: otherwise))
    }

    func start() {
        startThread {
            // A readable latch ends the server, and so does the deadline, at which neither is readable.
            while true {
                let ready = Descriptor.wait(
                    [
                        (self.socket.descriptor, for: LoopbackConnection.readable),
                        (self.end.signal, for: LoopbackConnection.readable),
                    ],
                    until: self.deadline
                )
                guard ready[0] && !ready[1] else { break }
                guard let descriptor = self.socket.accept() else { continue }
                let number = self.state.withLock { state in
                    state.connectionCount += 1
                    return state.connectionCount
                }
                startThread {
                    var connection = LoopbackConnection(descriptor, number: number, core: self)
                    connection.serve()
                }
            }
            self.stop()
        }
    }

    func stop() {
        self.end.open()
        let watchers = self.state.withLock { state in
            state.hasEnded = true
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher.continuation.resume(returning: false) }
    }

    var requests: [LoopbackServer.Request] { self.state.withLock { $0.requests } }

    var connectionCount: Int { self.state.withLock { $0.connectionCount } }

    func reply(_ script: [LoopbackServer.Reply], otherwise: LoopbackServer.Reply) {
        self.state.withLock { state in
            state.script = script
            state.otherwise = otherwise
        }
    }

    func nextReply() -> LoopbackServer.Reply {
        self.state.withLock { $0.script.isEmpty ? $0.otherwise : $0.script.removeFirst() }
    }

    func record(_ request: LoopbackServer.Request) {
        let ready = self.state.withLock { state in
            state.requests.append(request)
            let count = state.requests.count
            defer { state.watchers.removeAll { $0.count <= count } }
            return state.watchers.filter { $0.count <= count }
        }
        for watcher in ready { watcher.continuation.resume(returning: true) }
    }

    func watch(for count: Int, _ continuation: CheckedContinuation<Bool, Never>) {
        let known = self.state.withLock { state -> Bool? in
            if state.requests.count >= count { return true }
            if state.hasEnded { return false }
            state.watchers.append((count, continuation))
            return nil
        }
        if let known { continuation.resume(returning: known) }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import AsyncHTTPClient

/// The clients of the generations of connections: AsyncHTTPClient lets go of connections only with their client.
///
/// A client that nobody has shut down traps, so the last reference shuts down what is left.
final class ClientGenerations: Sendable {
    private struct State {
        var generations = ConnectionGenerations()
        var clients: [Int: HTTPClient] = [:]
        var isShutDown = false
    }

    private let state = Lock(State())
    private let clock: any ProducerClock
    private let makeClient: @Sendable () throws -> HTTPClient

    init(clock: any ProducerClock = SystemProducerClock(), makeClient: @escaping @Sendable () throws -> HTTPClient) {
        self.clock = clock
        self.makeClient = makeClient
    }

    deinit {
        Self.shutDown(self.state.withLock { Array($0.clients.values) })
    }

    /// How many clients there are.
    var count: Int { self.state.withLock { $0.clients.count } }

    /// A client for an exchange that begins, and its generation.
    func begin() throws -> (generation: Int, client: HTTPClient) {
        let now = self.clock.now()
        let (generation, client, ended) = try self.state.withLock { state in
            // Its client would trap, as nobody shuts it down any more.
            if state.isShutDown { throw TransportError.connectionFailed("the transport is shut down") }
            // Nothing has begun if there can be no client.
            var generations = state.generations
            let (generation, ended) = generations.begin(at: now)
            let client = try state.clients[generation] ?? self.makeClient()
            state.generations = generations
            state.clients[generation] = client
            return (generation, client, ended.compactMap { state.clients.removeValue(forKey: $0) })
        }
        Self.shutDown(ended)
        return (generation, client)
    }

    /// An exchange has ended.
    func end(_ generation: Int, _ outcome: ConnectionGenerations.Outcome) {
        let now = self.clock.now()
        let ended = self.state.withLock { state in
            state.generations.end(generation, outcome, at: now).compactMap { state.clients.removeValue(forKey: $0) }
        }
        Self.shutDown(ended)
    }

    /// Ends all exchanges and connections. Nothing begins after it.
    func shutdown() async {
        let clients = self.state.withLock { state in
            state.isShutDown = true
            defer { state.clients = [:] }
            return Array(state.clients.values)
        }
        for client in clients { try? await client.shutdown() }
    }

    /// Shuts clients down that nobody uses, which waits for their connections and so is nobody's to wait for.
    private static func shutDown(_ clients: [HTTPClient]) {
        for client in clients { Task.detached { try? await client.shutdown() } }
    }
}

#endif

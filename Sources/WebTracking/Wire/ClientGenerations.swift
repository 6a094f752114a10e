// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// HTTP clients by generations of connections: an HTTP client closes connections only as a whole.
///
/// A client that is not shut down keeps its connections, or traps. So the last reference shuts down what is left.
package final class ClientGenerations<Client: Sendable>: Sendable {
    private struct State {
        var generations = ConnectionGenerations()
        var clients: [Int: Client] = [:]
        var isShutDown = false
    }

    private let state = Lock(State())
    private let clock: any ProducerClock
    private let end: @Sendable (Client) async -> Void
    private let makeClient: @Sendable () throws -> Client

    /// `end` shuts down a client that is no longer used, and ends its exchanges.
    package init(
        clock: any ProducerClock,
        end: @escaping @Sendable (Client) async -> Void,
        makeClient: @escaping @Sendable () throws -> Client
    ) {
        self.clock = clock
        self.end = end
        self.makeClient = makeClient
    }

    deinit {
        self.end(self.state.withLock { Array($0.clients.values) })
    }

    /// How many clients there are.
    package var count: Int { self.state.withLock { $0.clients.count } }

    /// Makes an exchange with the client of the present generation.
    package func exchange(
        _ body: (Client) async throws -> TransportResponse
    ) async throws -> TransportResponse {
        let (generation, client) = try self.begin()
        do {
            let response = try await body(client)
            self.end(generation, ConnectionGenerations.Outcome(response))
            return response
        } catch {
            self.end(generation, Task.isCancelled ? .cancelled : .doubtful)
            throw error
        }
    }

    /// A client for an exchange that begins, and its generation.
    private func begin() throws -> (generation: Int, client: Client) {
        let now = self.clock.now()
        let (generation, client, ended) = try self.state.withLock { state in
            // A client made after the shutdown would never be shut down.
            if state.isShutDown { throw TransportError.connectionFailed("the transport is shut down") }
            // Nothing has begun if there can be no client.
            var generations = state.generations
            let (generation, ended) = generations.begin(at: now)
            let client = try state.clients[generation] ?? self.makeClient()
            state.generations = generations
            state.clients[generation] = client
            return (generation, client, ended.compactMap { state.clients.removeValue(forKey: $0) })
        }
        self.end(ended)
        return (generation, client)
    }

    /// An exchange has ended.
    private func end(_ generation: Int, _ outcome: ConnectionGenerations.Outcome) {
        let now = self.clock.now()
        let ended = self.state.withLock { state in
            state.generations.end(generation, outcome, at: now).compactMap { state.clients.removeValue(forKey: $0) }
        }
        self.end(ended)
    }

    /// Ends all exchanges and connections. Nothing begins after it.
    package func shutdown() async {
        let clients = self.state.withLock { state in
            state.isShutDown = true
            defer { state.clients = [:] }
            return Array(state.clients.values)
        }
        for client in clients { await self.end(client) }
    }

    /// Shuts down unused clients. This waits for their connections, so no caller waits for it.
    private func end(_ clients: [Client]) {
        // Not `self`, which no task may keep: this is also called from `deinit`.
        let end = self.end
        for client in clients { Task.detached { await end(client) } }
    }
}

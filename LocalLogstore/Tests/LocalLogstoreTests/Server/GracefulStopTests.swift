// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import ServiceLifecycle
import Testing

@Suite("Graceful stop")
struct GracefulStopTests {
    /// Lets one request be seen from inside, and then held there until it is let go.
    private final class Gate: Sendable {
        private let entered = AsyncStream<Void>.makeStream()

        func enter() { self.entered.continuation.yield() }

        func waitForEntry() async {
            for await _ in self.entered.stream { return }
        }
    }

    @Test func answersTheRequestUnderWay() async throws {
        let gate = Gate()
        try await withServer {
            $0.faults = FaultPlan { _ in
                gate.enter()
                return .slow(.milliseconds(200))
            }
        } _: { server async throws in
            async let answer = server.post(Body.small)
            await gate.waitForEntry()
            await server.group.triggerGracefulShutdown()
            #expect(try await answer.status == 200)
            #expect(try await server.store.count() == 1)
        }
    }

    @Test func stopsAlthoughAClientKeepsItsConnection() async throws {
        try await withServer { server async throws in
            // The client's pool holds the connection open; `withServer` would not return if that mattered.
            #expect(try await server.post(Body.small).status == 200)
        }
    }
}

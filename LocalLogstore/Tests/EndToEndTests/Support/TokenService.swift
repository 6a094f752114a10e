// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import Synchronization
import WebTracking

/// Issues credentials that a local endpoint knows, as STS does.
final class TokenService: WebTrackingCredentialsProvider {
    private struct State {
        var ring: AccessKeyRing?
        var issued = 0
        var isDown = false
    }

    struct Down: Error {}

    private let state = Mutex(State())
    /// How long credentials are valid; `nil` for ever.
    private let life: TimeInterval?

    init(life: TimeInterval? = nil) {
        self.life = life
    }

    var issued: Int { self.state.withLock { $0.issued } }
    private var lastID: String { "STS.\(self.issued)" }

    /// Makes the endpoint know what is issued from now on.
    func serve(_ server: LocalLogstoreServer) {
        self.state.withLock { $0.ring = server.accessKeys }
    }

    func setDown(_ isDown: Bool) {
        self.state.withLock { $0.isDown = isDown }
    }

    /// Lets the credentials that were issued last expire at once, which the client does not know.
    func expire() {
        self.state.withLock { $0.ring }?.expire(self.lastID)
    }

    func credentials() async throws -> WebTrackingCredentials {
        let (ring, number, isDown) = self.state.withLock { state in
            if !state.isDown { state.issued += 1 }
            return (state.ring, state.issued, state.isDown)
        }
        guard !isDown else { throw Down() }
        // Whole seconds, as STS has them.
        let expiry = self.life.map { Date().addingTimeInterval($0).timeIntervalSince1970.rounded(.down) }
        let key = AccessKey(
            id: "STS.\(number)",
            secret: "secret-\(UInt64.random(in: .min ... .max))",
            securityToken: "token-\(UInt64.random(in: .min ... .max))",
            expiresAt: expiry.map { Date(timeIntervalSince1970: $0) }
        )
        ring?.add(key)
        return WebTrackingCredentials(
            accessKeyID: key.id,
            accessKeySecret: key.secret,
            securityToken: key.securityToken,
            expiration: expiry.map { Int64($0) }
        )
    }
}

/// A clock that is wrong.
struct WrongClock: ProducerClock {
    var error: Duration
    private let clock = SystemProducerClock()

    init(error: Duration) {
        self.error = error
    }

    func wallTime() -> Int64 { self.clock.wallTime() + Int64(self.error / .nanoseconds(1)) }
    func now() -> MonotonicInstant { self.clock.now() }
    func sleep(until deadline: MonotonicInstant) async throws { try await self.clock.sleep(until: deadline) }
}

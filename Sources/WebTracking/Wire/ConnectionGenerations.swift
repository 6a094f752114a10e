// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides when connections are replaced. A generation is all connections since the last replacement.
///
/// After an exchange that suggests a new connection or another server, new exchanges use a new generation, which
/// connects again and so looks the name up again. The old one ends with its last exchange. A service that refuses
/// everything does not get a new connection for each request: a generation lives for at least ``minimumAge``, and there
/// are at most ``maximumAlive``. It remembers a failure until then.
///
/// A value: its input is exchanges and the time, its output is what to do.
struct ConnectionGenerations: Sendable {
    /// How an exchange ended, as far as it is about the connection.
    enum Outcome: Sendable, Equatable {
        /// With an answer of a service that works, whether it accepted the records or not.
        case answered
        /// Without an answer, or with one that another server might not give.
        case doubtful
        /// The caller cancelled it.
        case cancelled
    }

    /// How long a generation is used at least.
    static let minimumAge = Duration.seconds(1)
    /// The most generations at once, with the present one. An old one lives no longer than the timeout of a request.
    static let maximumAlive = 4

    private var present = 0
    private var since: MonotonicInstant?
    private var isDoubtful = false
    /// How many exchanges are in flight, by their generations.
    private var exchanges: [Int: Int] = [:]

    /// The generation of an exchange that begins, and the generations that have ended with that.
    mutating func begin(at now: MonotonicInstant) -> (generation: Int, ended: [Int]) {
        self.turn(at: now)
        if self.since == nil { self.since = now }
        self.exchanges[self.present, default: 0] += 1
        return (self.present, self.takeEnded())
    }

    /// Takes in how an exchange of `generation` ended; returns the generations that have ended with it.
    mutating func end(_ generation: Int, _ outcome: Outcome, at now: MonotonicInstant) -> [Int] {
        self.exchanges[generation, default: 1] -= 1
        // How something ended in an old generation says nothing about the present one.
        if generation == self.present, outcome == .doubtful { self.isDoubtful = true }
        self.turn(at: now)
        return self.takeEnded()
    }

    private mutating func turn(at now: MonotonicInstant) {
        guard self.isDoubtful, let since = self.since, now >= since + Self.minimumAge else { return }
        // If no exchange uses the current generation, it can be replaced at once.
        let old = self.exchanges.count { $0.value > 0 }
        guard old < Self.maximumAlive else { return }
        self.present += 1
        self.since = nil
        self.isDoubtful = false
    }

    private mutating func takeEnded() -> [Int] {
        // The usual case: there is only the present generation.
        guard self.exchanges.count > 1 || self.exchanges[self.present] == nil else { return [] }
        let ended = self.exchanges.filter { $0.key != self.present && $0.value <= 0 }.keys.sorted()
        for generation in ended { self.exchanges[generation] = nil }
        return ended
    }
}

extension ConnectionGenerations.Outcome {
    /// What an answer says about its connection: a 5xx comes from a server that does not work, a 421 from the wrong
    /// server (RFC 9110), and one without the service's id not from the service.
    init(_ response: TransportResponse) {
        self = response.requestID != nil && response.status < 500 && response.status != 421 ? .answered : .doubtful
    }
}

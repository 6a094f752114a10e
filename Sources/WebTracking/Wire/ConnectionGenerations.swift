// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides when connections are given up: a generation is what has been connected since the last time.
///
/// After an exchange that suggests another connection, or another server, new exchanges belong to a new generation, which
/// connects anew and so looks the name up anew. The old one ends with the last of its exchanges. A service that refuses
/// everything is not connected to again for each request: a generation lives for ``minimumAge`` at least, and there are
/// ``maximumAlive`` at most; what was learnt meanwhile is not forgotten.
///
/// A value: told of exchanges and the time, it answers.
struct ConnectionGenerations: Sendable {
    /// How an exchange ended, as far as it is about the connection.
    enum Outcome: Sendable, Equatable {
        /// By an answer of a service that is well, whether it took the records or not.
        case answered
        /// By no answer, or by one that another server may not give.
        case doubtful
        /// By whoever waited for it.
        case cancelled
    }

    /// How long a generation is used at least.
    static let minimumAge = Duration.seconds(1)
    /// How many generations there are at once, the present one among them. One that is given up lives for the timeout of
    /// a request at most.
    static let maximumAlive = 4

    private var present = 0
    private var since: MonotonicInstant?
    private var isDoubtful = false
    /// How many exchanges are under way, by their generations.
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
        // The present one is old then, unless nobody uses it.
        let old = self.exchanges.count { $0.value > 0 }
        guard old < Self.maximumAlive else { return }
        self.present += 1
        self.since = nil
        self.isDoubtful = false
    }

    private mutating func takeEnded() -> [Int] {
        // As good as always.
        guard self.exchanges.count > 1 || self.exchanges[self.present] == nil else { return [] }
        let ended = self.exchanges.filter { $0.key != self.present && $0.value <= 0 }.keys.sorted()
        for generation in ended { self.exchanges[generation] = nil }
        return ended
    }
}

extension ConnectionGenerations.Outcome {
    /// What an answer says about its connection: one of 5xx, 421, or without the service's id comes from a server that is
    /// not well, not the right one, or not the service.
    init(_ response: TransportResponse) {
        self = response.requestID != nil && response.status < 500 && response.status != 421 ? .answered : .doubtful
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The sizes of bodies that a destination has found too large: as they go over the wire, where something in between said so,
/// and before compression, where the service did.
struct BodyLimits: Sendable {
    /// One of the two. A refusal halves it. After a while each success adds to it; and if a body passes that is as large as
    /// one that was refused, the refusals were not for the size, or are over, and there is no bound any more.
    struct Bound: Sendable {
        /// How long a bound stays before larger bodies are tried again: at first, and at most if that is refused each time.
        static let patience = Duration.seconds(60)
        static let longestPatience = Duration.seconds(600)
        /// What a success adds at most.
        private static let step = 4 << 10

        /// The most bytes to send; `nil` while none were too many.
        private(set) var limit: Int?
        /// The largest body that was taken, as far as that is known to hold.
        private var taken = 0
        /// The smallest that was refused.
        private var refused = Int.max
        private var patience = Self.patience
        private var growAt = MonotonicInstant(nanoseconds: 0)

        /// A body of this size was taken.
        mutating func took(_ bytes: Int, at now: MonotonicInstant) {
            self.taken = max(self.taken, bytes)
            if bytes >= self.refused {
                self.limit = nil
                self.refused = .max
                self.patience = Self.patience
            }
            guard let limit = self.limit, now >= self.growAt, bytes > limit / 2 else { return }
            self.limit = limit + min(limit / 16 + 64, Self.step)
        }

        /// A body of this size was too large. That of a lone record bounds no others: there is no smaller one of it.
        mutating func refused(_ bytes: Int, isLone: Bool = false, at now: MonotonicInstant) {
            self.refused = min(self.refused, bytes)
            guard !isLone else { return }
            if bytes <= self.taken {
                // What was taken before the limit came down says nothing any more.
                self.taken = 0
                self.patience = Self.patience
            } else if self.limit != nil, now >= self.growAt {
                self.patience = min(self.patience * 2, Self.longestPatience)
            }
            self.limit = max(self.taken, min(self.limit ?? .max, bytes / 2), 1)
            self.growAt = now + self.patience
        }
    }

    var wire = Bound()
    var raw = Bound()
}

/// What the topics of a producer learn of the place that all of them send to.
final class Destination: Sendable {
    private struct State {
        var limits = BodyLimits()
        var deliveries = 0
    }

    private let state = Lock(State())

    /// The sizes to keep to.
    var limits: BodyLimits { self.state.withLock { $0.limits } }

    /// How many requests it has taken. Where the number has grown, something has passed.
    var deliveries: Int { self.state.withLock { $0.deliveries } }

    /// A request was taken.
    func took(wire: Int, raw: Int, at now: MonotonicInstant) {
        self.state.withLock { state in
            state.deliveries += 1
            state.limits.wire.took(wire, at: now)
            state.limits.raw.took(raw, at: now)
        }
    }

    /// A request was too large, for the service or for something in between.
    func foundTooLarge(wire: Int, raw: Int, byService: Bool, isLone: Bool, at now: MonotonicInstant) {
        self.state.withLock { state in
            if byService {
                state.limits.raw.refused(raw, isLone: isLone, at: now)
            } else {
                state.limits.wire.refused(wire, isLone: isLone, at: now)
            }
        }
    }
}

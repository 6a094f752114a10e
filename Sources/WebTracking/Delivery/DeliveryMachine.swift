//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// What can be sent as one request, and in two.
protocol DeliverableBatch {
    /// When its first record came.
    var openedAt: MonotonicInstant { get }
    /// The batch in two halves; `nil` if it has only one record.
    func split() -> (Self, Self)?
}

extension Segment: DeliverableBatch {}

/// Decides what to do next with the batches of one topic: send, wait, give up.
///
/// A value that is told of events and the time and answers with steps; it does nothing itself. One batch is in hand at a
/// time, so that the order of a topic's records is kept.
struct DeliveryMachine<Batch: DeliverableBatch> {
    /// What to do next.
    enum Step {
        /// Nothing is in hand: take the next batch.
        case take
        /// Send the batch.
        case send(Batch, isRetry: Bool)
        /// Wait until then.
        case wait(until: MonotonicInstant)
        /// The batch has been given up.
        case drop(Batch, DropReason)
    }

    /// What a finished request brought.
    enum Result {
        case delivered(Batch)
        case dropped(Batch, DropReason)
        /// The batch is in hand still, to be sent again after the delay.
        case kept(delay: Duration)
        /// The batch has been replaced by its halves.
        case split(Batch, into: Batch, Batch)
    }

    private let policy: RetryPolicy
    /// The batch in hand, or the parts of it that are left.
    private var parts: [Part] = []
    /// Failed attempts of one kind since the last success or failure of another kind.
    private var failures = 0
    private var failureKind: FailureKind?
    private var notBefore: MonotonicInstant?
    /// What the quota leaves to this topic, and when the next new batch may be sent for it.
    private var pace: QuotaPace
    private var pacedUntil: MonotonicInstant?
    /// Since when the service has been saying 401 or 404, and which.
    private var refusal: (since: MonotonicInstant, reason: DropReason)?

    /// Failures that share a backoff.
    private enum FailureKind {
        case transient
        case throttled
        case refused

        init(_ outcome: RequestOutcome) {
            switch outcome {
            case .throttled: self = .throttled
            case .unauthorized, .notFound: self = .refused
            default: self = .transient
            }
        }
    }

    private struct Part {
        var batch: Batch
        var attempts = 0
    }

    init(policy: RetryPolicy) {
        self.policy = policy
        self.pace = QuotaPace(limits: policy.throttled)
    }

    /// Whether nothing is in hand.
    var isIdle: Bool { self.parts.isEmpty }

    /// Takes a batch in hand.
    mutating func accept(_ batch: Batch) {
        self.parts.append(Part(batch: batch))
    }

    /// The batch in hand, if it is the only one and not one of several parts.
    var single: Batch? { self.parts.count == 1 ? self.parts[0].batch : nil }

    /// Puts the same batch, in another place, into the place of the one in hand.
    mutating func replaceSingle(by batch: Batch) {
        if self.parts.count == 1 { self.parts[0].batch = batch }
    }

    /// What to do at `now`.
    mutating func next(at now: MonotonicInstant) -> Step {
        guard let part = self.parts.first else { return .take }
        let expiry = part.batch.openedAt + self.policy.maximumAge
        if now >= expiry { return self.drop(.expired) }
        if let notBefore = self.notBefore, now < notBefore { return .wait(until: min(notBefore, expiry)) }
        return .send(part.batch, isRetry: part.attempts > 0)
    }

    /// Whether a new batch would have to wait before it is sent.
    func isBackingOff(at now: MonotonicInstant) -> Bool {
        self.notBefore.map { now < $0 } ?? false
    }

    /// Until when a new batch would have to wait for the quota. It is not taken before, and goes on filling.
    func paced(at now: MonotonicInstant) -> MonotonicInstant? {
        self.pacedUntil.flatMap { now < $0 ? $0 : nil }
    }

    /// Ends the present wait.
    mutating func nudge() {
        self.notBefore = nil
        self.pacedUntil = nil
    }

    /// Takes in how the request for the batch in hand ended; `jitter` is uniform in 0..<1.
    mutating func finish(
        _ verdict: Verdict,
        at now: MonotonicInstant,
        jitter: Double,
        isClosing: Bool
    ) -> Result? {
        guard !self.parts.isEmpty else { return nil }
        if verdict == .splitIfPossible {
            let canSplit = self.parts[0].batch.split() != nil
            let verdict = canSplit ? Verdict.split : .retry(.failed, after: nil)
            return self.finish(verdict, at: now, jitter: jitter, isClosing: isClosing)
        }
        self.parts[0].attempts += 1
        switch verdict {
        case .delivered:
            self.recover()
            self.pace.speedUp()
            if self.pace.interval > .zero && !isClosing { self.pacedUntil = now + self.pace.wait(jitter: jitter) }
            return .delivered(self.parts.removeFirst().batch)
        case .reject:
            self.recover()
            return .dropped(self.parts.removeFirst().batch, .rejected)
        case .split, .splitIfPossible:
            self.recover()
            let part = self.parts.removeFirst()
            guard let (first, second) = part.batch.split() else { return .dropped(part.batch, .tooLarge) }
            self.parts.insert(contentsOf: [Part(batch: first), Part(batch: second)], at: 0)
            return .split(part.batch, into: first, second)
        case .retry(let outcome, let pause):
            let kind = FailureKind(outcome)
            self.failures = kind == self.failureKind ? self.failures + 1 : 1
            self.failureKind = kind
            self.note(outcome, at: now)
            if kind == .throttled { self.pace.slowDown() }
            var delay = self.delay(after: kind, jitter: jitter)
            if let pause { delay = max(delay, min(pause, self.policy.longestRetryAfter)) }
            if isClosing { delay = min(delay, self.policy.longestWhileClosing) }
            self.notBefore = now + delay
            // Only an answer gives records up: what the service said before an outage may be over.
            if kind == .refused, let refusal = self.refusal, now >= refusal.since + self.policy.refusalPatience {
                return .dropped(self.parts.removeFirst().batch, refusal.reason)
            }
            return .kept(delay: delay)
        }
    }

    /// Gives up everything in hand, for a shutdown whose deadline has come.
    mutating func abandon() -> [Batch] {
        defer { self.parts = [] }
        return self.parts.map(\.batch)
    }

    private mutating func drop(_ reason: DropReason) -> Step {
        .drop(self.parts.removeFirst().batch, reason)
    }

    private mutating func recover() {
        self.failures = 0
        self.failureKind = nil
        self.notBefore = nil
        self.pacedUntil = nil
        self.refusal = nil
    }

    private mutating func note(_ outcome: RequestOutcome, at now: MonotonicInstant) {
        let reason: DropReason
        switch outcome {
        case .unauthorized: reason = .unauthorized
        case .notFound: reason = .notFound
        default:
            // No answer says nothing about the refusal; only another answer ends it.
            if outcome != .failed { self.refusal = nil }
            return
        }
        self.refusal = (self.refusal?.since ?? now, reason)
    }

    private func delay(after kind: FailureKind, jitter: Double) -> Duration {
        switch kind {
        case .throttled: self.pace.wait(jitter: jitter)
        case .refused: self.policy.refused.steadyDelay(failures: self.failures, jitter: jitter)
        case .transient: self.policy.transient.delay(failures: self.failures, jitter: jitter)
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What can be sent as one request, and in parts.
protocol DeliverableBatch {
    /// When its first record came.
    var openedAt: MonotonicInstant { get }
    /// The number of its records.
    var count: Int { get }
}

extension Batch: DeliverableBatch {}

/// Decides what to do next with the batches of one topic: send, wait, give up.
///
/// A value that is told of events and the time and answers with steps; it does nothing itself. One batch is in flight at a
/// time, and what is left of it is known as ranges of its records, so that parts are sent in order and nothing is copied.
///
/// **A refusal that can be about a record** is followed by requests for halves of what was refused, until one record stands
/// alone. If the service itself refused it, it is dropped. If something in between did, it stands aside and its successors
/// go on; it is dropped if something was delivered since and it is refused again. Where its neighbour is refused too, with no
/// delivery in between, nothing passes: then nothing is given up, and one record at a time asks, with waits, until one passes.
struct DeliveryMachine<Batch: DeliverableBatch> {
    /// What to do next.
    enum Step {
        /// Nothing is in flight: take the next batch.
        case take
        /// Send these records of the batch, or the first of them.
        case send(Batch, Range<Int>, isRetry: Bool)
        /// Wait until then, or for another batch to take if that may help.
        case wait(until: MonotonicInstant, orTake: Bool)
        /// The records have been given up.
        case drop(BatchRange<Batch>, DropReason)
    }

    /// What a finished request brought.
    enum Result {
        case delivered(BatchRange<Batch>)
        case dropped(BatchRange<Batch>, DropReason)
        /// The records are in flight still, to be sent again after the delay.
        case kept(delay: Duration)
        /// Fewer of the records are sent next.
        case narrowed
    }

    private struct InFlight {
        var batch: Batch
        /// The records that are neither settled nor aside, in order.
        var rest: [Range<Int>]
        /// The records before this place have been sent before.
        var sent = 0
        /// The records that were refused alone by something in between, and how many deliveries there had been then.
        var refusals: [Int: Int] = [:]

        mutating func remove(_ range: Range<Int>) {
            self.rest = self.rest.flatMap { part in
                [(part.lowerBound, range.lowerBound), (max(part.lowerBound, range.upperBound), part.upperBound)]
                    .filter { $0 < min($1, part.upperBound) }
                    .map { $0..<min($1, part.upperBound) }
            }
        }

        mutating func insert(_ record: Int) {
            var parts: [Range<Int>] = []
            for part in (self.rest + [record..<record + 1]).sorted(by: { $0.lowerBound < $1.lowerBound }) {
                if let last = parts.last, last.upperBound == part.lowerBound {
                    parts[parts.count - 1] = last.lowerBound..<part.upperBound
                } else {
                    parts.append(part)
                }
            }
            self.rest = parts
        }
    }

    private struct Sent {
        var hand: Int
        var range: Range<Int>
    }

    /// A record that was refused alone and waits for proof that others pass.
    private struct Aside {
        var hand: Int
        var record: Int
        /// How many deliveries there had been when it was first refused.
        var mark: Int
        /// When it is sent again if there is nothing else to send.
        var until: MonotonicInstant?
    }

    private let policy: RetryPolicy
    /// The batch in flight; before it, at most one of which nothing is left but a record that stands aside.
    private var inFlight: [InFlight] = []
    private var request: Sent?
    private var aside: Aside?
    /// Up to here, from the first record that is left, there is one that was refused.
    private var suspectedUpTo: Int?
    /// So many records at most, since twice as many were too large.
    private var mostRecords: Int?
    /// While nothing passes: how many deliveries there had been then, and how many records have asked since.
    private var blocked: (deliveries: Int, probes: Int)?
    /// Failed attempts of one kind since the last success or failure of another kind.
    private var failures = 0
    private var failureKind: FailureKind?
    private var notBefore: MonotonicInstant?
    /// How many records the service has refused alone since it last took some.
    private var rejections = 0
    /// What the quota leaves to this topic, and when the next new records may be sent for it.
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

    init(policy: RetryPolicy) {
        self.policy = policy
        self.pace = QuotaPace(limits: policy.throttled)
    }

    // MARK: What is in flight

    /// Whether nothing is in flight.
    var isIdle: Bool { self.inFlight.isEmpty }

    /// Whether no record in flight is behind one that is settled.
    var isInOrder: Bool {
        guard let first = self.inFlight.first else { return true }
        return self.aside == nil && first.rest.count == 1 && first.rest[0].upperBound == first.batch.count
            && self.inFlight.dropFirst().allSatisfy { $0.rest == [0..<$0.batch.count] }
    }

    /// Takes a batch in flight.
    mutating func accept(_ batch: Batch) {
        self.inFlight.append(InFlight(batch: batch, rest: [0..<batch.count]))
    }

    /// Gives up everything in flight, for a shutdown whose deadline has come.
    mutating func abandon() -> [Batch] {
        defer {
            self.inFlight = []
            self.aside = nil
        }
        return self.inFlight.map(\.batch)
    }

    // MARK: What to do next

    /// What to do at `now`, when the destination has taken so many requests.
    mutating func next(at now: MonotonicInstant, deliveries: Int = 0) -> Step {
        guard !self.inFlight.isEmpty else { return .take }
        if let old = self.inFlight.indices.first(where: { self.expiry(of: $0).map { now >= $0 } ?? false }) {
            return .drop(self.takeAll(of: old), .expired)
        }
        if let blocked = self.blocked, deliveries > blocked.deliveries {
            // Others pass.
            self.blocked = nil
            self.notBefore = nil
        }
        let expiry = self.inFlight.indices.compactMap { self.expiry(of: $0) }.min()
        let (sent, isUrgent) = self.choice(deliveries: deliveries)
        if let wait = isUrgent ? self.notBefore : later(self.notBefore, self.pacedUntil), now < wait {
            return .wait(until: min(wait, expiry ?? wait), orTake: false)
        }
        if let until = self.aside?.until, now < until, !isUrgent, self.front == nil {
            return .wait(until: min(until, expiry ?? until), orTake: true)
        }
        self.request = sent
        let isRetry = sent.range.lowerBound < self.inFlight[sent.hand].sent
        return .send(self.inFlight[sent.hand].batch, sent.range, isRetry: isRetry)
    }

    /// Notes that only the first `count` of the records are sent.
    mutating func shorten(to count: Int) {
        guard let range = self.request?.range, count > 0, count < range.count else { return }
        self.request?.range = range.lowerBound..<range.lowerBound + count
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
    mutating func skipBackoff() {
        self.notBefore = nil
        self.pacedUntil = nil
        self.aside?.until = nil
    }

    /// When a batch is too old; `nil` for never.
    private func expiry(of hand: Int) -> MonotonicInstant? {
        self.policy.maximumAge.map { self.inFlight[hand].batch.openedAt + $0 }
    }

    /// The first batch that has records to send.
    private var front: Int? { self.inFlight.firstIndex { !$0.rest.isEmpty } }

    /// The records to send next, and whether they do not wait for the quota since they have been sent before.
    private func choice(deliveries: Int) -> (Sent, isUrgent: Bool) {
        if let aside = self.aside, self.front == nil || deliveries > aside.mark {
            return (Sent(hand: aside.hand, range: aside.record..<aside.record + 1), deliveries > aside.mark)
        }
        let front = self.front ?? 0
        let range = self.inFlight[front].rest.first ?? 0..<0
        let start = range.lowerBound
        if let blocked = self.blocked { return (self.probe(blocked.probes), false) }
        // A neighbour tells whether anything passes at all.
        if self.aside != nil { return (Sent(hand: front, range: start..<start + 1), true) }
        if let end = self.suspectedUpTo, end > start {
            let half = max((min(end, range.upperBound) - start) / 2, 1)
            let count = min(half, self.mostRecords ?? .max)
            return (Sent(hand: front, range: start..<start + count), true)
        }
        let count = min(range.count, self.mostRecords ?? .max)
        return (Sent(hand: front, range: start..<start + count), start < self.inFlight[front].sent)
    }

    /// The record that asks whether anything passes: the first one, for the sake of order. Now and then it is another one,
    /// in case that those in front are what is refused; more and more seldom, and further and further on.
    private func probe(_ number: Int) -> Sent {
        let isOther = number > 1 && number & (number - 1) == 0
        var offset = isOther ? number : 0
        var last = Sent(hand: 0, range: 0..<1)
        for (hand, content) in self.inFlight.enumerated() {
            for range in content.rest {
                if offset < range.count {
                    let place = range.lowerBound + offset
                    return Sent(hand: hand, range: place..<place + 1)
                }
                offset -= range.count
                last = Sent(hand: hand, range: range.upperBound - 1..<range.upperBound)
            }
        }
        return last
    }

    // MARK: What came of a request

    /// Takes in how the request under way ended, with `deliveries` including it; `jitter` is uniform in 0..<1.
    mutating func finish(
        _ verdict: Verdict,
        at now: MonotonicInstant,
        jitter: Double,
        isClosing: Bool,
        deliveries: Int = 0
    ) -> Result? {
        guard let sent = self.request.take(), self.inFlight.indices.contains(sent.hand) else { return nil }
        self.inFlight[sent.hand].sent = max(self.inFlight[sent.hand].sent, sent.range.upperBound)
        switch verdict {
        case .delivered:
            self.recover()
            self.rejections = 0
            self.mostRecords = nil
            self.pace.speedUp()
            if self.pace.interval > .zero && !isClosing { self.pacedUntil = now + self.pace.wait(jitter: jitter) }
            return .delivered(self.take(sent))
        case .reject where !self.policy.givesUpRequests:
            return self.wait(for: .unauthorized, sent, at: now, atLeast: nil, jitter: jitter, isClosing: isClosing)
        case .reject:
            self.recover()
            return .dropped(self.take(sent), .rejected)
        case .narrow(let reason, byService: true):
            self.recover()
            if sent.range.count > 1 { return self.narrow(sent, reason) }
            self.rejections += 1
            // Where one after the other is refused, the service is not asked in one breath for all of them.
            if self.rejections > 1 && !isClosing {
                self.notBefore = now + self.policy.transient.delay(failures: min(self.rejections, 4), jitter: jitter)
            }
            return .dropped(self.take(sent), reason)
        case .narrow(let reason, byService: false):
            if sent.range.count > 1 { return self.narrow(sent, reason) }
            return self.refuse(sent, reason, at: now, jitter: jitter, isClosing: isClosing, deliveries: deliveries)
        case .retry(let outcome, let pause):
            return self.wait(for: outcome, sent, at: now, atLeast: pause, jitter: jitter, isClosing: isClosing)
        }
    }

    /// Keeps what was sent for another attempt, unless it has been refused for too long.
    private mutating func wait(
        for outcome: RequestOutcome,
        _ sent: Sent,
        at now: MonotonicInstant,
        atLeast pause: Duration?,
        jitter: Double,
        isClosing: Bool
    ) -> Result {
        let kind = FailureKind(outcome)
        self.note(outcome, at: now)
        let delay = self.backOff(kind, atLeast: pause, jitter: jitter, isClosing: isClosing)
        self.notBefore = now + delay
        // Only an answer gives records up: what the service said before an outage may be over.
        if kind == .refused, let refusal = self.refusal, let patience = self.policy.refusalPatience,
            now >= refusal.since + patience
        {
            return .dropped(self.takeAll(of: sent.hand), refusal.reason)
        }
        return .kept(delay: delay)
    }

    /// Sends less of what was refused.
    private mutating func narrow(_ sent: Sent, _ reason: DropReason) -> Result {
        if reason == .tooLarge {
            self.mostRecords = sent.range.count / 2
        } else {
            self.suspectedUpTo = sent.range.upperBound
        }
        return .narrowed
    }

    /// Something in between has refused a record that was sent alone.
    private mutating func refuse(
        _ sent: Sent,
        _ reason: DropReason,
        at now: MonotonicInstant,
        jitter: Double,
        isClosing: Bool,
        deliveries: Int
    ) -> Result {
        let record = sent.range.lowerBound
        let mark = self.inFlight[sent.hand].refusals[record]
        if let mark, deliveries > mark { return .dropped(self.take(sent), reason) }
        self.inFlight[sent.hand].refusals[record] = mark ?? deliveries
        self.suspectedUpTo = nil
        let isAside = self.aside.map { $0.hand == sent.hand && $0.record == record } ?? false
        if !isAside, self.aside == nil, self.blocked == nil {
            self.inFlight[sent.hand].remove(sent.range)
            self.aside = Aside(hand: sent.hand, record: record, mark: mark ?? deliveries, until: nil)
            if self.front != nil { return .narrowed }
        }
        let delay = self.backOff(.transient, atLeast: nil, jitter: jitter, isClosing: isClosing)
        if self.front == nil {
            self.aside?.until = now + delay
            return .kept(delay: delay)
        }
        if let aside = self.aside.take() { self.inFlight[aside.hand].insert(aside.record) }
        self.blocked = (deliveries, (self.blocked?.probes ?? -1) + 1)
        self.notBefore = now + delay
        return .kept(delay: delay)
    }

    /// Counts a failure, and says how long to wait for it.
    private mutating func backOff(
        _ kind: FailureKind,
        atLeast pause: Duration?,
        jitter: Double,
        isClosing: Bool
    ) -> Duration {
        self.failures = kind == self.failureKind ? self.failures + 1 : 1
        self.failureKind = kind
        if kind == .throttled { self.pace.slowDown() }
        var delay = self.delay(after: kind, jitter: jitter)
        if let pause { delay = max(delay, min(pause, self.policy.longestRetryAfter)) }
        return isClosing ? min(delay, self.policy.longestWhileClosing) : delay
    }

    /// Takes records out of the hand that are done with.
    private mutating func take(_ sent: Sent) -> BatchRange<Batch> {
        if let aside = self.aside, aside.hand == sent.hand, aside.record == sent.range.lowerBound {
            self.aside = nil
        } else {
            self.inFlight[sent.hand].remove(sent.range)
            if let end = self.suspectedUpTo, sent.range.upperBound >= end { self.suspectedUpTo = nil }
        }
        let batch = self.inFlight[sent.hand].batch
        let isLast = self.inFlight[sent.hand].rest.isEmpty && self.aside?.hand != sent.hand
        if isLast { self.forget(sent.hand) }
        return BatchRange(batch: batch, ranges: [sent.range], isLast: isLast)
    }

    /// Takes all that is left of a batch out of the hand.
    private mutating func takeAll(of hand: Int) -> BatchRange<Batch> {
        if let aside = self.aside, aside.hand == hand {
            self.inFlight[hand].insert(aside.record)
            self.aside = nil
        }
        let content = self.inFlight[hand]
        self.forget(hand)
        return BatchRange(batch: content.batch, ranges: content.rest, isLast: true)
    }

    private mutating func forget(_ hand: Int) {
        self.inFlight.remove(at: hand)
        self.suspectedUpTo = nil
        self.mostRecords = nil
        self.blocked = nil
        if let aside = self.aside, aside.hand > hand { self.aside?.hand -= 1 }
    }

    /// An answer of the service has come that says nothing against the way to it.
    private mutating func recover() {
        self.failures = 0
        self.failureKind = nil
        self.notBefore = nil
        self.pacedUntil = nil
        self.refusal = nil
        self.blocked = nil
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

private func later(_ first: MonotonicInstant?, _ second: MonotonicInstant?) -> MonotonicInstant? {
    guard let first, let second else { return first ?? second }
    return max(first, second)
}

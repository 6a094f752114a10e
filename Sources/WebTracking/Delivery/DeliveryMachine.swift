// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What can be sent as one request, and in parts.
protocol DeliverableBatch {
    /// The time of its first record.
    var openedAt: MonotonicInstant { get }
    /// The number of its records.
    var count: Int { get }
}

extension Batch: DeliverableBatch {}

/// Decides what to do next with the batches of one topic: send, wait, or drop.
///
/// A value: its input is events and the time, its output is the next step, and it does nothing itself. The file is long,
/// since all its decisions depend on the same few values: what is in flight, what was refused, and how long to wait. One
/// batch is in flight at a time. What is left of it is stored as ranges of its records, so that parts are sent in order and nothing
/// is copied.
///
/// **If a refusal may be about a single record**, it sends halves of the refused records, until one record is alone. If
/// the service itself refuses that record, it is dropped. If a server in between refuses it, the record is set aside,
/// and the next ones are sent. It is dropped if another record was delivered since, and it is refused again. If its
/// neighbour is refused too, with no delivery in between, nothing passes: then nothing is dropped, and single records
/// are sent, with waits, until one passes.
struct DeliveryMachine<Content: DeliverableBatch> {
    /// What to do next.
    enum Step {
        /// Nothing is in flight: take the next batch, but not before `paced`, because of the quota. If `isBackingOff`,
        /// the batch will have to wait before it is sent.
        case take(paced: MonotonicInstant?, isBackingOff: Bool)
        /// Send these records of the batch, or the first of them.
        case send(Content, Range<Int>, isRetry: Bool)
        /// Wait until then, or until there is another batch to take, if that may help.
        case wait(until: MonotonicInstant, orTake: Bool)
        /// The records are dropped.
        case drop(BatchRange<Content>, DropReason)
    }

    /// The result of a finished request.
    enum Result {
        case delivered(BatchRange<Content>)
        case dropped(BatchRange<Content>, DropReason)
        /// The records stay in flight, and are sent again after the delay.
        case kept(delay: Duration)
        /// Fewer of the records are sent next.
        case narrowed
    }

    private struct InFlight {
        var batch: Content
        /// The records that are neither settled nor set aside.
        var rest: RangeSet<Int>
        /// The records before this index have been sent before.
        var sent = 0
        /// The records that a server in between refused alone, and the number of deliveries at that time.
        var refusals: [Int: Int] = [:]
    }

    private struct Sent {
        var index: Int
        var range: Range<Int>
    }

    /// A record that was refused alone, and waits for proof that other records pass.
    private struct Aside {
        var index: Int
        var record: Int
        /// The number of deliveries when it was first refused.
        var mark: Int
        /// The time to send it again if there is nothing else to send.
        var until: MonotonicInstant?
    }

    private let policy: RetryPolicy
    /// The batch in flight. Before it, there may be one with its last record set aside.
    private var inFlight: [InFlight] = []
    private var request: Sent?
    private var aside: Aside?
    /// The end of the records that include a refused one.
    private var suspectedUpTo: Int?
    /// The largest number of records, as twice as many were too large.
    private var mostRecords: Int?
    /// While nothing passes: the number of deliveries at that time, and the number of single records sent since.
    private var blocked: (deliveries: Int, probes: Int)?
    /// Failures of one kind in a row.
    private var failures = 0
    private var failureKind: FailureKind?
    private var notBefore: MonotonicInstant?
    /// The number of records that the service has refused alone since it last accepted some.
    private var rejections = 0
    /// The topic's pace under the quota, and the time at which it may send the next new records.
    private var pace: QuotaPace
    private var pacedUntil: MonotonicInstant?
    /// The time of the first 401 or 404 in a row, and which of them it is.
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

    /// Whether no batch is in flight.
    var isIdle: Bool { self.inFlight.isEmpty }

    /// Whether all settled records come before all records in flight.
    var isInOrder: Bool {
        guard let first = self.inFlight.first else { return true }
        return self.aside == nil && first.rest.ranges.count == 1
            && first.rest.ranges.last?.upperBound == first.batch.count
            && self.inFlight.dropFirst().allSatisfy { $0.rest == RangeSet(0..<$0.batch.count) }
    }

    /// Adds a batch to those in flight.
    mutating func accept(_ batch: Content) {
        self.inFlight.append(InFlight(batch: batch, rest: RangeSet(0..<batch.count)))
    }

    /// Removes all batches in flight, for a shutdown at its deadline.
    mutating func abandon() -> [Content] {
        defer {
            self.inFlight = []
            self.aside = nil
        }
        return self.inFlight.map(\.batch)
    }

    // MARK: What to do next

    /// The step to take at `now`, when the destination has accepted so many requests.
    mutating func next(at now: MonotonicInstant, deliveries: Int = 0) -> Step {
        guard !self.inFlight.isEmpty else {
            return .take(paced: self.paced(at: now), isBackingOff: self.isBackingOff(at: now))
        }
        if let old = self.inFlight.indices.first(where: { self.expiry(of: $0).map { now >= $0 } ?? false }) {
            return .drop(self.takeAll(of: old), .expired)
        }
        if let blocked = self.blocked, deliveries > blocked.deliveries {
            // Other records pass.
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
        let isRetry = sent.range.lowerBound < self.inFlight[sent.index].sent
        return .send(self.inFlight[sent.index].batch, sent.range, isRetry: isRetry)
    }

    /// Whether a new batch would have to wait before it is sent.
    func isBackingOff(at now: MonotonicInstant) -> Bool {
        self.notBefore.map { now < $0 } ?? false
    }

    /// The time until which a new batch has to wait for the quota. It is not taken before that, so it can still be
    /// filled.
    func paced(at now: MonotonicInstant) -> MonotonicInstant? {
        self.pacedUntil.flatMap { now < $0 ? $0 : nil }
    }

    /// Ends the current wait.
    mutating func skipBackoff() {
        self.notBefore = nil
        self.pacedUntil = nil
        self.aside?.until = nil
    }

    /// The time at which a batch is too old; `nil` for never.
    private func expiry(of index: Int) -> MonotonicInstant? {
        self.policy.maximumAge.map { self.inFlight[index].batch.openedAt + $0 }
    }

    /// The first batch that has records to send.
    private var front: Int? { self.inFlight.firstIndex { !$0.rest.isEmpty } }

    /// The records to send next, and whether they do not wait for the quota because they were sent before.
    private func choice(deliveries: Int) -> (Sent, isUrgent: Bool) {
        if let aside = self.aside, self.front == nil || deliveries > aside.mark {
            return (Sent(index: aside.index, range: aside.record..<aside.record + 1), deliveries > aside.mark)
        }
        let front = self.front ?? 0
        let range = self.inFlight[front].rest.ranges.first ?? 0..<0
        let start = range.lowerBound
        if let blocked = self.blocked { return (self.probe(blocked.probes), false) }
        // The neighbour shows whether any record passes.
        if self.aside != nil { return (Sent(index: front, range: start..<start + 1), true) }
        if let end = self.suspectedUpTo, end > start {
            let half = max((min(end, range.upperBound) - start) / 2, 1)
            let count = min(half, self.mostRecords ?? .max)
            return (Sent(index: front, range: start..<start + count), true)
        }
        let count = min(range.count, self.mostRecords ?? .max)
        return (Sent(index: front, range: start..<start + count), start < self.inFlight[front].sent)
    }

    /// The single record to send while nothing passes: the first one, to keep the order. Sometimes it is another one,
    /// in case only the first ones are refused; less and less often, and further and further back.
    private func probe(_ number: Int) -> Sent {
        // Only a power of two: so the pause between two of them doubles, and each is twice as far back as the one before.
        let isOther = number > 1 && number & (number - 1) == 0
        var offset = isOther ? number : 0
        var last = Sent(index: 0, range: 0..<1)
        for (index, content) in self.inFlight.enumerated() {
            for range in content.rest.ranges {
                if offset < range.count {
                    let place = range.lowerBound + offset
                    return Sent(index: index, range: place..<place + 1)
                }
                offset -= range.count
                last = Sent(index: index, range: range.upperBound - 1..<range.upperBound)
            }
        }
        return last
    }

    // MARK: What came of a request

    /// What a decision about a finished request depends on, beside its answer.
    private struct Moment {
        var now: MonotonicInstant
        var jitter: Double
        var isClosing: Bool
        var deliveries: Int
    }

    /// Notes how the request in flight ended. It held the first `count` of the records in the last ``Step/send``, and
    /// `deliveries` includes it. `jitter` is uniform in 0..<1.
    mutating func finish(
        _ verdict: Verdict,
        count: Int = .max,
        at now: MonotonicInstant,
        jitter: Double,
        isClosing: Bool,
        deliveries: Int = 0
    ) -> Result {
        guard var sent = self.request.take(), self.inFlight.indices.contains(sent.index), count > 0 else {
            assertionFailure("no request is in flight")
            return .narrowed
        }
        let moment = Moment(now: now, jitter: jitter, isClosing: isClosing, deliveries: deliveries)
        if count < sent.range.count { sent.range = sent.range.lowerBound..<sent.range.lowerBound + count }
        self.inFlight[sent.index].sent = max(self.inFlight[sent.index].sent, sent.range.upperBound)
        switch verdict {
        case .delivered:
            self.recover()
            self.rejections = 0
            self.mostRecords = nil
            self.pace.speedUp()
            if self.pace.interval > .zero && !isClosing { self.pacedUntil = now + self.pace.wait(jitter: jitter) }
            return .delivered(self.take(sent))
        case .reject where !self.policy.dropsRejected:
            return self.wait(for: .unauthorized, sent, at: moment, pause: nil)
        case .reject:
            self.recover()
            return .dropped(self.take(sent), .rejected)
        case .narrow(let reason, byService: true):
            self.recover()
            if sent.range.count > 1 { return self.narrow(sent, reason) }
            self.rejections += 1
            // If one record after the other is refused, do not send all of them without a pause.
            if self.rejections > 1 && !isClosing {
                self.notBefore = now + self.policy.transient.delay(failures: min(self.rejections, 4), jitter: jitter)
            }
            return .dropped(self.take(sent), reason)
        case .narrow(let reason, byService: false):
            if sent.range.count > 1 { return self.narrow(sent, reason) }
            return self.refuse(sent, reason, at: moment)
        case .retry(let outcome, let pause):
            return self.wait(for: outcome, sent, at: moment, pause: pause)
        }
    }

    /// Keeps the sent records for another attempt, unless they have been refused for too long.
    private mutating func wait(for outcome: RequestOutcome, _ sent: Sent, at moment: Moment, pause: Duration?) -> Result
    {
        let kind = FailureKind(outcome)
        self.note(outcome, at: moment.now)
        let delay = self.backOff(kind, at: moment, pause: pause)
        self.notBefore = moment.now + delay
        // Only an answer drops records: what the service said before an outage may not hold any more.
        if kind == .refused, let refusal = self.refusal, let patience = self.policy.refusalPatience,
            moment.now >= refusal.since + patience
        {
            return .dropped(self.takeAll(of: sent.index), refusal.reason)
        }
        return .kept(delay: delay)
    }

    /// Sends fewer of the refused records.
    private mutating func narrow(_ sent: Sent, _ reason: DropReason) -> Result {
        if reason == .tooLarge {
            self.mostRecords = sent.range.count / 2
        } else {
            self.suspectedUpTo = sent.range.upperBound
        }
        return .narrowed
    }

    /// A server in between has refused a record that was sent alone.
    private mutating func refuse(_ sent: Sent, _ reason: DropReason, at moment: Moment) -> Result {
        let record = sent.range.lowerBound
        let known = self.inFlight[sent.index].refusals[record]
        if let known, moment.deliveries > known { return .dropped(self.take(sent), reason) }
        let mark = known ?? moment.deliveries
        self.inFlight[sent.index].refusals[record] = mark
        self.suspectedUpTo = nil
        let isAside = self.aside.map { $0.index == sent.index && $0.record == record } ?? false
        if !isAside, self.aside == nil, self.blocked == nil {
            self.inFlight[sent.index].rest.remove(contentsOf: sent.range)
            self.aside = Aside(index: sent.index, record: record, mark: mark, until: nil)
            if self.front != nil { return .narrowed }
        }
        let delay = self.backOff(.transient, at: moment, pause: nil)
        if self.front == nil {
            self.aside?.until = moment.now + delay
            return .kept(delay: delay)
        }
        if let aside = self.aside.take() { self.putBack(aside) }
        self.blocked = (moment.deliveries, (self.blocked?.probes ?? -1) + 1)
        self.notBefore = moment.now + delay
        return .kept(delay: delay)
    }

    /// Counts a failure. Returns the delay after it: at least `pause`.
    private mutating func backOff(_ kind: FailureKind, at moment: Moment, pause: Duration?) -> Duration {
        self.failures = kind == self.failureKind ? self.failures + 1 : 1
        self.failureKind = kind
        var delay: Duration
        switch kind {
        case .throttled:
            self.pace.slowDown()
            delay = self.pace.wait(jitter: moment.jitter)
        case .refused: delay = self.policy.refused.steadyDelay(failures: self.failures, jitter: moment.jitter)
        case .transient: delay = self.policy.transient.delay(failures: self.failures, jitter: moment.jitter)
        }
        // Any server on the way may send `Retry-After`, so the wait for it is bounded.
        if let pause { delay = max(delay, min(pause, self.policy.longestRetryAfter)) }
        return moment.isClosing ? min(delay, self.policy.longestWhileClosing) : delay
    }

    /// Removes settled records from those in flight.
    private mutating func take(_ sent: Sent) -> BatchRange<Content> {
        if let aside = self.aside, aside.index == sent.index, aside.record == sent.range.lowerBound {
            self.aside = nil
        } else {
            self.inFlight[sent.index].rest.remove(contentsOf: sent.range)
            if let end = self.suspectedUpTo, sent.range.upperBound >= end { self.suspectedUpTo = nil }
        }
        let batch = self.inFlight[sent.index].batch
        let isLast = self.inFlight[sent.index].rest.isEmpty && self.aside?.index != sent.index
        if isLast { self.forget(sent.index) }
        return BatchRange(batch: batch, ranges: [sent.range], isLast: isLast)
    }

    /// Removes the rest of a batch from those in flight.
    private mutating func takeAll(of index: Int) -> BatchRange<Content> {
        if let aside = self.aside, aside.index == index {
            self.putBack(aside)
            self.aside = nil
        }
        let content = self.inFlight[index]
        self.forget(index)
        return BatchRange(batch: content.batch, ranges: Array(content.rest.ranges), isLast: true)
    }

    /// Makes a record that was set aside one of the rest again.
    private mutating func putBack(_ aside: Aside) {
        self.inFlight[aside.index].rest.insert(contentsOf: aside.record..<aside.record + 1)
    }

    private mutating func forget(_ index: Int) {
        self.inFlight.remove(at: index)
        self.suspectedUpTo = nil
        self.mostRecords = nil
        self.blocked = nil
        if let aside = self.aside, aside.index > index { self.aside?.index -= 1 }
    }

    /// The service has answered, so the connection to it works.
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
            // A missing answer says nothing about the refusal. Only another answer ends it.
            if outcome != .failed { self.refusal = nil }
            return
        }
        self.refusal = (self.refusal?.since ?? now, reason)
    }
}

private func later(_ first: MonotonicInstant?, _ second: MonotonicInstant?) -> MonotonicInstant? {
    guard let first, let second else { return first ?? second }
    return max(first, second)
}

/// The delay between a topic's requests while the service's write quota is exceeded.
///
/// A quota is shared with producers that do not know each other, so each has to find its own share: an exceeded quota
/// doubles the delay, and a success makes it a little shorter. If the delay restarted after each success, it would
/// never settle: when a fleet wanted to send five times its quota, six of ten requests were refused, without end.
struct QuotaPace: Sendable {
    private let limits: RetryPolicy.Backoff
    /// The longest delay before the next request; zero while the quota is not exceeded.
    private(set) var interval = Duration.zero

    init(limits: RetryPolicy.Backoff) {
        self.limits = limits
    }

    /// A quota was exceeded.
    mutating func slowDown() {
        self.interval = min(max(self.interval * 2, self.limits.initial), self.limits.maximum)
    }

    /// A request was taken.
    mutating func speedUp() {
        self.interval = self.interval * 9 / 10
        if self.interval < self.limits.initial / 2 { self.interval = .zero }
    }

    /// The delay before the next request: random, at least half of ``interval``.
    func wait(jitter: Double) -> Duration {
        self.interval / 2 + .nanoseconds(Int64(Double(self.interval.saturatedNanoseconds) * jitter / 2))
    }
}

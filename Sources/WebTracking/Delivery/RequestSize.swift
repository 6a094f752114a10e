// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides how much a topic sends at a time: less after a timeout, more after successes.
///
/// All sizes are those of the bodies that are sent. From a success it computes how many bytes the connection carries in
/// half of the request timeout. No request is larger than that. A timeout divides the next request by four, down to one
/// record, since the link may still be busy with the body before it. A size that timed out is not tried again at once:
/// above half of it, requests grow by a fixed step for each success. The timeout of a small request says little about
/// the bytes that the connection carries, unless smaller requests succeed. If nothing succeeded before a timeout, small
/// requests grow quickly after it.
///
/// A proxy on the way may have a shorter timeout: the third slow failure in a row counts as a timeout, too.
///
/// The rules with their numbers: `Docs/Evidence/Decisions.md`, "How much is sent at a time". How they do on slow links:
/// `Docs/Evidence/Chaos.md`, "A slow link".
struct RequestSize: Sendable {
    /// The size while nothing is known, and the first size after an outage.
    static let first = 64 << 10
    /// A smaller request says little about the bytes that the connection carries, as most of its time is latency.
    private static let meaningfulBytes = 8 << 10
    /// If a request of at most this size is slow, later requests do not become smaller: its size is not the reason.
    private static let floor = 32 << 10
    /// The largest growth for each success: of the bound after a timeout, and of small requests that are slow.
    private static let step = 4 << 10
    private static let smallStep = 1 << 10
    /// A failure after this time may be caused by the request's size. A broken connection is usually noticed sooner.
    private static let long = Duration.seconds(1)

    private let timeout: Duration
    /// The most bytes that the next request should have.
    private(set) var limit = RequestSize.first
    /// A request of more bytes than this has timed out.
    private var ceiling = Int.max
    /// Whether size was the reason for the timeout: smaller requests had succeeded before it.
    private var isProven = false
    /// The bytes of the last request that succeeded.
    private var passed: Int?
    /// The number of failures in a row, how many of the last ones were slow, and whether the last one was a timeout.
    private var failures = 0
    private var longFailures = 0
    private var hasTimedOut = false
    private var isSlow = false

    init(timeout: Duration) {
        self.timeout = timeout
    }

    /// Whether requests are answered quickly. Then a backlog may use larger requests.
    var isQuick: Bool { !self.isSlow && !self.hasTimedOut }

    /// Whether a failed attempt was so slow that it counts as a timeout, whatever its error says.
    func isTimeout(_ took: Duration) -> Bool { took * 2 >= self.timeout }

    /// Learns from the result of a request how much can be sent at a time.
    mutating func learn(
        from verdict: Verdict,
        _ failure: ProducerDiagnostic.Failure?,
        bytes: Int,
        took: Duration
    ) {
        switch verdict {
        case .delivered:
            self.succeeded(bytes: bytes, took: took)
        case .retry(.failed, _), .retry(.unavailable, _):
            // The service or a proxy may also time out, while it reads the body or waits for the answer.
            var isTimeout = self.isTimeout(took)
            if case .service(let error)? = failure {
                isTimeout = isTimeout || [408, 504].contains(error.status) || error.code == "RequestTimeout"
            }
            if isTimeout {
                self.timedOut(bytes: bytes)
            } else {
                self.failed(bytes: bytes, took: took, hasAnswer: verdict.outcome == .unavailable)
            }
        default: break
        }
    }

    /// The service accepted a request.
    mutating func succeeded(bytes: Int, took: Duration) {
        let bytes = max(bytes, 1)
        let half = self.timeout / 2
        let grown = max(bytes.saturatingMultiply(4), Self.meaningfulBytes * 2)
        if took >= half || bytes >= Self.meaningfulBytes {
            let ratio = Double(half.saturatedNanoseconds) / Double(max(took.saturatedNanoseconds, 1))
            let carried = Int(min(Double(bytes) * ratio, Double(1 << 40)))
            let isFloor = took >= half && carried < Self.floor
            let fitting = isFloor ? max(carried, min(bytes, Self.floor) + Self.smallStep) : carried
            self.limit = min(fitting, max(self.limit, grown))
        } else {
            self.limit = max(self.limit, grown)
        }
        self.isSlow = took * 8 >= self.timeout
        if self.ceiling != .max, bytes.saturatingMultiply(2) >= self.ceiling {
            let isDoubtful = !self.isProven && self.ceiling < Self.first && !self.isSlow
            self.ceiling += isDoubtful ? self.ceiling / 2 + 64 : min(Self.step, self.ceiling / 16 + 64)
        }
        self.limit = max(min(self.limit, self.ceiling), 1)
        self.passed = bytes
        self.failures = 0
        self.longFailures = 0
        self.hasTimedOut = false
    }

    /// A request had no answer in time, or only an answer that reports a timeout.
    mutating func timedOut(bytes: Int) { self.shrink(bytes: bytes, isForSize: true) }

    private mutating func shrink(bytes: Int, isForSize: Bool) {
        // After the first timeout in a row the server may be gone, so later ones say nothing about the size.
        if !self.hasTimedOut {
            if let passed, bytes >= passed.saturatingMultiply(2) {
                self.ceiling = max(min(self.ceiling, bytes / 2), 1)
                self.isProven = true
            } else if isForSize, bytes >= Self.meaningfulBytes {
                self.ceiling = min(self.ceiling, max(bytes / 2, Self.meaningfulBytes))
                self.isProven = self.passed != nil
            }
        }
        self.limit = max(min(self.limit, bytes, Self.first) / 4, 1)
        self.hasTimedOut = true
        self.failures += 1
    }

    /// A request failed for another reason. After one failure, the same request is sent again. After more, a small
    /// request comes first. With `hasAnswer`, the service answered, and has read the whole request.
    mutating func failed(bytes: Int, took: Duration, hasAnswer: Bool) {
        let isLong = !hasAnswer && took >= min(Self.long, self.timeout / 8)
        self.longFailures = isLong ? self.longFailures + 1 : 0
        // An unreachable host also fails slowly. If larger requests have succeeded, size is not the reason.
        if self.longFailures > 2 {
            return self.shrink(bytes: bytes, isForSize: self.passed.map { $0 <= bytes } ?? false)
        }
        self.failures += 1
        if self.failures > 1 { self.limit = min(self.limit, Self.first) }
    }
}

/// The body sizes that were refused as too large: as sent, if a server in between refused them; before compression, if
/// the service did.
struct BodyLimits: Sendable {
    /// The bound on one of the two sizes. A refusal halves it. After some time, each success adds to it. If a body
    /// passes that is as large as a refused one, size was not the reason, or is not any more, and the bound is removed.
    struct Bound: Sendable {
        /// The time until larger bodies are tried again: at first, and at most, if they are refused each time.
        static let patience = Duration.seconds(60)
        static let longestPatience = Duration.seconds(600)
        /// What a success adds at most.
        private static let step = 4 << 10

        /// The most bytes to send; `nil` for no bound.
        private(set) var limit: Int?
        /// The largest body that was accepted, unless that size was refused later.
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

        /// A body of this size was too large. The body of a single record sets no bound for others, as it cannot be
        /// sent in a smaller one.
        mutating func refused(_ bytes: Int, isLone: Bool = false, at now: MonotonicInstant) {
            self.refused = min(self.refused, bytes)
            guard !isLone else { return }
            if bytes <= self.taken {
                // The destination accepts less than it did.
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

/// What a producer's topics have learnt about the destination that they share.
final class Destination: Sendable {
    private struct State {
        var limits = BodyLimits()
        var deliveries = 0
    }

    private let state = Lock(State())

    /// The sizes to keep to.
    var limits: BodyLimits { self.state.withLock { $0.limits } }

    /// The number of requests that it has accepted. If it has grown, records pass.
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

/// Makes the request for as many of a batch's records as may be sent at a time.
struct RequestComposer {
    /// What bounds a request.
    struct Limits: Equatable {
        /// The bytes of its body as it goes over the wire.
        var wire: Int
        /// The bytes of its body before compression.
        var raw = Int.max
    }

    /// A request and the records in it.
    struct Composed {
        var made: RequestFactory.Made
        var records: Range<Int>

        var wireBytes: Int { self.made.request.body.count }
    }

    let requests: RequestFactory
    let budget: ByteBudget
    /// In the last request, for each byte of the batch: the bytes sent, and the bytes before compression.
    private var wireRatio = 0.0
    private var rawRatio = 0.0

    init(requests: RequestFactory, budget: ByteBudget) {
        self.requests = requests
        self.budget = budget
    }

    /// The request for `records`, or for the first of them if all are too much; for one record in any case. The memory
    /// of the request is charged.
    ///
    /// The size of a request is known only when it is made. If it is too large, it is not sent, but made again with
    /// fewer records.
    mutating func compose(_ batch: Batch, _ records: Range<Int>, within limits: Limits) -> Composed {
        var records = self.first(of: records, in: batch, bytes: self.estimate(within: limits))
        while true {
            let size = batch.bodyBytes(of: records)
            let made = self.make(batch, records, size: size)
            let wire = made.request.body.count
            self.wireRatio = Double(wire) / Double(size)
            self.rawRatio = Double(made.rawBytes) / Double(size)
            guard wire > limits.wire || made.rawBytes > limits.raw, records.count > 1 else {
                return Composed(made: made, records: records)
            }
            self.budget.release(made.heldBytes)
            let most = records.count - max(records.count / 16, 1)
            records = self.first(
                of: records.lowerBound..<records.lowerBound + most,
                in: batch,
                bytes: self.estimate(within: limits)
            )
        }
    }

    /// Charges the most memory that is held meanwhile, and after that what the request holds.
    private func make(_ batch: Batch, _ records: Range<Int>, size: Int) -> RequestFactory.Made {
        let copy = records == batch.all ? 0 : size
        let peak = copy + self.requests.peakBytes(for: size)
        self.budget.charge(peak)
        let made = batch.withBody(of: records) { self.requests.request(for: $0) }
        self.budget.release(peak - made.heldBytes)
        return made
    }

    /// How many bytes of a batch stay within the limits, estimated from the last request.
    private func estimate(within limits: Limits) -> Int {
        func bytes(_ limit: Int, _ ratio: Double) -> Double { ratio > 0 ? Double(limit) / ratio : .infinity }
        let most = min(bytes(limits.wire, self.wireRatio), bytes(limits.raw, self.rawRatio))
        return most < 1e15 ? Int(most) : .max
    }

    private func first(of records: Range<Int>, in batch: Batch, bytes: Int) -> Range<Int> {
        records.lowerBound..<records.lowerBound + batch.count(of: records, within: bytes)
    }
}

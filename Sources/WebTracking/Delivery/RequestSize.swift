// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How much a topic sends at a time: less after a timeout, more after successes.
///
/// Sizes are those of bodies as they go over the wire. A success says how many bytes the way to the service carries in half
/// of the request timeout, and no request is larger than that. A timeout divides the next request by four, down to one
/// record, since the link may still be busy with the body that was given up; what timed out is not tried again at once:
/// above half of it, requests grow by a fixed step for each success. A small request that times out says little of the bytes
/// that the way carries, unless still smaller ones pass; where nothing has passed before a timeout, small requests grow quickly after it.
///
/// Something on the way may lose patience sooner: the third failure in a row that took its time counts as a timeout, too.
struct RequestSize: Sendable {
    /// What is sent while nothing is known, and first after an outage.
    static let first = 64 << 10
    /// A request smaller than this says little about the bytes that the way carries: what it takes is mostly latency.
    private static let telling = 8 << 10
    /// Slow answers to requests of at most this size do not make requests smaller: their size is not what takes the time.
    private static let floor = 32 << 10
    /// What a success adds at most to the bound that a timeout has left, and to small requests that are slow.
    private static let step = 4 << 10
    private static let smallStep = 1 << 10
    /// A failure that took so long may be for the size of the request; a broken connection is usually noticed sooner.
    private static let long = Duration.seconds(1)

    private let timeout: Duration
    /// The most bytes that the next request should have.
    private(set) var limit = RequestSize.first
    /// Above this a request has timed out.
    private var ceiling = Int.max
    /// Whether that is because of its size, since smaller ones passed before it.
    private var isProven = false
    /// The bytes of the last request that was taken.
    private var passed: Int?
    /// How many attempts in a row had no answer, how many of the last ones took their time, and whether the last one
    /// timed out.
    private var failures = 0
    private var longFailures = 0
    private var hasTimedOut = false
    private var isSlow = false

    init(timeout: Duration) {
        self.timeout = timeout
    }

    /// Whether requests come and go quickly, so that a backlog may make larger ones.
    var isQuick: Bool { !self.isSlow && !self.hasTimedOut }

    /// Whether an attempt without success that took so long is counted as a timeout, whatever its error says.
    func isTimeout(_ took: Duration) -> Bool { took * 2 >= self.timeout }

    /// The service took a request.
    mutating func succeeded(bytes: Int, took: Duration) {
        let bytes = max(bytes, 1)
        let half = self.timeout / 2
        let grown = max(self.product(bytes, 4), Self.telling * 2)
        if took >= half || bytes >= Self.telling {
            let ratio = Double(half.wholeNanoseconds) / Double(max(took.wholeNanoseconds, 1))
            let carried = Int(min(Double(bytes) * ratio, Double(1 << 40)))
            let isFloor = took >= half && carried < Self.floor
            let fitting = isFloor ? max(carried, min(bytes, Self.floor) + Self.smallStep) : carried
            self.limit = min(fitting, max(self.limit, grown))
        } else {
            self.limit = max(self.limit, grown)
        }
        self.isSlow = took * 8 >= self.timeout
        if self.ceiling != .max, self.product(bytes, 2) >= self.ceiling {
            let isDoubtful = !self.isProven && self.ceiling < Self.first && !self.isSlow
            self.ceiling += isDoubtful ? self.ceiling / 2 + 64 : min(Self.step, self.ceiling / 16 + 64)
        }
        self.limit = max(min(self.limit, self.ceiling), 1)
        self.passed = bytes
        self.failures = 0
        self.longFailures = 0
        self.hasTimedOut = false
    }

    /// A request had no answer within its time, or only one that says so.
    mutating func timedOut(bytes: Int) { self.shrink(bytes: bytes, isForSize: true) }

    private mutating func shrink(bytes: Int, isForSize: Bool) {
        // While one after the other times out, nobody may be listening: only the first says something of the size.
        if !self.hasTimedOut {
            if let passed, bytes >= self.product(passed, 2) {
                self.ceiling = max(min(self.ceiling, bytes / 2), 1)
                self.isProven = true
            } else if isForSize, bytes >= Self.telling {
                self.ceiling = min(self.ceiling, max(bytes / 2, Self.telling))
                self.isProven = self.passed != nil
            }
        }
        self.limit = max(min(self.limit, bytes, Self.first) / 4, 1)
        self.hasTimedOut = true
        self.failures += 1
    }

    /// A request failed for another reason. What is lost with one answer is sent again as it was; after an outage, a small
    /// request comes first. With `hasAnswer` the service said so, and has read it all.
    mutating func failed(bytes: Int, took: Duration, hasAnswer: Bool) {
        let isLong = !hasAnswer && took >= min(Self.long, self.timeout / 8)
        self.longFailures = isLong ? self.longFailures + 1 : 0
        // Of hosts that are not there one hears after seconds, too: where larger ones have passed it is not for the size.
        if self.longFailures > 2 {
            return self.shrink(bytes: bytes, isForSize: self.passed.map { $0 <= bytes } ?? false)
        }
        self.failures += 1
        if self.failures > 1 { self.limit = min(self.limit, Self.first) }
    }

    private func product(_ bytes: Int, _ factor: Int) -> Int {
        let (product, isBeyond) = bytes.multipliedReportingOverflow(by: factor)
        return isBeyond ? .max : product
    }
}

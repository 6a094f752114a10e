// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides, request by request, what a rehearsal does to it.
///
/// It has no clock: each call passes the time, in seconds since the settings apply.
struct RehearsalPlan: Sendable {
    struct Request: Sendable {
        var index: Int
        var rawBytes: Int
        var logCount: Int
        var project = ""
        var logstore: String
        var topic: String
        /// The hash key, of 32 hexadecimal digits, whose shard takes it; `nil` for any.
        var key: String?
    }

    struct Verdict: Sendable, Equatable {
        /// What goes wrong; `nil` for nothing.
        var fault: Fault?
        /// How much later the answer comes.
        var delay: Duration = .zero
    }

    let settings: RehearsalSettings
    private let errors: FaultPlan
    /// Of each logstore, by project and name.
    private var shards: [[String]: Shards] = [:]

    init(_ settings: RehearsalSettings) {
        self.settings = settings
        self.errors =
            settings.errorShare > 0
            ? .random(share: settings.errorShare, of: settings.errorKinds.compactMap(Fault.named), seed: settings.seed)
            : .none
    }

    /// - Parameter chance: From 0 to 1, for what is left to chance.
    mutating func verdict(for request: Request, at seconds: Double, chance: Double) -> Verdict {
        let delay = Duration.milliseconds(Double(self.settings.latency) + chance * Double(self.settings.jitter))
        return Verdict(fault: self.fault(for: request, at: seconds), delay: delay)
    }

    private mutating func fault(for request: Request, at seconds: Double) -> Fault? {
        if self.settings.outage?.contains(seconds) == true { return .resetBeforeStore }
        if self.settings.trackingOff?.contains(seconds) == true { return .answer(.trackingOff(request.logstore)) }
        if let limit = self.settings.maximumBytes, request.rawBytes > limit {
            return .answer(
                .bodyTooLarge("The body of \(request.rawBytes) bytes must not be over \(limit).", status: 413)
            )
        }
        if let limit = self.settings.maximumLogs, request.logCount > limit {
            return .answer(.bodyTooLarge("The request holds over \(limit) logs."))
        }
        if let fault = self.quotaFault(for: request, at: seconds) { return fault }
        return self.errors.fault(
            for: FaultPlan.Request(
                index: request.index,
                logstore: request.logstore,
                topic: request.topic,
                logCount: request.logCount
            )
        )
    }

    /// The service spreads requests over the shards, if they have no key; each has a quota of its own.
    private mutating func quotaFault(for request: Request, at seconds: Double) -> Fault? {
        guard self.settings.shards > 0 else { return nil }
        let logstore = [request.project, request.logstore]
        // Whoever makes up names must not fill the memory; nor would the service have that many.
        if self.shards.count >= 1_000, self.shards[logstore] == nil { self.shards.removeAll() }
        if self.shards[logstore, default: Shards(self.settings)].take(request, at: seconds) { return nil }
        return Fault.named("shard-quota")
    }
}

/// The shards of one logstore, which take turns, or those writes whose keys are in their range.
private struct Shards: Sendable {
    private var shards: [Shard]
    private var next = 0

    init(_ settings: RehearsalSettings) {
        let shard = Shard(
            bytes: Allowance(perSecond: Double(settings.shardBytes)),
            requests: Allowance(perSecond: Double(settings.shardRequests))
        )
        self.shards = [Shard](repeating: shard, count: settings.shards)
    }

    mutating func take(_ request: RehearsalPlan.Request, at seconds: Double) -> Bool {
        // Each has a range of the keys, all of the same size.
        if let key = request.key, let start = UInt64(key.prefix(16), radix: 16) {
            let shard = Int(start.multipliedFullWidth(by: UInt64(self.shards.count)).high)
            return self.shards[shard].take(request.rawBytes, at: seconds)
        }
        defer { self.next = (self.next + 1) % self.shards.count }
        return self.shards[self.next].take(request.rawBytes, at: seconds)
    }
}

/// What one shard has left to take.
private struct Shard: Sendable {
    var bytes: Allowance
    var requests: Allowance

    mutating func take(_ bytes: Int, at seconds: Double) -> Bool {
        self.bytes.refill(at: seconds)
        self.requests.refill(at: seconds)
        guard self.bytes.left > 0, self.requests.left >= 1 else { return false }
        // A request goes through as long as anything is left, or one larger than a second's worth never would.
        self.bytes.left -= Double(bytes)
        self.requests.left -= 1
        return true
    }
}

/// A bucket of tokens that holds a second's worth.
private struct Allowance: Sendable {
    let perSecond: Double
    var left: Double
    private var time = 0.0

    init(perSecond: Double) {
        self.perSecond = perSecond
        self.left = perSecond
    }

    mutating func refill(at seconds: Double) {
        self.left = min(self.perSecond, self.left + (seconds - self.time) * self.perSecond)
        self.time = seconds
    }
}

extension Duration {
    fileprivate static func milliseconds(_ value: Double) -> Duration { .microseconds(Int64(value * 1_000)) }
}

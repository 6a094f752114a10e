// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How an endpoint misbehaves, as the service can.
public struct RehearsalSettings: Sendable, Equatable {
    /// Seconds, counted from when the settings are applied.
    public struct Window: Sendable, Equatable {
        public var start: Double
        public var length: Double

        public init(start: Double, length: Double) {
            self.start = start
            self.length = length
        }

        func contains(_ seconds: Double) -> Bool { seconds >= self.start && seconds < self.start + self.length }
    }

    /// How many shards the logstores have; 0 for no quota at all.
    public var shards = 0
    /// What a shard takes a second, before compression. The service's own numbers.
    public var shardBytes = 5_000_000
    public var shardRequests = 500
    /// How much later than it could the endpoint answers, in milliseconds, and how much later at most by chance.
    public var latency = 0
    public var jitter = 0
    /// The share of valid requests that go wrong, and how: see ``Fault/kinds``.
    public var errorShare = 0.0
    public var errorKinds = ["500", "reset"]
    /// Another number picks other requests.
    public var seed: UInt64 = 1
    /// When connections are reset.
    public var outage: Window?
    /// When web tracking is off, and the answer is 401.
    public var trackingOff: Window?
    /// How many seconds after its last write a hash key is forgotten, so that a write of it may be stored twice; `nil` for
    /// not as long as there are logs of it. How long the service remembers keys is not known.
    public var forgetKeys: Double?
    /// The most bytes, before compression, and the most logs of a request; `nil` for the limits of the endpoint.
    public var maximumBytes: Int?
    public var maximumLogs: Int?

    public init() {}

    /// What is wrong with them, for people; `nil` if nothing is.
    public var problem: String? {
        func within(_ value: Int, _ range: ClosedRange<Int>) -> Bool { range.contains(value) }
        if !within(self.shards, 0...1_000) { return "There can be 0 to 1000 shards." }
        if !within(self.shardBytes, 1...1_000_000_000_000) || !within(self.shardRequests, 1...1_000_000) {
            return "The quota of a shard has to be at least 1."
        }
        if !within(self.latency, 0...600_000) || !within(self.jitter, 0...600_000) {
            return "Latency and jitter have to be from 0 to 600000 milliseconds."
        }
        if !(0...1).contains(self.errorShare) { return "The share of errors has to be from 0 to 1." }
        if let kind = self.errorKinds.first(where: { Fault.named($0) == nil }) {
            return "There is no fault called \"\(kind)\"."
        }
        if self.errorShare > 0, self.errorKinds.isEmpty { return "Say what goes wrong, or choose a share of 0." }
        for window in [self.outage, self.trackingOff].compactMap(\.self) {
            guard (0...86_400).contains(window.start), (0...86_400).contains(window.length) else {
                return "A window has to begin within a day, and last up to a day."
            }
        }
        if let seconds = self.forgetKeys, !(0...31_536_000).contains(seconds) {
            return "Keys can be forgotten after 0 seconds to a year."
        }
        if let bytes = self.maximumBytes, bytes < 1 { return "The most bytes of a request have to be at least 1." }
        if let logs = self.maximumLogs, logs < 1 { return "The most logs of a request have to be at least 1." }
        return nil
    }
}

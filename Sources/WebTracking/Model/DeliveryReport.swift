// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What a flush or a shutdown brought about.
public struct DeliveryReport: Sendable, Equatable, CustomStringConvertible {
    /// Records that the service took while the call lasted.
    public var delivered: Int
    /// Records given up while the call lasted, by reason. After a shutdown, those that were left are among them, and always
    /// those that ``WebTrackingConfiguration/sampling`` was to leave out.
    public var dropped: [DropReason: Int]
    /// Records that were not settled when the call ended. After a shutdown, those of them that are not ``spooled`` are
    /// also among ``dropped``, as ``DropReason/shutdownDeadline``.
    public var remaining: Int
    /// Of the remaining records, those that a shutdown left in the spool directory for the next start.
    public var spooled = 0
    /// Of the remaining records, those that were on their way when a shutdown's time was up: they may have been stored.
    public var inFlight = 0
    /// How long the call took.
    public var duration: Duration

    /// Whether every record was delivered but those that ``WebTrackingConfiguration/sampling`` was to leave out.
    public var isComplete: Bool {
        self.remaining == 0 && self.dropped.keys.allSatisfy { $0 == .sampled || $0 == .repeated }
    }

    /// The report in one line.
    public var description: String {
        let drops = self.dropped.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
        let dropped = drops.isEmpty ? "dropped 0" : "dropped \(drops.joined(separator: ", "))"
        let milliseconds = self.duration.wholeNanoseconds / 1_000_000
        let spooled = self.spooled > 0 ? " (\(self.spooled) in the spool)" : ""
        let inFlight = self.inFlight > 0 ? " (\(self.inFlight) in flight, which may have been stored)" : ""
        return
            "delivered \(self.delivered), \(dropped), left \(self.remaining)\(spooled)\(inFlight), in \(milliseconds) ms"
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The result of a flush or a shutdown.
public struct DeliveryReport: Sendable, Equatable, CustomStringConvertible {
    /// Records that the service took while the call lasted.
    public var delivered: Int
    /// Records that were dropped while the call lasted, by reason. After a shutdown, they include the records that were
    /// left. They always include those that ``WebTrackingConfiguration/sampling`` left out on purpose.
    public var dropped: [DropReason: Int]
    /// Records that were not settled when the call ended. After a shutdown, those of them that are not ``spooled`` are
    /// also counted in ``dropped``, as ``DropReason/shutdownDeadline``.
    public var remaining: Int
    /// The part of the remaining records that a shutdown left in the spool directory for the next start.
    public var spooled = 0
    /// The part of the remaining records that were in flight at the end of a shutdown. The service may have stored
    /// them.
    public var inFlight = 0
    /// How long the call took.
    public var duration: Duration

    /// Whether every record was delivered, except those that ``WebTrackingConfiguration/sampling`` left out on purpose.
    public var isComplete: Bool {
        self.remaining == 0 && self.dropped.keys.allSatisfy { $0 == .sampled || $0 == .repeated }
    }

    /// The report in one line.
    public var description: String {
        let drops = self.dropped.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
        let dropped = drops.isEmpty ? "dropped 0" : "dropped \(drops.joined(separator: ", "))"
        let milliseconds = self.duration.saturatedNanoseconds / 1_000_000
        let spooled = self.spooled > 0 ? " (\(self.spooled) in the spool)" : ""
        let inFlight = self.inFlight > 0 ? " (\(self.inFlight) in flight, which may have been stored)" : ""
        return
            "delivered \(self.delivered), \(dropped), left \(self.remaining)\(spooled)\(inFlight), in \(milliseconds) ms"
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The parts that all topic actors of a producer share.
struct DeliveryContext: Sendable {
    let clock: any ProducerClock
    let transport: any WebTrackingTransport
    let requests: RequestFactory
    let retryPolicy: RetryPolicy
    let slots: RequestSlots
    /// Abandons calls of the transport that never return; `nil` for no deadline.
    let exchangeDeadline: ExchangeDeadline?
    let budget: ByteBudget
    let clockWatch = ClockWatch()
    let destination: Destination
    /// The names of the fields with the label and the sequence number, for the diagnostic of a refused record.
    let fields: FieldMapping
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    let observer: any DeliveryObserver
    /// Uniform in 0..<1.
    let random: @Sendable () -> Double
    /// How long a topic may be idle before its worker ends.
    let idleTimeout: Duration
    /// The time between two attempts to place an announcement that found no room.
    let announcementInterval: Duration
    /// Encodes a record that reports drops; `nil` once the producer is gone.
    let announcement: @Sendable (DropCounts) -> SyntheticRecord?
    /// Makes room in the spool for a record of this rank.
    let evict: @Sendable (Int) -> Void
    /// Removes an idle queue. Returns `false` if it is not idle.
    let retire: @Sendable (TopicQueue) -> Bool
}

/// Observes requests; for metrics.
package protocol DeliveryObserver: Sendable {
    /// A request has ended.
    func requestFinished(_ outcome: RequestOutcome, duration: Duration)
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What the topic actors of a producer share.
struct DeliveryContext: Sendable {
    let clock: any ProducerClock
    let transport: any WebTrackingTransport
    let requests: RequestFactory
    let retryPolicy: RetryPolicy
    let slots: RequestSlots
    /// Gives up calls of the transport that never return; `nil` for none.
    let exchangeDeadline: ExchangeDeadline?
    let budget: MemoryBudget
    let destination: Destination
    /// The field names by which the diagnostic of a single refused record finds its label and sequence number.
    let fields: FieldMapping
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    let observer: any DeliveryObserver
    /// Uniform in 0..<1.
    let random: @Sendable () -> Double
    /// How long a topic may be idle before its worker goes.
    let idleTimeout: Duration
    /// How often an announcement that finds no room is tried again.
    let announcementInterval: Duration
    /// Encodes a record that tells of drops; `nil` once the producer is gone.
    let announcement: @Sendable (DropCounts) -> SyntheticRecord?
    /// Makes room in the spool for a record of this rank.
    let evict: @Sendable (Int) -> Void
    /// Lets an idle buffer go; `false` if it is not idle.
    let retire: @Sendable (TopicQueue) -> Bool
}

/// Is told of each request; for metrics.
package protocol DeliveryObserver: Sendable {
    /// A request has ended.
    func requestFinished(_ outcome: RequestOutcome, duration: Duration)
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle

public import ServiceLifecycle

/// As a service, the producer stops with its group: put it first, so that it stops last.
extension WebTrackingProducer: Service {
    /// Waits for the group's graceful shutdown or for cancellation, and then delivers what is left.
    ///
    /// Records are sent before the service runs, too. The final flush lasts at most
    /// ``WebTrackingConfiguration/Delivery/shutdownTimeout``, and cancellation does not reach it: the lines that tell why
    /// another service failed are delivered as well.
    public func run() async throws {
        // Throws when the task is cancelled, which is the other reason to stop.
        try? await gracefulShutdown()
        await self.shutdown(timeout: self.configuration.delivery.shutdownTimeout)
    }
}

#endif

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle

public import ServiceLifecycle

/// As a service, the producer stops with its group: put it first, so that it stops last.
extension WebTrackingProducer: Service {
    /// Waits for the group's graceful shutdown or for cancellation, and then delivers what is left.
    ///
    /// Records are also sent before the service runs. The final flush lasts at most
    /// ``WebTrackingConfiguration/Delivery/shutdownTimeout``. Cancellation does not end it, so the lines that say why
    /// another service failed are delivered too.
    public func run() async throws {
        // Throws when the task is cancelled, which is the other reason to stop.
        try? await gracefulShutdown()
        await self.shutdown(timeout: self.configuration.delivery.shutdownTimeout)
    }
}

#endif

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle

/// Logs why a service fails.
///
/// The error also ends the process, and is printed then. But only here, inside the group, the producer still runs, so that
/// the line reaches those who look into the log and not at the machine.
struct FailureLog<Base: Service>: Service {
    var base: Base
    var logger = Logger(label: "service.failure")

    func run() async throws {
        do {
            try await self.base.run()
        } catch let error as CancellationError {
            // Not a failure: another service failed, and this one was told to end.
            throw error
        } catch {
            self.logger.critical("service failed", error: error)
            throw error
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle

/// Says at the end how many orders were taken.
///
/// It stands between the producer and the server in the service group. So it stops after the server has answered its
/// last request, and before the producer makes its final flush, which delivers the line.
struct ClosingReport: Service {
    var store: OrderStore
    var logger = Logger(label: "orders.closing")

    func run() async throws {
        // Throws when the group is cancelled, which is an end as well.
        try? await gracefulShutdown()
        let count = await self.store.count
        self.logger.notice("shop closed", metadata: ["orders": "\(count)"])
    }
}

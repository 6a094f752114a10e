// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle

/// Says at the end what is left in stock.
///
/// It stands between the producer and the server in the service group. So it stops after the server has answered its
/// last call, and before the producer makes its final flush, which delivers the line.
struct StockTaking: Service {
    var room: StockRoom
    var logger = Logger(label: "stock.taking")

    func run() async throws {
        // Throws when the group is cancelled, which is an end as well.
        try? await gracefulShutdown()
        let items = await self.room.items
        self.logger.notice("stock taken", metadata: ["left": "\(items.map(\.count).reduce(0, +))"])
    }
}

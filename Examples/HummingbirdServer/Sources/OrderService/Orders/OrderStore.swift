// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

/// Keeps the orders in memory.
///
/// It knows nothing of requests or traces. Still, what it logs while it works for a request carries the request's trace,
/// because the metadata provider looks at the
/// task's `ServiceContext`.
actor OrderStore {
    private var orders: [Order] = []
    private let logger = Logger(label: "orders.store")

    /// Takes an order, and gives it the next number.
    func place(_ new: NewOrder) throws -> Order {
        try new.validate()
        let order = Order(id: self.orders.count + 1, item: new.item, quantity: new.quantity)
        self.orders.append(order)
        self.logger.info(
            "order placed",
            metadata: ["order": ["id": "\(order.id)", "item": "\(order.item)", "quantity": "\(order.quantity)"]]
        )
        return order
    }

    /// The order with this number.
    func order(id: Int) throws -> Order {
        guard self.orders.indices.contains(id - 1) else { throw OrderError.notFound(id: id) }
        let order = self.orders[id - 1]
        self.logger.debug("order found", metadata: ["order.id": "\(order.id)"])
        return order
    }

    /// The newest orders, the newest first.
    func newest(_ limit: Int) -> [Order] {
        self.orders.suffix(limit).reversed()
    }

    /// How many orders there are.
    var count: Int { self.orders.count }
}

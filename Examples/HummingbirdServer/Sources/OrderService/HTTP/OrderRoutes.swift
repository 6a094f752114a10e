// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// The service's routes: no line in here is about logging.
struct OrderRoutes {
    var store: OrderStore

    /// The router, with all that happens to a request.
    static func router(store: OrderStore, counter: RequestCounter) -> Router<BasicRequestContext> {
        let router = Router()
        // The request's id and its trace come first, so that the request's own line has them.
        router.addMiddleware {
            RequestIDMiddleware()
            TracingMiddleware()
            TraceResponseMiddleware()
            RequestLogMiddleware(counter: counter)
        }
        router.get("health") { _, _ in "ok\n" }
        OrderRoutes(store: store).add(to: router.group("orders"))
        return router
    }

    private func add(to group: RouterGroup<BasicRequestContext>) {
        group.post(use: self.place)
        group.get(use: self.list)
        group.get(":id", use: self.show)
    }

    @Sendable private func place(
        _ request: Request,
        context: BasicRequestContext
    ) async throws -> EditedResponse<Order> {
        let new = try await request.decode(as: NewOrder.self, context: context)
        let order = try await self.store.place(new)
        return EditedResponse(status: .created, headers: [.location: "/orders/\(order.id)"], response: order)
    }

    @Sendable private func list(_ request: Request, context: BasicRequestContext) async throws -> [Order] {
        await self.store.newest(20)
    }

    @Sendable private func show(_ request: Request, context: BasicRequestContext) async throws -> Order {
        let text = try context.parameters.require("id")
        guard let id = Int(text) else { throw OrderError.invalidID(text) }
        return try await self.store.order(id: id)
    }
}

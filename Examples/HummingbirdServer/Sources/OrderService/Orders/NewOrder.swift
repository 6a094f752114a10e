// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// An order as a client sends it.
struct NewOrder: Sendable, Equatable, Codable {
    var item: String
    var quantity: Int

    /// Throws ``OrderError/invalid(field:rule:)`` for an order that nobody can fulfil.
    func validate() throws {
        guard (1...100).contains(self.item.count) else {
            throw OrderError.invalid(field: "item", rule: "has from 1 to 100 characters")
        }
        guard (1...1000).contains(self.quantity) else {
            throw OrderError.invalid(field: "quantity", rule: "is from 1 to 1000")
        }
    }
}

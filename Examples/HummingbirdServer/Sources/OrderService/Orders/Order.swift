// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// An order that the shop has taken.
struct Order: Sendable, Equatable, ResponseCodable {
    var id: Int
    var item: String
    var quantity: Int
}

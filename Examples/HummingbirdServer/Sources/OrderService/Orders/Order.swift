//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Hummingbird

/// An order that the shop has taken.
struct Order: Sendable, Equatable, ResponseCodable {
    var id: Int
    var item: String
    var quantity: Int
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

/// Twenty log statements in turn, as a service has them in one loop.
///
/// Their lines are given, not where they stand, to have pairs that are 31 apart: lines and lengths are the cheapest
/// things to tell statements apart by, and what goes by them alone takes these for each other.
enum Statements {
    @inline(__always)
    static func log(_ index: Int, to logger: Logger) {
        self.log(index, line: self.lines[index % self.lines.count], to: logger)
    }

    private static let lines: [UInt] = (20..<30).flatMap { [$0, $0 + 31] }

    @inline(never)
    private static func log(_ index: Int, line: UInt, to logger: Logger) {
        logger.info(
            "the order has been taken on",
            metadata: ["attempt": "\(index & 7)"],
            file: "OrderServiceOfTheShop/OrderRoutes.swift",
            function: "takeOn(_:)",
            line: line
        )
    }
}

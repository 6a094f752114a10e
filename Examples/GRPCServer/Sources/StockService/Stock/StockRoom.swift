// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Logging

/// Keeps the stock in memory; it knows nothing of calls.
actor StockRoom {
    private var counts: [String: Int]
    private let logger = Logger(label: "stock.room")

    init(_ counts: [String: Int]) {
        self.counts = counts
    }

    /// Everything in stock, by name.
    var items: [StockItem] {
        self.counts.sorted { $0.key < $1.key }.map { StockItem(name: $0.key, count: $0.value) }
    }

    /// Takes some out; throws ``StockError`` if there is not as much.
    func take(_ count: Int, of name: String) throws -> StockItem {
        guard let stock = self.counts[name] else { throw StockError.unknown(name) }
        guard (1...stock).contains(count) else { throw StockError.notAvailable(name, asked: count, left: stock) }
        self.counts[name] = stock - count
        self.logger.info("item taken", metadata: ["item": "\(name)", "count": "\(count)", "left": "\(stock - count)"])
        return StockItem(name: name, count: stock - count)
    }
}

/// Why something cannot be taken; the client is told as well.
enum StockError: Error, CustomStringConvertible, RPCErrorConvertible {
    case unknown(String)
    case notAvailable(String, asked: Int, left: Int)

    var description: String {
        switch self {
        case .unknown(let name): "there is no \(name)"
        case .notAvailable(let name, let asked, let left): "\(asked) \(name) asked for, \(left) left"
        }
    }

    var rpcErrorCode: RPCError.Code {
        switch self {
        case .unknown: .notFound
        case .notAvailable: .failedPrecondition
        }
    }

    var rpcErrorMessage: String { self.description }
}

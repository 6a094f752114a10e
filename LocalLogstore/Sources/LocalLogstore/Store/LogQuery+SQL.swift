//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Foundation
import GRDB

extension LogQuery {
    /// A SELECT of `columns` from both tables, with its arguments.
    func request(columns: String) -> SQLRequest<Row> {
        var conditions: [String] = []
        var arguments = StatementArguments()
        func require(_ condition: String, _ values: (any DatabaseValueConvertible)...) {
            conditions.append(condition)
            arguments += StatementArguments(values)
        }
        if let logstore = self.logstore { require("requests.logstore = ?", logstore) }
        if let topic = self.topic { require("requests.topic = CAST(? AS TEXT)", Data(topic.utf8)) }
        if let from = self.from { require("requests.received_at >= ?", from.microseconds) }
        if let until = self.until { require("requests.received_at < ?", until.microseconds) }
        for field in self.fields {
            require("has_field(logs.fields, ?, ?)", Data(field.name.utf8), Data(field.value.utf8))
        }
        var sql = "SELECT \(columns) FROM logs JOIN requests ON requests.id = logs.request_id"
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        sql += " ORDER BY logs.id " + (self.order == .arrival ? "ASC" : "DESC")
        if let limit = self.limit {
            sql += " LIMIT ?"
            arguments += [limit]
        }
        return SQLRequest(sql: sql, arguments: arguments)
    }

    /// `has_field(fields, name, value)`: SQLite's own JSON functions cannot address every name.
    static let hasField = DatabaseFunction("has_field", argumentCount: 3, pure: true) { values in
        guard let json = String.fromDatabaseValue(values[0]), let name = Data.fromDatabaseValue(values[1]),
            let value = Data.fromDatabaseValue(values[2])
        else { return false }
        return LogFields(validated: json).fields.contains {
            $0.name.utf8.elementsEqual(name) && $0.value.utf8.elementsEqual(value)
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A statement as SQL on the rows of a search. Each value and each name of a field is bound; of the statement's own text
/// nothing is left.
extension SelectStatement {
    /// - Parameter rows: SQL for rows of `at`, `kind`, `request_id` and `fields`.
    func condition(on rows: Condition) -> Condition {
        var sql = "SELECT "
        var arguments: [SQLArgument] = []
        func append(_ parts: [Condition]) {
            sql += parts.map(\.sql).joined(separator: ", ")
            arguments += parts.flatMap(\.arguments)
        }
        func condition(_ term: Term) -> Condition {
            switch term {
            case .column(let index): Condition(sql: "\(index + 1)")
            case .expression(let expression): expression.condition
            }
        }
        append(self.columns.map(\.expression.condition))
        sql += " FROM (\(rows.sql))"
        arguments += rows.arguments
        if !self.groups.isEmpty {
            sql += " GROUP BY "
            append(self.groups.map(condition))
        }
        if !self.orders.isEmpty {
            sql += " ORDER BY "
            append(
                self.orders.map { order in
                    var term = condition(order.term)
                    // What is not there is last either way.
                    term.sql += order.isDescending ? " DESC NULLS LAST" : " ASC NULLS LAST"
                    return term
                }
            )
        }
        // One more shows that there are more.
        return Condition(sql: sql + " LIMIT ?", arguments: arguments + [.int(Int64(self.limit) + 1)])
    }
}

extension SelectExpression {
    fileprivate var condition: Condition {
        switch self {
        case .field(let name): name.value
        case .time: Self.seconds
        case .text(let text): Condition(sql: "?", arguments: [.text(text)])
        case .integer(let number): Condition(sql: "?", arguments: [.int(number)])
        case .real(let number): Condition(sql: "?", arguments: [.real(number)])
        case .countAll: Condition(sql: "count(*)")
        case .countDistinct(let part): part.condition.wrapped("count(DISTINCT ", ")")
        case .percentile(let part, let share):
            Condition(
                sql: "percentile(\(part.number.sql), ?)",
                arguments: part.number.arguments + [.real(share)]
            )
        case .truncated(let unit): unit.condition(Self.seconds)
        case .call(.approxDistinct, let parts): parts[0].condition.wrapped("count(DISTINCT ", ")")
        case .call(let function, let parts):
            Self.joined(parts.map { function.takesNumbers ? $0.number : $0.condition }, ", ")
                .wrapped("\(function.rawValue)(", ")")
        case .binary(.modulo, let left, let right):
            // SQLite's own sign makes whole numbers of both.
            Self.joined([left.number, right.number], ", ").wrapped("remainder(", ")")
        case .binary(let sign, let left, let right):
            Self.joined([left.number, right.number], " \(sign.rawValue) ").wrapped("(", ")")
        case .negative(let part): part.number.wrapped("(- ", ")")
        }
    }

    private static var seconds: Condition { Condition(sql: "(at / 1000000)") }

    /// As a number; of a text that is none, NULL.
    private var number: Condition {
        self.isText ? self.condition.wrapped("finite(", ")") : self.condition
    }

    private static func joined(_ parts: [Condition], _ separator: String) -> Condition {
        Condition(sql: parts.map(\.sql).joined(separator: separator), arguments: parts.flatMap(\.arguments))
    }
}

extension SelectExpression.Unit {
    /// In UTC, as all times are kept. The first day of 1970 was a Thursday; a week begins on Monday.
    fileprivate func condition(_ time: Condition) -> Condition {
        func steps(_ seconds: Int, offset: Int = 0) -> Condition {
            Condition(
                sql: "(\(time.sql) - (\(time.sql) + \(offset)) % \(seconds))",
                arguments: time.arguments + time.arguments
            )
        }
        return switch self {
        case .second: time
        case .minute: steps(60)
        case .hour: steps(3600)
        case .day: steps(86_400)
        case .week: steps(604_800, offset: 259_200)
        case .month: time.wrapped("CAST(strftime('%s', ", ", 'unixepoch', 'start of month') AS INTEGER)")
        }
    }
}

extension FieldName {
    /// On a row of a log.
    fileprivate var value: Condition {
        switch self {
        case .topic: Condition(sql: "(SELECT topic FROM kinds WHERE kinds.id = kind)")
        case .source: Condition(sql: "(SELECT source FROM requests WHERE requests.id = request_id)")
        case .tag(let name):
            Condition(
                sql: "(SELECT field(tags, ?) FROM requests WHERE requests.id = request_id)",
                arguments: [.text(name)]
            )
        case .log(let name): Condition(sql: "field(fields, ?)", arguments: [.text(name)])
        }
    }
}

extension Condition {
    fileprivate func wrapped(_ before: String, _ after: String) -> Self {
        Self(sql: before + self.sql + after, arguments: self.arguments)
    }
}

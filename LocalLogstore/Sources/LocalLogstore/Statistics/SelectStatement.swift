// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What to compute from the logs of a search: what stands behind its `|`.
///
/// It is what ``init(parsing:from:)`` makes of a part of the service's SQL. No text of it becomes SQL: that is made anew
/// from this value.
public struct SelectStatement: Sendable, Equatable {
    /// One column of the result.
    struct Column: Sendable, Equatable {
        var name: String
        var expression: SelectExpression
    }

    /// What rows are grouped or sorted by.
    enum Term: Sendable, Equatable {
        /// A column of the result, from 0.
        case column(Int)
        case expression(SelectExpression)
    }

    struct Order: Sendable, Equatable {
        var term: Term
        var isDescending = false
    }

    /// The service's own default.
    static let defaultLimit = 100
    /// The most rows of a result.
    public static let maximumLimit = 10_000

    var columns: [Column]
    var groups: [Term] = []
    var orders: [Order] = []
    var limit = Self.defaultLimit

    /// What a term stands for.
    func expression(of term: Term) -> SelectExpression {
        switch term {
        case .column(let index): self.columns[index].expression
        case .expression(let expression): expression
        }
    }

    /// Whether logs are taken together, and not shown one by one.
    var isAggregated: Bool {
        !self.groups.isEmpty || self.columns.contains { $0.expression.isAggregated }
            || self.orders.contains { self.expression(of: $0.term).isAggregated }
    }
}

/// A value of a row.
indirect enum SelectExpression: Sendable, Equatable {
    enum Operator: String, Sendable {
        case plus = "+"
        case minus = "-"
        case times = "*"
        case divided = "/"
        case modulo = "%"
    }

    /// What time is cut to.
    enum Unit: String, Sendable, CaseIterable {
        case second, minute, hour, day, week, month
    }

    case field(FieldName)
    /// The time of the log in seconds since 1970: `__time__`.
    case time
    case text(String)
    case integer(Int64)
    case real(Double)
    case countAll
    case countDistinct(Self)
    case percentile(Self, Double)
    /// `__time__`, cut.
    case truncated(Unit)
    case call(SelectFunction, [Self])
    case binary(Operator, Self, Self)
    case negative(Self)

    /// Whether it is a text, which counts as a number only if it is one.
    var isText: Bool {
        switch self {
        case .field, .text: true
        case .call(let function, let arguments): function.isText ?? arguments.contains(where: \.isText)
        default: false
        }
    }

    /// Whether it is a time in seconds since 1970: `date_trunc('minute', __time__)`, `__time__ - __time__ % 60`, or the
    /// first or last of them.
    var isTime: Bool {
        switch self {
        case .time, .truncated: true
        case .binary(.minus, .time, .binary(.modulo, .time, .integer)): true
        case .call(.min, let parts), .call(.max, let parts): parts.allSatisfy(\.isTime)
        default: false
        }
    }

    var parts: [Self] {
        switch self {
        case .field, .time, .truncated, .text, .integer, .real, .countAll: []
        case .countDistinct(let part), .percentile(let part, _), .negative(let part): [part]
        case .call(_, let parts): parts
        case .binary(_, let left, let right): [left, right]
        }
    }

    /// Whether it is made of many logs by itself.
    var isAggregate: Bool {
        switch self {
        case .countAll, .countDistinct, .percentile: true
        case .call(let function, _): function.isAggregate
        default: false
        }
    }

    /// Whether it or a part of it is.
    var isAggregated: Bool { self.isAggregate || self.parts.contains(where: \.isAggregated) }
}

/// What there is besides `count(*)`, `count(distinct …)`, `approx_percentile` and `date_trunc`.
enum SelectFunction: String, Sendable, CaseIterable {
    case count, sum, avg, min, max
    case approxDistinct = "approx_distinct"
    case abs, round, lower, upper, length, coalesce

    /// All by name, for messages.
    static let names = (["approx_percentile", "date_trunc"] + Self.allCases.map(\.rawValue)).sorted()

    var isAggregate: Bool {
        switch self {
        case .count, .sum, .avg, .min, .max, .approxDistinct: true
        case .abs, .round, .lower, .upper, .length, .coalesce: false
        }
    }

    /// Whether its result is a text; `nil` if its arguments say.
    var isText: Bool? {
        switch self {
        case .lower, .upper: true
        case .coalesce: nil
        default: false
        }
    }

    /// Whether it is of numbers, and not of texts.
    var takesNumbers: Bool {
        switch self {
        case .sum, .avg, .min, .max, .abs, .round: true
        case .count, .approxDistinct, .lower, .upper, .length, .coalesce: false
        }
    }

    /// How many arguments it takes.
    var arity: ClosedRange<Int> {
        switch self {
        case .round: 1...2
        case .coalesce: 2...10
        default: 1...1
        }
    }
}

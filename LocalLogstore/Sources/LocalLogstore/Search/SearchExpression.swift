// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What to look for in logs, as a tree.
///
/// It is what ``init(parsing:)`` makes of the search language.
public indirect enum SearchExpression: Sendable, Equatable {
    /// Every log.
    case all
    /// The words stand in some field, or in the topic. Fields that differ in every log, `time` and `seq`, are left out.
    case words(Phrase)
    /// The words stand in this field.
    case field(FieldName, Phrase)
    /// The field is exactly this.
    case exact(FieldName, String)
    /// There is such a field.
    case exists(FieldName)
    /// The field is a number, and compares like this.
    case comparison(FieldName, Comparison, Double)
    case and([Self])
    case or([Self])
    case not(Self)

    /// How a number has to compare.
    public enum Comparison: String, Sendable, CaseIterable {
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case equal = "="

        func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .less: left < right
            case .lessOrEqual: left <= right
            case .greater: left > right
            case .greaterOrEqual: left >= right
            case .equal: left == right
            }
        }
    }

    /// Both have to hold.
    func and(_ other: Self) -> Self {
        switch (self, other) {
        case (.all, let rest), (let rest, .all): rest
        case (.and(let left), let right): .and(left + [right])
        default: .and([self, other])
        }
    }
}

/// What a condition is about: a field of the log, or what its request says of all its logs.
public enum FieldName: Sendable, Equatable {
    case topic
    case source
    case tag(String)
    case log(String)

    /// From the name that queries use.
    public init(_ name: String) {
        switch name {
        case "__topic__": self = .topic
        case "__source__": self = .source
        case _ where name.hasPrefix("__tag__:"): self = .tag(String(name.dropFirst("__tag__:".count)))
        default: self = .log(name)
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A condition of SQL with the arguments for its question marks.
struct Condition: Sendable {
    var sql: String
    var arguments: [SQLArgument] = []

    static func all(_ parts: [Self]) -> Self { self.joined(parts, " AND ", "1") }

    static func joined(_ parts: [Self], _ separator: String, _ none: String) -> Self {
        guard let first = parts.first else { return Self(sql: none) }
        if parts.count == 1 { return first }
        return Self(
            sql: parts.map { "(\($0.sql))" }.joined(separator: separator),
            arguments: parts.flatMap(\.arguments)
        )
    }
}

/// How a selection is asked of the database.
struct SearchPlan: Sendable {
    /// On the kinds of logs; `nil` if all match.
    let kinds: Condition?
    /// A full-text expression that every match fulfils; `nil` if the index does not help.
    let words: String?
    /// What is left to be asked of the logs that the index finds.
    let rest: [Condition]
    /// What is to be asked without the index.
    let whole: [Condition]

    init(_ selection: LogSelection) {
        var kinds: [Condition] = []
        if let project = selection.project { kinds.append(Condition(sql: "project = ?", arguments: [.text(project)])) }
        if let logstore = selection.logstore {
            kinds.append(Condition(sql: "logstore = ?", arguments: [.text(logstore)]))
        }
        var parts = [selection.search]
        while let index = parts.firstIndex(where: { if case .and = $0 { true } else { false } }) {
            guard case .and(let inner) = parts[index] else { break }
            parts.replaceSubrange(index...index, with: inner)
        }
        parts.removeAll { $0 == .all }
        let others = parts.filter { $0.places != [.kind] }
        kinds += parts.filter { $0.places == [.kind] }.map(\.condition)
        self.kinds = kinds.isEmpty ? nil : .all(kinds)
        self.words = SearchExpression.and(others).words?.expression
        self.rest = others.filter { $0.words?.isExact != true }.map(\.conditionOfLog)
        self.whole = others.map(\.conditionOfLog)
    }

    /// Whether the kind of a log decides.
    var isOfKinds: Bool { self.whole.isEmpty }

    var kind: Condition? {
        self.kinds.map {
            Condition(sql: "kind IN (SELECT id FROM kinds WHERE \($0.sql))", arguments: $0.arguments)
        }
    }

    /// On a row of logs, besides its kind.
    func conditions(usingWords: Bool) -> [Condition] { usingWords && self.words != nil ? self.rest : self.whole }
}

// MARK: - As SQL

extension SearchExpression {
    /// The table that holds what a condition is about.
    enum Place {
        case kind
        case request
        case log
    }

    var places: Set<Place> {
        switch self {
        case .all: []
        case .words: [.log]
        case .field(let name, _), .exact(let name, _), .exists(let name), .comparison(let name, _, _): [name.place]
        case .and(let parts), .or(let parts): parts.reduce(into: []) { $0.formUnion($1.places) }
        case .not(let part): part.places
        }
    }

    /// On a row of logs.
    fileprivate var conditionOfLog: Condition {
        let places = self.places
        if places == [.kind] || places == [.request] {
            let inner = self.condition
            let sql =
                places == [.kind]
                ? "kind IN (SELECT id FROM kinds WHERE \(inner.sql))"
                : "request_id IN (SELECT id FROM requests WHERE \(inner.sql))"
            return Condition(sql: sql, arguments: inner.arguments)
        }
        switch self {
        case .and(let parts): return .joined(parts.map(\.conditionOfLog), " AND ", "1")
        case .or(let parts): return .joined(parts.map(\.conditionOfLog), " OR ", "0")
        case .not(let part):
            let inner = part.conditionOfLog
            return Condition(sql: "NOT (\(inner.sql))", arguments: inner.arguments)
        default: return self.condition
        }
    }

    /// On a row of the one table that it is about. Never NULL, which NOT would leave as it is.
    fileprivate var condition: Condition {
        switch self {
        case .all: return Condition(sql: "1")
        case .words(let phrase):
            return Condition(
                sql: """
                    any_has_words(fields, ?) OR kind IN (SELECT id FROM kinds WHERE has_words(topic, ?))
                    """,
                arguments: [.text(phrase.argument), .text(phrase.argument)]
            )
        case .field(let name, let phrase):
            return name.condition([.text(phrase.argument)]) { "has_words(\($0), ?) IS TRUE" }
        case .exact(let name, let text): return name.condition([.text(text)]) { "\($0) IS ?" }
        case .exists(.topic): return Condition(sql: "topic <> ''")
        case .exists(let name): return name.condition([]) { "\($0) IS NOT NULL" }
        case .comparison(let name, let comparison, let number):
            return name.condition([.real(number)]) { "(number(\($0)) \(comparison.rawValue) ?) IS TRUE" }
        case .and(let parts): return .joined(parts.map(\.condition), " AND ", "1")
        case .or(let parts): return .joined(parts.map(\.condition), " OR ", "0")
        case .not(let part):
            let inner = part.condition
            return Condition(sql: "NOT (\(inner.sql))", arguments: inner.arguments)
        }
    }
}

extension FieldName {
    fileprivate var place: SearchExpression.Place {
        switch self {
        case .topic, .log("level"), .log("label"): .kind
        case .source, .tag: .request
        case .log: .log
        }
    }

    /// Whether words of the field are in the index. Time and sequence number differ in every log; they would fill the
    /// index, and appear in results of searches for other things.
    fileprivate var hasWords: Bool {
        switch self {
        case .topic: true
        case .log(let name): name != "time" && name != "seq"
        case .source, .tag: false
        }
    }

    fileprivate func condition(_ arguments: [SQLArgument], _ sql: (String) -> String) -> Condition {
        switch self {
        case .topic: Condition(sql: sql("topic"), arguments: arguments)
        case .source: Condition(sql: sql("source"), arguments: arguments)
        case .log("level"): Condition(sql: sql("level"), arguments: arguments)
        case .log("label"): Condition(sql: sql("label"), arguments: arguments)
        case .tag(let name): Condition(sql: sql("field(tags, ?)"), arguments: [.text(name)] + arguments)
        case .log(let name): Condition(sql: sql("field(fields, ?)"), arguments: [.text(name)] + arguments)
        }
    }
}

// MARK: - As words

extension SearchExpression {
    /// What the full-text index can say.
    struct Words {
        var expression: String
        /// Whether every log that fulfils it matches.
        var isExact: Bool
    }

    /// Longer words are cut in the index.
    private static let maximumWordBytes = 30_000

    /// A full-text expression that every match fulfils; `nil` if there is none.
    fileprivate var words: Words? {
        switch self {
        case .all, .exists, .comparison: return nil
        case .words(let phrase):
            return Words(
                expression: phrase.expression,
                isExact: phrase.words.allSatisfy { $0.count <= Self.maximumWordBytes }
            )
        case .field(let name, let phrase):
            return name.hasWords ? Words(expression: phrase.expression, isExact: false) : nil
        case .exact(let name, let text):
            guard name.hasWords else { return nil }
            let words = WordScanner.words(of: text).prefix(20).map { String(decoding: $0, as: UTF8.self) }
            return Phrase(words.joined(separator: " ")).map { Words(expression: $0.expression, isExact: false) }
        case .and(let parts): return Self.conjunction(parts)
        case .or(let parts):
            let words = parts.compactMap(\.words)
            guard words.count == parts.count, !parts.isEmpty else { return nil }
            return Words(
                expression: "(" + words.map(\.expression).joined(separator: " OR ") + ")",
                isExact: words.allSatisfy(\.isExact)
            )
        case .not: return Self.conjunction([self])
        }
    }

    /// What is not there is taken away from what is, or from everything: the separator is in every log.
    private static func conjunction(_ parts: [Self]) -> Words? {
        var wanted: [Words] = []
        var unwanted: [Words] = []
        var isExact = true
        for part in parts {
            if case .not(let inner) = part {
                if let words = inner.words, words.isExact { unwanted.append(words) } else { isExact = false }
            } else if let words = part.words {
                wanted.append(words)
            } else if part != .all {
                isExact = false
            }
        }
        if wanted.isEmpty, unwanted.isEmpty { return nil }
        var expression = wanted.map(\.expression).joined(separator: " AND ")
        if wanted.isEmpty { expression = "\"\(StoreSchema.separator)\"" }
        if !unwanted.isEmpty {
            expression = "((\(expression)) NOT (\(unwanted.map(\.expression).joined(separator: " OR "))))"
        }
        return Words(expression: "(\(expression))", isExact: isExact && wanted.allSatisfy(\.isExact))
    }
}

extension Phrase {
    /// For the full-text index.
    fileprivate var expression: String { "\"\(self.text)\"" + (self.endsWithPrefix ? " *" : "") }
}

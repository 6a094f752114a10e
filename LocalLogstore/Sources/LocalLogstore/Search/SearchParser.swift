// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension SearchExpression {
    /// What the search language says: words and phrases, `key: value`, `key = "text"`, `key > 10`, `and`, `or`, `not`,
    /// brackets, and `*` behind the beginning of a word. Nothing, or `*` alone, is every log.
    ///
    /// Throws a ``SearchError`` that points at the first thing that makes no sense.
    public init(parsing search: String) throws(SearchError) {
        var parser = SearchParser(tokens: try SearchLexer.tokens(of: search))
        self = try parser.parse()
    }
}

/// Reads tokens by recursive descent. `and` binds more tightly than `or`; terms side by side are joined by `and`.
private struct SearchParser {
    /// SQLite's parsers keep at most 100 things in mind, and each level of a search is up to five there.
    private static let maximumDepth = 16
    private static let maximumTerms = 100

    private let tokens: [SearchLexer.Token]
    private var index = 0
    private var depth = 0
    private var terms = 0

    init(tokens: [SearchLexer.Token]) {
        self.tokens = tokens
    }

    private var token: SearchLexer.Token { self.tokens[self.index] }

    private mutating func advance() { if self.index < self.tokens.count - 1 { self.index += 1 } }

    mutating func parse() throws(SearchError) -> SearchExpression {
        if self.token.kind == .end { return .all }
        let expression = try self.alternatives()
        switch self.token.kind {
        case .end: return expression
        case .close: throw SearchError("this bracket closes nothing", at: self.token.range)
        default: throw SearchError("nothing can stand here", at: self.token.range)
        }
    }

    private mutating func alternatives() throws(SearchError) -> SearchExpression {
        var parts = [try self.conjunction()]
        while self.isKeyword("or") {
            self.advance()
            parts.append(try self.conjunction())
        }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func conjunction() throws(SearchError) -> SearchExpression {
        var expression = try self.negation()
        while true {
            if self.isKeyword("and") {
                self.advance()
            } else if self.token.kind == .end || self.token.kind == .close || self.isKeyword("or") {
                return expression
            }
            expression = expression.and(try self.negation())
        }
    }

    private mutating func negation() throws(SearchError) -> SearchExpression {
        guard self.isKeyword("not") else { return try self.primary() }
        let token = self.token
        self.advance()
        try self.enter(at: token)
        defer { self.depth -= 1 }
        return .not(try self.negation())
    }

    private mutating func primary() throws(SearchError) -> SearchExpression {
        let token = self.token
        switch token.kind {
        case .open:
            try self.enter(at: token)
            defer { self.depth -= 1 }
            self.advance()
            if self.token.kind == .close {
                throw SearchError(
                    "there is nothing in these brackets",
                    at: token.range.lowerBound..<self.token.range.upperBound
                )
            }
            let expression = try self.alternatives()
            guard self.token.kind == .close else {
                throw SearchError("this bracket is never closed", at: token.range)
            }
            self.advance()
            return expression
        case .word, .quoted:
            return try self.term()
        case .end:
            throw SearchError("a word or a condition is missing here", at: token.range)
        case .close, .colon, .comparison:
            throw SearchError("a word or a condition has to stand in front of this", at: token.range)
        }
    }

    /// A word, a phrase, or a condition on a field.
    private mutating func term() throws(SearchError) -> SearchExpression {
        let token = self.token
        if case .word(let word) = token.kind, self.isKeyword(word) {
            throw SearchError("a word or a condition has to stand in front of \"\(word)\"", at: token.range)
        }
        self.terms += 1
        guard self.terms <= Self.maximumTerms else {
            throw SearchError("a search has \(Self.maximumTerms) words and conditions at most", at: token.range)
        }
        try SearchOperators.check(self.tokens, at: self.index)
        self.advance()
        var name = Self.text(of: token.kind)
        // The names of tags hold a colon of their own.
        if name == "__tag__", self.token.kind == .colon {
            self.advance()
            guard let tag = Self.plainText(of: self.token.kind) else {
                throw SearchError("the name of a tag is missing here", at: self.token.range)
            }
            name = "__tag__:" + tag
            self.advance()
            guard self.token.kind == .colon || self.isComparison else {
                throw SearchError("a colon and a value are missing here, as in __tag__:env: prod", at: self.token.range)
            }
        }
        switch self.token.kind {
        case .colon:
            self.advance()
            return try self.match(FieldName(name))
        case .comparison(let comparison):
            self.advance()
            return try self.compare(FieldName(name), comparison)
        default:
            if case .word("*") = token.kind { return .all }
            return .words(try self.phrase(token))
        }
    }

    /// What follows a colon.
    private mutating func match(_ name: FieldName) throws(SearchError) -> SearchExpression {
        let token = self.token
        switch token.kind {
        case .word("*"):
            self.advance()
            return .exists(name)
        case .quoted(""):
            self.advance()
            return .exact(name, "")
        case .word, .quoted:
            try SearchOperators.checkValue(self.tokens, at: self.index)
            self.advance()
            if self.token.kind == .colon {
                throw SearchError("put a value that holds a colon in quotes", at: self.token.range)
            }
            return .field(name, try self.phrase(token))
        case .comparison:
            throw SearchError("a comparison needs no colon, as in status > 499", at: token.range)
        case .open:
            throw SearchError("name the field of each value: write (key: a or key: b)", at: token.range)
        default:
            throw SearchError("a value is missing here", at: token.range)
        }
    }

    private mutating func compare(
        _ name: FieldName,
        _ comparison: SearchExpression.Comparison
    ) throws(SearchError) -> SearchExpression {
        if comparison == .equal, case .quoted(let text) = self.token.kind {
            self.advance()
            return .exact(name, text)
        }
        guard let text = Self.plainText(of: self.token.kind) else {
            try SearchOperators.checkComparison(self.tokens, at: self.index)
            throw SearchError("a number is missing here", at: self.token.range)
        }
        guard let number = Double(text), number.isFinite else {
            throw SearchError(
                comparison == .equal
                    ? "\"\(text)\" is no number: write key: text for words, or key = \"text\" for exactly this text"
                    : "\"\(text)\" is no number; \(comparison.rawValue) compares numbers",
                at: self.token.range
            )
        }
        self.advance()
        return .comparison(name, comparison, number)
    }

    private func phrase(_ token: SearchLexer.Token) throws(SearchError) -> Phrase {
        var text = Self.text(of: token.kind)
        var isPrefix = false
        if case .word = token.kind {
            isPrefix = text.last == "*"
            if isPrefix { text.removeLast() }
            if let star = text.firstIndex(of: "*") {
                let column = token.range.lowerBound + text.distance(from: text.startIndex, to: star)
                throw SearchError("a * can only stand at the end of a word", at: column..<column + 1)
            }
        }
        guard let phrase = Phrase(text, endsWithPrefix: isPrefix) else {
            throw SearchError(
                WordScanner.words(of: text).isEmpty
                    ? "there is no letter or digit in this to search for"
                    : "a phrase has \(Phrase.maximumWords) words at most",
                at: token.range
            )
        }
        return phrase
    }

    private mutating func enter(at token: SearchLexer.Token) throws(SearchError) {
        self.depth += 1
        guard self.depth <= Self.maximumDepth else {
            throw SearchError("this is nested over \(Self.maximumDepth) levels deep", at: token.range)
        }
    }

    private var isComparison: Bool {
        if case .comparison = self.token.kind { true } else { false }
    }

    /// Whether the token is this keyword, and not the name of a field.
    private func isKeyword(_ keyword: String) -> Bool {
        guard case .word(let word) = self.token.kind, word.lowercased() == keyword.lowercased(),
            ["and", "or", "not"].contains(word.lowercased())
        else { return false }
        return self.index + 1 >= self.tokens.count || self.tokens[self.index + 1].kind != .colon
    }

    private static func text(of kind: SearchLexer.Kind) -> String { self.plainText(of: kind) ?? "" }

    private static func plainText(of kind: SearchLexer.Kind) -> String? {
        switch kind {
        case .word(let text), .quoted(let text): text
        default: nil
        }
    }
}

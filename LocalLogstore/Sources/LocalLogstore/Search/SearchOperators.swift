// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What other search languages have and this one has not. Taken for words, it would give a wrong answer silently.
///
/// All of it is text where it stands in quotes, and where it cannot be meant as an operator, as in `Done!`.
enum SearchOperators {
    /// Throws if something that is no word stands where a term begins.
    static func check(_ tokens: [SearchLexer.Token], at index: Int) throws(SearchError) {
        guard case .word(let word) = tokens[index].kind else { return }
        let range = tokens[index].range
        let next = tokens[min(index + 1, tokens.count - 1)]
        if word.hasSuffix("!"), case .comparison = next.kind, next.range.lowerBound == range.upperBound {
            let key = word.count > 1 ? String(word.dropLast()) : self.word(tokens, index - 1) ?? "key"
            throw self.unequal(key, self.word(tokens, index + 2), at: range.upperBound - 1..<next.range.upperBound)
        }
        try self.checkMark(tokens, at: index) { "not \($0)" }
        try self.checkWildcard(word, range)
        if word == "&&" { throw SearchError("there is no &&: write and, or nothing", at: range) }
        if word.lowercased() == "in", index > 0, let key = self.word(tokens, index - 1) {
            try self.checkList(tokens, after: index, key)
        }
    }

    /// The same where the value of a field stands.
    static func checkValue(_ tokens: [SearchLexer.Token], at index: Int) throws(SearchError) {
        guard case .word(let word) = tokens[index].kind else { return }
        let key = self.word(tokens, index - 2) ?? "key"
        if let bracket = word.first, bracket == "[" || bracket == "{" {
            throw self.range(tokens, from: index, key)
        }
        if word.hasPrefix("//") {
            throw SearchError(
                "an address is not a field \(key): put all of it in quotes, as \"\(key):\(word)\"",
                at: tokens[max(0, index - 2)].range.lowerBound..<tokens[index].range.upperBound
            )
        }
        if ["and", "or", "not"].contains(word.lowercased()) {
            throw SearchError(
                word.lowercased() == "not"
                    ? "not stands in front of the field: write not \(key): \(self.word(tokens, index + 1) ?? "value")"
                    : "a value is missing here; to look for the word \(word), put it in quotes",
                at: tokens[index].range
            )
        }
        try self.checkMark(tokens, at: index) { "not \(key): \($0)" }
        try self.checkWildcard(word, tokens[index].range)
    }

    /// The same behind a comparison: `==` and `<>`.
    static func checkComparison(_ tokens: [SearchLexer.Token], at index: Int) throws(SearchError) {
        guard index > 1, case .comparison(let first) = tokens[index - 1].kind,
            case .comparison(let second) = tokens[index].kind,
            tokens[index].range.lowerBound == tokens[index - 1].range.upperBound
        else { return }
        let range = tokens[index - 1].range.lowerBound..<tokens[index].range.upperBound
        if first == .less, second == .greater {
            throw self.unequal(self.word(tokens, index - 2) ?? "key", self.word(tokens, index + 1), at: range)
        }
        if first == .equal {
            throw SearchError("write one =, with a number or with text in quotes", at: range)
        }
    }

    // MARK: - Messages

    private static func unequal(_ key: String, _ value: String?, at range: Range<Int>) -> SearchError {
        let value = value ?? "value"
        let condition = Double(value) == nil ? "\(key): \(value)" : "\(key) = \(value)"
        return SearchError("there is no comparison for \"is not\": write not \(condition)", at: range)
    }

    /// An exclamation mark in front of a word, a phrase or a bracket.
    private static func checkMark(
        _ tokens: [SearchLexer.Token],
        at index: Int,
        _ instead: (String) -> String
    ) throws(SearchError) {
        guard case .word(let word) = tokens[index].kind, word.first == "!" else { return }
        let rest = word.drop { $0 == "!" }
        // Alone at the end they negate nothing.
        if rest.isEmpty, index + 1 >= tokens.count || tokens[index + 1].kind == .end { return }
        let start = tokens[index].range.lowerBound
        throw SearchError(
            "there is no !: write \(instead(rest.isEmpty ? "value" : String(rest))); to look for the text, put it in quotes",
            at: start..<start + 1
        )
    }

    private static func checkWildcard(_ word: String, _ range: Range<Int>) throws(SearchError) {
        guard let mark = word.firstIndex(where: { $0 == "?" }), WordScanner.words(of: word).isEmpty == false else {
            return
        }
        let column = range.lowerBound + word.distance(from: word.startIndex, to: mark)
        let beginning = word[..<mark].isEmpty ? "word" : String(word[..<mark])
        throw SearchError(
            "? stands for no character: write \(beginning)* for what begins like this; to look for the text, as of an "
                + "address, put it in quotes",
            at: column..<column + 1
        )
    }

    /// `key in [1 20]`, with any brackets.
    private static func checkList(
        _ tokens: [SearchLexer.Token],
        after index: Int,
        _ key: String
    ) throws(SearchError) {
        var first = index + 1
        guard first < tokens.count else { return }
        if tokens[first].kind == .open {
            // Round brackets hold a search, unless there are two numbers in them.
            first += 1
            guard self.number(tokens, first) != nil, self.number(tokens, first + 1) != nil else { return }
        } else if self.word(tokens, first)?.first != "[" {
            return
        }
        let error = self.range(tokens, from: first, key)
        throw SearchError(error.message, at: tokens[index].range.lowerBound..<error.column - 1 + error.length)
    }

    private static func range(_ tokens: [SearchLexer.Token], from index: Int, _ key: String) -> SearchError {
        // Up to the bracket that closes it, or to the end.
        var end = index
        while end + 1 < tokens.count - 1, self.word(tokens, end)?.last != "]", self.word(tokens, end)?.last != "}",
            self.word(tokens, end + 1) != nil
        {
            end += 1
        }
        let values = (index...end).compactMap { self.number(tokens, $0) }
        let (low, high) = values.count == 2 ? (values[0], values[1]) : ("1", "20")
        return SearchError(
            "there are no ranges and lists: write \(key) >= \(low) and \(key) <= \(high), or (\(key): a or \(key): b); "
                + "to look for the text, put it in quotes",
            at: tokens[index].range.lowerBound..<tokens[end].range.upperBound
        )
    }

    private static func word(_ tokens: [SearchLexer.Token], _ index: Int) -> String? {
        guard tokens.indices.contains(index) else { return nil }
        return switch tokens[index].kind {
        case .word(let text): text
        case .quoted(let text): "\"\(text)\""
        default: nil
        }
    }

    /// A number, with the brackets around it left out.
    private static func number(_ tokens: [SearchLexer.Token], _ index: Int) -> String? {
        guard let word = self.word(tokens, index) else { return nil }
        let bare = word.filter { !"[]{},".contains($0) }
        return Double(bare) == nil ? nil : bare
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Cuts a search into tokens.
struct SearchLexer {
    enum Kind: Equatable {
        case word(String)
        /// Text between double quotes, its escapes resolved.
        case quoted(String)
        case colon
        case open
        case close
        case comparison(SearchExpression.Comparison)
        case end
    }

    struct Token: Equatable {
        var kind: Kind
        /// In characters from the start.
        var range: Range<Int>
    }

    /// The longest search, in bytes of UTF-8.
    static let maximumBytes = 4096

    private let characters: [Character]
    private var position = 0

    private init(_ search: String) {
        self.characters = Array(search)
    }

    /// The tokens of `search`; the last one is ``Kind/end``.
    static func tokens(of search: String) throws(SearchError) -> [Token] {
        guard search.utf8.count <= Self.maximumBytes else {
            throw SearchError("the search is longer than \(Self.maximumBytes) bytes", at: 0..<0)
        }
        var lexer = SearchLexer(search)
        var tokens: [Token] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    private mutating func next() throws(SearchError) -> Token {
        while self.position < self.characters.count, self.characters[self.position].isWhitespace { self.position += 1 }
        let start = self.position
        guard start < self.characters.count else { return Token(kind: .end, range: start..<start) }
        let kind: Kind
        switch self.characters[start] {
        case "(": kind = self.single(.open)
        case ")": kind = self.single(.close)
        case ":": kind = self.single(.colon)
        case "<", ">", "=": kind = self.comparison()
        case "\"": kind = try self.quoted()
        case "|":
            throw SearchError(
                "statistics, as behind a |, are not computed here; put a | that you look for in quotes",
                at: start..<start + 1
            )
        default: kind = self.word()
        }
        return Token(kind: kind, range: start..<self.position)
    }

    private mutating func single(_ kind: Kind) -> Kind {
        self.position += 1
        return kind
    }

    private mutating func comparison() -> Kind {
        var text = String(self.characters[self.position])
        self.position += 1
        if text != "=", self.position < self.characters.count, self.characters[self.position] == "=" {
            text += "="
            self.position += 1
        }
        return .comparison(SearchExpression.Comparison(rawValue: text) ?? .equal)
    }

    private mutating func quoted() throws(SearchError) -> Kind {
        let start = self.position
        var text = ""
        self.position += 1
        while self.position < self.characters.count {
            let character = self.characters[self.position]
            self.position += 1
            if character == "\"" { return .quoted(text) }
            if character == "\\", self.position < self.characters.count {
                text.append(self.characters[self.position])
                self.position += 1
            } else {
                text.append(character)
            }
        }
        throw SearchError("this quote is never closed", at: start..<start + 1)
    }

    private mutating func word() -> Kind {
        let start = self.position
        while self.position < self.characters.count, !Self.ends(self.characters[self.position]) { self.position += 1 }
        return .word(String(self.characters[start..<self.position]))
    }

    private static func ends(_ character: Character) -> Bool {
        character.isWhitespace || "():\"<>=|".contains(character)
    }
}

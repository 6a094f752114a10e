// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Cuts a statement into tokens.
struct SelectLexer {
    enum Kind: Equatable {
        case word(String)
        /// A name between double quotes.
        case name(String)
        /// A text between single quotes.
        case text(String)
        case integer(Int64)
        case real(Double)
        case symbol(Character)
        case end
    }

    struct Token: Equatable {
        var kind: Kind
        /// In characters from the start of the whole search.
        var range: Range<Int>
    }

    private let characters: [Character]
    private var position: Int

    /// The tokens from a character on; the last one is ``Kind/end``.
    static func tokens(of characters: [Character], from start: Int) throws(SearchError) -> [Token] {
        var lexer = SelectLexer(characters: characters, position: start)
        var tokens: [Token] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    private mutating func next() throws(SearchError) -> Token {
        while self.position < self.characters.count, self.characters[self.position].isWhitespace { self.position += 1 }
        let start = self.position
        guard start < self.characters.count else { return Token(kind: .end, range: start..<start) }
        let character = self.characters[start]
        let kind: Kind
        switch character {
        case "\"": kind = .name(try self.quoted(by: character))
        case "'": kind = .text(try self.quoted(by: character))
        case "(", ")", ",", "+", "-", "*", "/", "%", "=", "<", ">", ";", "|", "[", "]":
            self.position += 1
            kind = .symbol(character)
        case _ where character.isASCII && character.isNumber: kind = try self.number()
        case _ where Self.isOfWord(character): kind = .word(self.run(while: Self.isOfWord))
        default:
            throw SearchError("\(character) can stand only in quotes: 'text', or \"name\"", at: start..<start + 1)
        }
        return Token(kind: kind, range: start..<self.position)
    }

    /// Names of fields hold dots, as `http.status`.
    private static func isOfWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "."
    }

    private mutating func run(while isPart: (Character) -> Bool) -> String {
        let start = self.position
        while self.position < self.characters.count, isPart(self.characters[self.position]) { self.position += 1 }
        return String(self.characters[start..<self.position])
    }

    private mutating func number() throws(SearchError) -> Kind {
        let start = self.position
        let text = self.run(while: Self.isOfWord)
        if let integer = Int64(text) { return .integer(integer) }
        if let real = Double(text), real.isFinite, text.allSatisfy({ $0.isNumber || $0 == "." }) { return .real(real) }
        throw SearchError(
            "\"\(text)\" is no number; a name that begins with a digit stands in double quotes",
            at: start..<self.position
        )
    }

    /// A quote is doubled inside.
    private mutating func quoted(by quote: Character) throws(SearchError) -> String {
        let start = self.position
        var text = ""
        self.position += 1
        while self.position < self.characters.count {
            let character = self.characters[self.position]
            self.position += 1
            guard character == quote else {
                text.append(character)
                continue
            }
            guard self.position < self.characters.count, self.characters[self.position] == quote else { return text }
            text.append(quote)
            self.position += 1
        }
        throw SearchError("this quote is never closed", at: start..<start + 1)
    }
}

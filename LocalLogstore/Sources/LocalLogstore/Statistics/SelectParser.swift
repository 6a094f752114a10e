// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A search, and what to compute from the logs that it finds if a statement stands behind a `|`.
public struct SearchQuestion: Sendable, Equatable {
    /// The search as it was written.
    public var text: String
    public var search: SearchExpression
    /// The statement as it was written; `nil` if there is none.
    public var statementText: String?
    public var statement: SelectStatement?

    /// Throws a ``SearchError`` that points at the first thing that makes no sense.
    public init(parsing question: String) throws(SearchError) {
        guard question.utf8.count <= SearchLexer.maximumBytes else {
            throw SearchError("the search is longer than \(SearchLexer.maximumBytes) bytes", at: 0..<0)
        }
        let characters = Array(question)
        let bar = Self.bar(in: characters)
        self.text = String(characters[..<(bar ?? characters.count)])
        self.search = try SearchExpression(parsing: self.text)
        guard let bar else { return }
        self.statementText = String(characters[(bar + 1)...])
        self.statement = try SelectStatement(parsing: characters, from: bar + 1)
    }

    /// Where the search ends: the first `|` that stands in no quotes.
    private static func bar(in characters: [Character]) -> Int? {
        var isQuoted = false
        var index = 0
        while index < characters.count {
            switch characters[index] {
            case "\"": isQuoted.toggle()
            case "\\" where isQuoted: index += 1
            case "|" where !isQuoted: return index
            default: break
            }
            index += 1
        }
        return nil
    }
}

extension SelectStatement {
    /// What stands behind a character: `select … [group by …] [order by …] [limit …]`.
    init(parsing characters: [Character], from start: Int) throws(SearchError) {
        var parser = SelectParser(characters: characters, tokens: try SelectLexer.tokens(of: characters, from: start))
        self = try parser.parse()
    }
}

/// Reads tokens by recursive descent.
private struct SelectParser {
    private static let maximumDepth = 16
    private static let maximumColumns = 50
    private static let maximumValues = 200
    /// Each keeps all of its numbers.
    private static let maximumPercentiles = 10

    /// What other SQL has, and what to do instead.
    private static let missing = [
        "where": "put conditions in the search, in front of the |",
        "having": "there is no having; order by and limit show the first ones",
        "join": "there is one table only: the logs of the search",
        "union": "there is one statement only",
        "with": "there is one statement only",
        "over": "there are no window functions",
        "case": "there is no case; put conditions in the search, in front of the |",
        "distinct": "write select … group by …, or count(distinct …)",
        "offset": "there is no offset; limit takes one number",
        "from": "leave from out, or write from log: the logs are those of the search",
    ]

    let characters: [Character]
    let tokens: [SelectLexer.Token]
    private var index = 0
    private var depth = 0
    private var values = 0
    private var percentiles = 0

    init(characters: [Character], tokens: [SelectLexer.Token]) {
        self.characters = characters
        self.tokens = tokens
    }

    private var token: SelectLexer.Token { self.tokens[self.index] }

    private mutating func advance() { if self.index < self.tokens.count - 1 { self.index += 1 } }

    private func isWord(_ words: String...) -> Bool {
        if case .word(let word) = self.token.kind { words.contains(word.lowercased()) } else { false }
    }

    private func isSymbol(_ symbol: Character) -> Bool { self.token.kind == .symbol(symbol) }

    private mutating func take(_ symbol: Character) -> Bool {
        guard self.isSymbol(symbol) else { return false }
        self.advance()
        return true
    }

    private mutating func take(word: String) -> Bool {
        guard self.isWord(word) else { return false }
        self.advance()
        return true
    }

    private func text(_ range: Range<Int>) -> String { String(self.characters[range]) }

    // MARK: - The statement

    mutating func parse() throws(SearchError) -> SelectStatement {
        guard self.take(word: "select") else {
            throw SearchError("a statement begins with select", at: self.token.range)
        }
        var ranges: [Range<Int>] = []
        var orderRanges: [Range<Int>] = []
        var statement = SelectStatement(columns: [])
        repeat {
            if self.isSymbol("*") {
                throw SearchError("name the columns, as in select path, count(*)", at: self.token.range)
            }
            let start = self.token.range.lowerBound
            let expression = try self.sum()
            let range = start..<self.tokens[max(0, self.index - 1)].range.upperBound
            var name = self.text(range)
            if case .field(let field) = expression { name = field.text }
            if self.take(word: "as") { name = try self.alias() }
            statement.columns.append(SelectStatement.Column(name: name, expression: expression))
            ranges.append(range)
            guard statement.columns.count <= Self.maximumColumns else {
                throw SearchError("there are \(Self.maximumColumns) columns at most", at: range)
            }
        } while self.take(",")
        if self.take(word: "from"), !self.take(word: "log") {
            throw SearchError(Self.missing["from"] ?? "", at: self.token.range)
        }
        if self.take(word: "group") {
            guard self.take(word: "by") else { throw SearchError("write group by", at: self.token.range) }
            repeat { statement.groups.append(try self.group(statement)) } while self.take(",")
        }
        if self.take(word: "order") {
            guard self.take(word: "by") else { throw SearchError("write order by", at: self.token.range) }
            repeat {
                let start = self.token.range.lowerBound
                statement.orders.append(SelectStatement.Order(term: try self.term(statement)))
                orderRanges.append(start..<self.tokens[self.index - 1].range.upperBound)
                if self.take(word: "desc") {
                    statement.orders[orderRanges.count - 1].isDescending = true
                } else {
                    _ = self.take(word: "asc")
                }
            } while self.take(",")
        }
        if self.take(word: "limit") { statement.limit = try self.limit() }
        _ = self.take(";")
        guard self.token.kind == .end else { throw self.unexpected() }
        for (column, range) in zip(statement.columns, ranges) { try self.check(column.expression, statement, range) }
        for (order, range) in zip(statement.orders, orderRanges) {
            try self.check(statement.expression(of: order.term), statement, range)
        }
        return statement
    }

    private func unexpected() -> SearchError {
        if case .word(let word) = self.token.kind {
            if let advice = Self.missing[word.lowercased()] { return SearchError(advice, at: self.token.range) }
            if ["select", "group", "order", "limit"].contains(word.lowercased()) {
                return SearchError("the order is select, group by, order by, limit", at: self.token.range)
            }
        }
        if [.symbol("="), .symbol("<"), .symbol(">")].contains(self.token.kind) {
            return SearchError(Self.missing["where"] ?? "", at: self.token.range)
        }
        return self.token.kind == .end
            ? SearchError("something is missing here", at: self.token.range)
            : SearchError("nothing can stand here", at: self.token.range)
    }

    private mutating func alias() throws(SearchError) -> String {
        switch self.token.kind {
        case .word(let name), .name(let name):
            self.advance()
            return name
        default: throw SearchError("a name is missing here", at: self.token.range)
        }
    }

    private mutating func group(_ statement: SelectStatement) throws(SearchError) -> SelectStatement.Term {
        let start = self.token.range.lowerBound
        let term = try self.term(statement)
        if statement.expression(of: term).isAggregated {
            throw SearchError(
                "logs are grouped by what each of them has, not by what is counted",
                at: start..<self.tokens[self.index - 1].range.upperBound
            )
        }
        return term
    }

    /// A column by its name or its number from 1, or any other value.
    private mutating func term(_ statement: SelectStatement) throws(SearchError) -> SelectStatement.Term {
        let token = self.token
        if case .integer(let number) = token.kind {
            self.advance()
            guard (1...Int64(statement.columns.count)).contains(number) else {
                throw SearchError("there is no column \(number)", at: token.range)
            }
            return .column(Int(number) - 1)
        }
        let expression = try self.sum()
        if case .field(let field) = expression,
            let column = statement.columns.firstIndex(where: { $0.name == field.text })
        {
            return .column(column)
        }
        if let column = statement.columns.firstIndex(where: { $0.expression == expression }) { return .column(column) }
        return .expression(expression)
    }

    private mutating func limit() throws(SearchError) -> Int {
        guard case .integer(let limit) = self.token.kind, (1...Int64(SelectStatement.maximumLimit)).contains(limit)
        else {
            throw SearchError("limit takes a number from 1 to \(SelectStatement.maximumLimit)", at: self.token.range)
        }
        self.advance()
        return Int(limit)
    }

    /// Throws if a value of single logs stands where many are taken together.
    private func check(
        _ expression: SelectExpression,
        _ statement: SelectStatement,
        _ range: Range<Int>
    ) throws(SearchError) {
        let groups = statement.groups.map(statement.expression(of:))
        guard statement.isAggregated else { return }
        func isOne(_ expression: SelectExpression) -> Bool {
            if expression.isAggregate || groups.contains(expression) { return true }
            switch expression {
            case .field, .time, .truncated: return false
            default: return expression.parts.allSatisfy(isOne)
            }
        }
        guard isOne(expression) else {
            throw SearchError(
                "\(self.text(range)) differs among the logs that are taken together: group by it, or count it",
                at: range
            )
        }
    }

    // MARK: - Values

    private mutating func sum() throws(SearchError) -> SelectExpression {
        var left = try self.product()
        while true {
            if self.take("+") {
                left = .binary(.plus, left, try self.product())
            } else if self.take("-") {
                left = .binary(.minus, left, try self.product())
            } else {
                return left
            }
        }
    }

    private mutating func product() throws(SearchError) -> SelectExpression {
        var left = try self.value()
        while true {
            if self.take("*") {
                left = .binary(.times, left, try self.value())
            } else if self.take("/") {
                left = .binary(.divided, left, try self.value())
            } else if self.take("%") {
                left = .binary(.modulo, left, try self.value())
            } else {
                return left
            }
        }
    }

    private mutating func value() throws(SearchError) -> SelectExpression {
        let token = self.token
        self.values += 1
        guard self.values <= Self.maximumValues else {
            throw SearchError("a statement has \(Self.maximumValues) values at most", at: token.range)
        }
        self.depth += 1
        defer { self.depth -= 1 }
        guard self.depth <= Self.maximumDepth else {
            throw SearchError("this is nested over \(Self.maximumDepth) levels deep", at: token.range)
        }
        switch token.kind {
        case .integer(let number):
            self.advance()
            return .integer(number)
        case .real(let number):
            self.advance()
            return .real(number)
        case .text(let text):
            self.advance()
            return .text(text)
        case .name(let name):
            self.advance()
            return Self.field(name)
        case .symbol("-"):
            self.advance()
            return .negative(try self.value())
        case .symbol("("):
            self.advance()
            let inner = try self.sum()
            guard self.take(")") else { throw SearchError("this bracket is never closed", at: token.range) }
            return inner
        case .word(let word):
            if Self.missing[word.lowercased()] != nil
                || ["select", "group", "order", "limit", "as", "by"].contains(word.lowercased())
            {
                if self.index + 1 < self.tokens.count,
                    self.tokens[self.index + 1].kind != .symbol("(") || word.lowercased() == "select"
                {
                    throw self.unexpectedOrMissing(word)
                }
            }
            self.advance()
            if self.isSymbol("(") { return try self.call(word, token.range) }
            return Self.field(word)
        case .symbol, .end:
            throw SearchError("a field, a number or a function is missing here", at: token.range)
        }
    }

    private func unexpectedOrMissing(_ word: String) -> SearchError {
        SearchError(
            Self.missing[word.lowercased()]
                ?? "a field or a function is missing here; a field called \(word) stands in double quotes",
            at: self.token.range
        )
    }

    private static func field(_ name: String) -> SelectExpression {
        name == "__time__" ? .time : .field(FieldName(name))
    }

    private mutating func call(_ word: String, _ range: Range<Int>) throws(SearchError) -> SelectExpression {
        let name = word.lowercased()
        let open = self.token.range
        self.advance()
        if name == "count", self.take("*") {
            try self.close(open)
            return .countAll
        }
        if name == "count", self.take(word: "distinct") {
            let value = try self.argument(name)
            try self.close(open)
            return .countDistinct(value)
        }
        guard SelectFunction.names.contains(name) else {
            throw SearchError(
                "there is no function \(word); there are \(SelectFunction.names.joined(separator: ", "))",
                at: range
            )
        }
        var arguments: [SelectExpression] = []
        if !self.isSymbol(")") {
            repeat { arguments.append(try self.sum()) } while self.take(",")
        }
        let whole = range.lowerBound..<self.token.range.upperBound
        try self.close(open)
        switch name {
        case "approx_percentile": return try self.percentile(arguments, whole)
        case "date_trunc": return try self.truncated(arguments, whole)
        default: break
        }
        guard let function = SelectFunction(rawValue: name), function.arity.contains(arguments.count) else {
            let arity = SelectFunction(rawValue: name)?.arity ?? 1...1
            let number = arity.count == 1 ? "\(arity.lowerBound)" : "\(arity.lowerBound) to \(arity.upperBound)"
            throw SearchError("\(name) takes \(number) value\(number == "1" ? "" : "s")", at: whole)
        }
        if function.isAggregate, let inner = arguments.first, inner.isAggregated { throw self.nested(whole) }
        return .call(function, arguments)
    }

    private mutating func argument(_ name: String) throws(SearchError) -> SelectExpression {
        let start = self.token.range.lowerBound
        let value = try self.sum()
        if value.isAggregated { throw self.nested(start..<self.tokens[self.index - 1].range.upperBound) }
        return value
    }

    private func nested(_ range: Range<Int>) -> SearchError {
        SearchError("what is counted cannot be counted again", at: range)
    }

    private mutating func close(_ open: Range<Int>) throws(SearchError) {
        guard self.take(")") else { throw SearchError("this bracket is never closed", at: open) }
    }

    private mutating func percentile(
        _ arguments: [SelectExpression],
        _ range: Range<Int>
    ) throws(SearchError) -> SelectExpression {
        let share: Double? =
            switch arguments.dropFirst().first {
            case .real(let number): number
            case .integer(let number): Double(number)
            default: nil
            }
        guard arguments.count == 2, let value = arguments.first, let share, (0...1).contains(share) else {
            throw SearchError("write approx_percentile(ms, 0.95), with a share from 0 to 1", at: range)
        }
        if value.isAggregated { throw self.nested(range) }
        self.percentiles += 1
        guard self.percentiles <= Self.maximumPercentiles else {
            throw SearchError("a statement has \(Self.maximumPercentiles) approx_percentile at most", at: range)
        }
        return .percentile(value, share)
    }

    private func truncated(_ arguments: [SelectExpression], _ range: Range<Int>) throws(SearchError) -> SelectExpression
    {
        guard arguments.count == 2, case .text(let name) = arguments[0],
            let unit = SelectExpression.Unit(rawValue: name.lowercased()), arguments[1] == .time
        else {
            let units = SelectExpression.Unit.allCases.map(\.rawValue).joined(separator: ", ")
            throw SearchError("write date_trunc('minute', __time__); there are \(units)", at: range)
        }
        return .truncated(unit)
    }
}

extension FieldName {
    /// The name that queries use.
    var text: String {
        switch self {
        case .topic: "__topic__"
        case .source: "__source__"
        case .tag(let name): "__tag__:" + name
        case .log(let name): name
        }
    }
}

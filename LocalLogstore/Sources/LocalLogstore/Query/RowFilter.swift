// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A search as it is asked of the columns of a block: which rows match for certain, and which may.
///
/// The rows between the two have to be read and compared.
final class RowFilter {
    typealias Answer = (certain: RowSet, possible: RowSet)

    private indirect enum Node {
        case all
        case leaf(Leaf)
        case and([Node])
        case or([Node])
        case not(Node)
    }

    private let root: Node

    init(_ search: SearchExpression) {
        self.root = Self.node(search)
    }

    private static func node(_ search: SearchExpression) -> Node {
        switch search {
        case .all: .all
        case .and(let parts): .and(parts.map(self.node))
        case .or(let parts): .or(parts.map(self.node))
        case .not(let part): .not(self.node(part))
        default: .leaf(Leaf(search))
        }
    }

    /// - Parameters:
    ///   - columns: Of the block.
    ///   - streams: The streams of its rows, with the rows of each.
    func answer(_ columns: BlockColumns, _ streams: [(stream: LogStream, rows: RowSet)]) -> Answer {
        Self.answer(self.root, columns, streams)
    }

    private static func answer(
        _ node: Node,
        _ columns: BlockColumns,
        _ streams: [(stream: LogStream, rows: RowSet)]
    ) -> Answer {
        switch node {
        case .all: return (.all, .all)
        case .leaf(let leaf): return leaf.answer(columns, streams)
        case .not(let part):
            let answer = self.answer(part, columns, streams)
            return (~answer.possible, ~answer.certain)
        case .and(let parts):
            var result: Answer = (.all, .all)
            for part in parts where !result.possible.isEmpty {
                let answer = self.answer(part, columns, streams)
                result = (result.certain & answer.certain, result.possible & answer.possible)
            }
            return result
        case .or(let parts):
            var result: Answer = (.none, .none)
            for part in parts where result.certain != .all {
                let answer = self.answer(part, columns, streams)
                result = (result.certain | answer.certain, result.possible | answer.possible)
            }
            return result
        }
    }

    /// One condition.
    private final class Leaf {
        private let search: SearchExpression
        /// What it says of a stream as a whole, by the stream's number.
        private var verdicts: [Int64: Bool?] = [:]
        private let words: [UInt64]
        /// Whether rows with the words match for certain.
        private let isExact: Bool

        init(_ search: SearchExpression) {
            self.search = search
            switch search {
            case .words(let phrase), .field(_, let phrase):
                let whole = phrase.endsWithPrefix ? phrase.words.dropLast() : phrase.words[...]
                self.words = whole.map { WordSet.hash(WordSet.indexed($0)) }
                self.isExact =
                    phrase.words.count == 1 && !phrase.endsWithPrefix
                    && phrase.words[0].count < WordSet.shortestCutWordBytes
            case .exact(_, let text):
                self.words = WordScanner.words(of: text).prefix(20).map { WordSet.hash(WordSet.indexed($0)) }
                self.isExact = false
            default:
                self.words = []
                self.isExact = false
            }
        }

        func answer(_ columns: BlockColumns, _ streams: [(stream: LogStream, rows: RowSet)]) -> Answer {
            var matching = RowSet.none
            var open = RowSet.none
            for (stream, rows) in streams {
                switch self.verdict(for: stream) {
                case true: matching = matching | rows
                case false: break
                default: open = open | rows
                }
            }
            if open.isEmpty { return (matching, matching) }
            let answer = self.answer(columns)
            return (matching | open & answer.certain, matching | open & answer.possible)
        }

        private func verdict(for stream: LogStream) -> Bool? {
            if let known = self.verdicts[stream.id] { return known }
            let verdict = self.search.verdict(for: stream)
            self.verdicts[stream.id] = .some(verdict)
            return verdict
        }

        private func answer(_ columns: BlockColumns) -> Answer {
            switch self.search {
            case .words: return self.rows(columns, field: nil)
            case .field(.log(let name), _), .exact(.log(let name), _), .exists(.log(let name)),
                .comparison(.log(let name), _, _):
                guard let known = columns.field(named: name) else { return (.none, .all) }
                guard let field = known else { return (.none, .none) }
                return self.rows(columns, name, field)
            default: return (.none, .all)
            }
        }

        private func rows(_ columns: BlockColumns, _ name: String, _ field: BlockColumns.FieldColumn) -> Answer {
            switch self.search {
            case .exists: return (field.rows, field.rows)
            case .comparison(_, let comparison, let number):
                let rows = columns.rows(field: field.number, comparison, number)
                return (rows, rows)
            case _ where SearchIndex.hasWords(ofField: name):
                let answer = self.rows(columns, field: field.number)
                return (answer.certain, answer.possible & field.rows)
            default: return (.none, field.rows)
            }
        }

        private func rows(_ columns: BlockColumns, field: Int?) -> Answer {
            guard columns.hasWords else { return (.none, .all) }
            var rows = RowSet.all
            for word in self.words where !rows.isEmpty { rows = rows & columns.rows(word: word, field: field) }
            return (self.isExact ? rows : .none, rows)
        }
    }
}

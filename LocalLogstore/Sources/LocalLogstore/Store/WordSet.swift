// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The different words of a block of logs, as one text for the index.
struct WordSet {
    /// Longer words are indexed, and looked up, by their beginning.
    static let maximumWordBytes = 40

    /// What is shorter in the index is a whole word: a cut leaves at most three bytes less than that.
    static let shortestCutWordBytes = Self.maximumWordBytes - 3

    /// The words with spaces between them.
    private(set) var text: [UInt8] = []

    // A table of hashes with open addressing; 0 is a free place. Words whose hashes of 64 bits are equal are taken for
    // one: among some thousand words that does not happen.
    private var table: [UInt64]
    private var count = 0

    init() {
        self.table = [UInt64](repeating: 0, count: 4096)
    }

    /// Adds the words of a text, and calls `body` with the hash of each.
    mutating func insertWords(of text: UnsafeBufferPointer<UInt8>, _ body: (UInt64) -> Void) {
        // Most text is ASCII, whose words are hashed where they stand.
        if text.allSatisfy({ $0 < 0x80 }) {
            WordScanner.folded.withUnsafeBufferPointer { self.insertWords(ofASCII: text, $0, body) }
            return
        }
        var scanner = WordScanner(text)
        while scanner.next() {
            let indexed = Self.indexed(scanner.word)
            let hash = Self.hash(indexed)
            if self.insert(hash) { self.append(indexed) }
            body(hash)
        }
    }

    private mutating func insertWords(
        ofASCII text: UnsafeBufferPointer<UInt8>,
        _ folded: UnsafeBufferPointer<UInt8>,
        _ body: (UInt64) -> Void
    ) {
        var index = 0
        while true {
            while index < text.count, folded[Int(text[index])] == 0 { index += 1 }
            guard index < text.count else { return }
            let start = index
            let cut = start + Self.maximumWordBytes
            var hash = Self.hashStart
            while index < text.count, folded[Int(text[index])] != 0 {
                if index < cut { hash = Self.hash(hash, folded[Int(text[index])]) }
                index += 1
            }
            hash = Self.finished(hash)
            if self.insert(hash) { self.append(text[start..<min(index, cut)].lazy.map { folded[Int($0)] }) }
            body(hash)
        }
    }

    private mutating func append(_ word: some Sequence<UInt8>) {
        self.text.append(contentsOf: word)
        self.text.append(UInt8(ascii: " "))
    }

    /// Whether the hash is new.
    private mutating func insert(_ hash: UInt64) -> Bool {
        let mask = self.table.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while self.table[index] != 0 {
            if self.table[index] == hash { return false }
            index = (index + 1) & mask
        }
        self.table[index] = hash
        self.count += 1
        if self.count * 2 > self.table.count { self.grow() }
        return true
    }

    // MARK: - Hashes

    // FNV-1a, whose high bits are then mixed into the low ones; never 0.
    private static let hashStart: UInt64 = 0xCBF2_9CE4_8422_2325

    private static func hash(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    private static func finished(_ hash: UInt64) -> UInt64 { max(1, hash ^ hash >> 32) }

    /// The hash of a word as it stands in the index.
    static func hash(_ indexed: ArraySlice<UInt8>) -> UInt64 {
        self.finished(indexed.reduce(self.hashStart) { self.hash($0, $1) })
    }

    mutating func removeAll() {
        self.text.removeAll(keepingCapacity: true)
        self.count = 0
        for index in self.table.indices { self.table[index] = 0 }
    }

    private mutating func grow() {
        let old = self.table
        self.table = [UInt64](repeating: 0, count: old.count * 2)
        let mask = self.table.count - 1
        for hash in old where hash != 0 {
            var index = Int(truncatingIfNeeded: hash) & mask
            while self.table[index] != 0 { index = (index + 1) & mask }
            self.table[index] = hash
        }
    }

    /// How a word stands in the index.
    static func indexed(_ word: [UInt8]) -> ArraySlice<UInt8> {
        guard word.count > self.maximumWordBytes else { return word[...] }
        var end = self.maximumWordBytes
        // Not in the middle of a character.
        while end > 0, word[end] & 0b1100_0000 == 0b1000_0000 { end -= 1 }
        return word[..<end]
    }
}

extension SearchExpression {
    /// A full-text expression that every block with a match fulfils; `nil` if that can be any block.
    var wordFilter: String? {
        switch self {
        case .all, .exists, .comparison, .not: return nil
        case .words(let phrase): return Self.filter(phrase.words, endsWithPrefix: phrase.endsWithPrefix)
        case .field(.log(let name), let phrase) where SearchIndex.hasWords(ofField: name):
            return Self.filter(phrase.words, endsWithPrefix: phrase.endsWithPrefix)
        case .exact(.log(let name), let text) where SearchIndex.hasWords(ofField: name):
            let words = WordScanner.words(of: text)
            return words.isEmpty ? nil : Self.filter(Array(words.prefix(20)), endsWithPrefix: false)
        case .field, .exact: return nil
        case .and(let parts):
            let filters = parts.compactMap(\.wordFilter)
            return filters.isEmpty ? nil : "(" + filters.joined(separator: " AND ") + ")"
        case .or(let parts):
            let filters = parts.map(\.wordFilter)
            guard filters.allSatisfy({ $0 != nil }) else { return nil }
            return "(" + filters.compactMap(\.self).joined(separator: " OR ") + ")"
        }
    }

    private static func filter(_ words: [[UInt8]], endsWithPrefix: Bool) -> String {
        let terms = words.enumerated().map { index, word in
            "\"" + String(decoding: WordSet.indexed(word), as: UTF8.self) + "\""
                + (endsWithPrefix && index == words.count - 1 ? "*" : "")
        }
        return "(" + terms.joined(separator: " AND ") + ")"
    }
}

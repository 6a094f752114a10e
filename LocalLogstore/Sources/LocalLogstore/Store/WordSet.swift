//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// The different words of a block of logs, as one text for the index.
struct WordSet {
    /// Longer words are indexed, and looked up, by their beginning.
    static let maximumWordBytes = 40

    /// The words with spaces between them.
    private(set) var text: [UInt8] = []

    // A table of hashes with open addressing; 0 is a free place. Words whose hashes of 64 bits are equal are taken for
    // one: among some thousand words that does not happen.
    private var table: [UInt64]
    private var count = 0

    init() {
        self.table = [UInt64](repeating: 0, count: 4096)
    }

    mutating func insert(_ word: [UInt8]) {
        let indexed = Self.indexed(word)
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in indexed { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = max(1, hash ^ hash >> 32)
        let mask = self.table.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while self.table[index] != 0 {
            if self.table[index] == hash { return }
            index = (index + 1) & mask
        }
        self.table[index] = hash
        self.text.append(contentsOf: indexed)
        self.text.append(UInt8(ascii: " "))
        self.count += 1
        if self.count * 2 > self.table.count { self.grow() }
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

//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import GRDB

/// What is known of a block of logs, and what of the one that is being filled.
struct BlockBuilder {
    let id: Int64
    private(set) var minimumTime = Int64.max
    private(set) var maximumTime = Int64.min
    /// How many logs there are of each stream.
    private(set) var counts: [(stream: Int64, count: UInt32)] = []
    private var words: WordSet
    private var isIndexed = true

    /// - Parameter words: A set to use again, since making one costs.
    init(id: Int64, words: WordSet = WordSet()) {
        self.id = id
        self.words = words
        self.words.removeAll()
    }

    mutating func add(time: Int64, stream: LogStream) {
        self.minimumTime = min(self.minimumTime, time)
        self.maximumTime = max(self.maximumTime, time)
        if let index = self.counts.firstIndex(where: { $0.stream == stream.id }) {
            self.counts[index].count += 1
        } else {
            self.counts.append((stream.id, 1))
            self.addWords(of: stream.topic)
        }
    }

    /// Adds the words of one value of a log, unless the log has had very many before.
    mutating func addWords(of value: UnsafeBufferPointer<UInt8>, textOfLog: inout Int) {
        textOfLog += value.count
        guard textOfLog <= SearchIndex.maximumTextOfLog else {
            self.isIndexed = false
            return
        }
        var scanner = WordScanner(value)
        while scanner.next() { self.words.insert(scanner.word) }
    }

    private mutating func addWords(of text: String) {
        for word in WordScanner.words(of: text) { self.words.insert(word) }
    }

    /// Writes the full block, and returns its set of words to be used again.
    consuming func seal(in database: Database) throws -> WordSet {
        let insert = try RawStatement(
            "INSERT INTO blocks (id, min_at, max_at, counts, is_indexed) VALUES (?, ?, ?, ?, ?)",
            in: database
        )
        insert.bind(1, self.id)
        insert.bind(2, self.minimumTime)
        insert.bind(3, self.maximumTime)
        insert.bind(4, blob: Self.encode(self.counts))
        insert.bind(5, self.isIndexed ? 1 : 0)
        try insert.run()
        guard self.isIndexed else { return self.words }
        let table = SearchIndex.wordTable(of: self.id)
        // The first block of a table is usually sealed first, but for one that is not indexed.
        try database.execute(
            sql: """
                CREATE VIRTUAL TABLE IF NOT EXISTS \(table) USING fts5
                (words, content = '', detail = none, columnsize = 0, tokenize = "ascii tokenchars '_'")
                """
        )
        let index = try RawStatement("INSERT INTO \(table) (rowid, words) VALUES (?, ?)", in: database)
        try self.words.text.withUnsafeBufferPointer { text in
            index.bind(1, self.id)
            index.bind(2, text: text)
            try index.run()
        }
        return self.words
    }

    /// Pairs of 32 bits each: a stream and its count, low byte first.
    private static func encode(_ counts: [(stream: Int64, count: UInt32)]) -> [UInt8] {
        counts.flatMap { pair in
            [UInt32(truncatingIfNeeded: pair.stream), pair.count].flatMap { number in
                (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
            }
        }
    }

    static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> [(stream: Int64, count: UInt32)] {
        let raw = UnsafeRawBufferPointer(bytes)
        let pairs = raw.count / 8
        return [(stream: Int64, count: UInt32)](unsafeUninitializedCapacity: pairs) { output, count in
            for index in 0..<pairs {
                func number(_ offset: Int) -> UInt32 {
                    UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                }
                output.initializeElement(at: index, to: (Int64(number(index * 8)), number(index * 8 + 4)))
            }
            count = pairs
        }
    }
}

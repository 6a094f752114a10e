// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// What is known of a block of logs, and what of the one that is being filled.
struct BlockBuilder {
    private(set) var id: Int64
    private(set) var minimumTime = Int64.max
    private(set) var maximumTime = Int64.min
    /// How many logs there are of each stream.
    private(set) var counts: [(stream: Int64, count: UInt32)] = []
    private var words = WordSet()
    private var columns = BlockColumnsBuilder()
    private var isIndexed = true
    private let blocksPerTable: Int64

    init(id: Int64, blocksPerTable: Int64) {
        self.id = id
        self.blocksPerTable = blocksPerTable
    }

    /// Forgets everything and begins with another block. Making a new builder would cost more.
    mutating func begin(_ id: Int64) {
        self.id = id
        self.minimumTime = .max
        self.maximumTime = .min
        self.counts.removeAll(keepingCapacity: true)
        self.words.removeAll()
        self.columns.removeAll()
        self.isIndexed = true
    }

    /// Ends a log, all of whose fields were added.
    mutating func add(time: Int64, stream: LogStream) {
        self.columns.endRow(time: time, stream: stream.id)
        self.minimumTime = min(self.minimumTime, time)
        self.maximumTime = max(self.maximumTime, time)
        if let index = self.counts.firstIndex(where: { $0.stream == stream.id }) {
            self.counts[index].count += 1
        } else {
            self.counts.append((stream.id, 1))
            self.addWords(of: stream.topic)
        }
    }

    /// Adds a field of a log. Its words count too, unless the log has had very many before.
    mutating func add(
        field name: UnsafeBufferPointer<UInt8>,
        value: UnsafeBufferPointer<UInt8>,
        hasWords: Bool,
        textOfLog: inout Int
    ) {
        let field = self.columns.add(field: name, value: value)
        guard hasWords else { return }
        textOfLog += value.count
        guard textOfLog <= SearchIndex.maximumTextOfLog else {
            self.isIndexed = false
            return
        }
        self.words.insertWords(of: value) { self.columns.add(word: $0, field: field) }
    }

    private mutating func addWords(of text: String) {
        var text = text
        text.withUTF8 { self.words.insertWords(of: $0) { _ in } }
    }

    /// Writes the full block.
    mutating func seal(in database: Database) throws {
        try self.writeColumns(to: database)
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
        guard self.isIndexed else { return }
        let table = SearchIndex.wordTable(of: self.id, blocksPerTable: self.blocksPerTable)
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
    }

    /// Writes what is known of each row; replaces what was known.
    mutating func writeColumns(to database: Database) throws {
        let insert = try RawStatement(
            "INSERT OR REPLACE INTO columns (id, times, streams, fields, numbers, few, many) VALUES (?, ?, ?, ?, ?, ?, ?)",
            in: database
        )
        insert.bind(1, self.id)
        insert.bind(2, blob: self.columns.encodedTimes)
        insert.bind(3, blob: self.columns.encodedStreams)
        insert.bind(4, blob: self.columns.encodedFields)
        insert.bind(5, blob: self.columns.encodedNumbers)
        if self.isIndexed, let words = self.columns.encodedWords() {
            words.few.withUnsafeBytes { insert.bind(6, blob: $0) }
            words.many.withUnsafeBytes { insert.bind(7, blob: $0) }
        }
        try insert.run()
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

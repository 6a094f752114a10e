// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Collects, while a block is filled, which row has which time, stream, fields, numbers and words.
///
/// With these ``BlockColumns`` a search looks at a few bytes of each log, and reads only those logs that are left.
struct BlockColumnsBuilder {
    /// The number of a field beyond the first ones of a block: of these only the words are known.
    static let otherField = 255

    /// More words than this in one block, 256 for each log, are left out.
    private static let maximumWords = 65_536

    private struct Column {
        var name: [UInt8]
        var rows = RowSet.none
        var numbers: NumberColumn?
    }

    private var row = 0
    private var times: [Int64] = []
    private var streams: [Int64] = []
    private var streamOfRow: [UInt8] = []
    private var columns: [Column] = []
    private var hasAllColumns = true
    // Logs mostly have the same fields in the same order.
    private var guess = 0
    private var words: [UInt64] = []
    private var spare: [UInt64] = []
    private var hasAllWords = true

    mutating func removeAll() {
        self.row = 0
        self.times.removeAll(keepingCapacity: true)
        self.streams.removeAll(keepingCapacity: true)
        self.streamOfRow.removeAll(keepingCapacity: true)
        self.columns.removeAll(keepingCapacity: true)
        self.hasAllColumns = true
        self.guess = 0
        self.words.removeAll(keepingCapacity: true)
        self.hasAllWords = true
    }

    /// Adds a field of the log that is being read; returns the field's number in this block.
    mutating func add(field name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Int {
        guard let index = self.index(of: name) else { return Self.otherField }
        self.columns[index].rows.insert(self.row)
        if let number = NumberColumn.number(value) {
            self.columns[index].numbers = self.columns[index].numbers ?? NumberColumn()
            self.columns[index].numbers?.add(number, at: self.row)
        }
        return index
    }

    private mutating func index(of name: UnsafeBufferPointer<UInt8>) -> Int? {
        if self.guess < self.columns.count, Self.areEqual(self.columns[self.guess].name, name) {
            self.guess += 1
            return self.guess - 1
        }
        if let known = self.columns.firstIndex(where: { Self.areEqual($0.name, name) }) {
            self.guess = known + 1
            return known
        }
        guard self.columns.count < Self.otherField, name.count <= 255 else {
            self.hasAllColumns = false
            return nil
        }
        self.columns.append(Column(name: Array(name)))
        self.guess = self.columns.count
        return self.columns.count - 1
    }

    private static func areEqual(_ left: [UInt8], _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        guard left.count == right.count, let base = right.baseAddress else { return left.isEmpty && right.isEmpty }
        return left.withUnsafeBytes { memcmp($0.baseAddress!, base, right.count) == 0 }
    }

    /// Adds a word of a field of the log that is being read, by its hash.
    mutating func add(word hash: UInt64, field: Int) {
        guard self.words.count < Self.maximumWords else {
            self.hasAllWords = false
            return
        }
        self.words.append(BlockColumns.key(hash, field: field) | UInt64(self.row))
    }

    /// Ends the log that is being read.
    mutating func endRow(time: Int64, stream: Int64) {
        self.times.append(time)
        let index = self.streams.lastIndex(of: stream) ?? self.streams.count
        if index == self.streams.count { self.streams.append(stream) }
        self.streamOfRow.append(UInt8(index))
        self.row += 1
        self.guess = 0
    }

    // MARK: - As bytes

    /// The first time as 64 bits, and how much later each is, in 32 bits if that is enough.
    var encodedTimes: [UInt8] {
        var bytes: [UInt8] = []
        let first = self.times.min() ?? 0
        let span = (self.times.max() ?? 0).subtractingReportingOverflow(first)
        bytes.append(littleEndian: first)
        let isNarrow = !span.overflow && span.partialValue <= UInt32.max
        for time in self.times {
            if isNarrow {
                bytes.append(littleEndian: UInt32(time - first))
            } else {
                bytes.append(littleEndian: time &- first)
            }
        }
        return bytes
    }

    /// The place of each row's stream among the streams behind.
    var encodedStreams: [UInt8] {
        var bytes = self.streamOfRow
        for stream in self.streams { bytes.append(littleEndian: UInt32(truncatingIfNeeded: stream)) }
        return bytes
    }

    /// Whether these are all; then for each field the length of its name, the name, and the rows that have it.
    var encodedFields: [UInt8] {
        var bytes: [UInt8] = [self.hasAllColumns ? 1 : 0]
        for column in self.columns {
            bytes.append(UInt8(column.name.count))
            bytes.append(contentsOf: column.name)
            column.rows.append(to: &bytes)
        }
        return bytes
    }

    var encodedNumbers: [UInt8] {
        var bytes: [UInt8] = []
        for (index, column) in self.columns.enumerated() {
            guard let numbers = column.numbers else { continue }
            bytes.append(UInt8(index))
            numbers.append(to: &bytes)
        }
        return bytes
    }

    /// The words that occur in few rows, a key with a row each; and those that occur in many, the keys first and then
    /// the rows. `nil` if some words are missing.
    mutating func encodedWords() -> (few: [UInt64], many: [UInt64])? {
        guard self.hasAllWords else { return nil }
        Self.sort(&self.words, &self.spare)
        var few: [UInt64] = []
        few.reserveCapacity(self.words.count)
        var many: [UInt64] = []
        var rowsOfMany: [UInt64] = []
        var start = 0
        while start < self.words.count {
            let key = self.words[start] & ~0xFF
            var end = start + 1
            while end < self.words.count, self.words[end] & ~0xFF == key { end += 1 }
            if end - start <= Self.few {
                // A word that is in a row twice is there twice, which does no harm.
                for word in self.words[start..<end] { few.append(word.littleEndian) }
            } else {
                var rows = RowSet.none
                for word in self.words[start..<end] { rows.insert(Int(word & 0xFF)) }
                many.append(key.littleEndian)
                rows.append(to: &rowsOfMany)
            }
            start = end
        }
        return (few, many + rowsOfMany)
    }

    /// So many entries of 8 bytes are as long as a key with a set of rows.
    private static let few = 5

    /// Sorts by all but the last 8 bits, byte by byte from the back (radix sort); entries come in the order of their
    /// rows.
    private static func sort(_ words: inout [UInt64], _ spare: inout [UInt64]) {
        if spare.count < words.count { spare = [UInt64](repeating: 0, count: words.count) }
        let count = words.count
        for shift in stride(from: 8 as UInt64, to: 64, by: 8) {
            words.withUnsafeMutableBufferPointer { source in
                spare.withUnsafeMutableBufferPointer { target in
                    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { places in
                        places.update(repeating: 0)
                        for index in 0..<count { places[Int(source[index] >> shift & 0xFF)] += 1 }
                        var place = 0
                        for digit in 0..<256 {
                            let number = places[digit]
                            places[digit] = place
                            place += number
                        }
                        for index in 0..<count {
                            let digit = Int(source[index] >> shift & 0xFF)
                            target[places[digit]] = source[index]
                            places[digit] += 1
                        }
                    }
                    for index in 0..<count { source[index] = target[index] }
                }
            }
        }
    }
}

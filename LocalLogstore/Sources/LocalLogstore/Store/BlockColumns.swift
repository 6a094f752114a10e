// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What is known of each row of a full block without reading its log: see ``BlockColumnsBuilder``.
///
/// Valid until the statement it was read with goes on.
struct BlockColumns {
    static let sql = "SELECT times, streams, fields, numbers, few, many FROM columns WHERE id = ?"

    private let row: RawStatement

    /// From the current row of a statement with ``sql``.
    init(_ row: RawStatement) {
        self.row = row
    }

    private func bytes(_ column: Int32) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(self.row.bytes(column)) }

    // MARK: - Times

    /// The time of each row.
    var times: [Int64] {
        let bytes = self.bytes(0)
        let first: Int64 = bytes.littleEndian(at: 0)
        let count = Int(SearchIndex.blockSize)
        let isNarrow = bytes.count == 8 + count * 4
        return (0..<count).map { row in
            isNarrow
                ? first + Int64(bytes.littleEndian(at: 8 + row * 4, as: UInt32.self))
                : first &+ bytes.littleEndian(at: 8 + row * 8, as: Int64.self)
        }
    }

    // MARK: - Streams

    /// The streams of the block, and which rows are of each.
    func streams() -> (ids: [Int64], rows: [RowSet], ofRow: [UInt8]) {
        let bytes = self.bytes(1)
        let count = Int(SearchIndex.blockSize)
        let ids = stride(from: count, to: bytes.count, by: 4).map {
            Int64(bytes.littleEndian(at: $0, as: UInt32.self))
        }
        var rows = [RowSet](repeating: .none, count: ids.count)
        for row in 0..<count { rows[Int(bytes[row])].insert(row) }
        return (ids, rows, Array(bytes[0..<count]))
    }

    // MARK: - Fields

    /// A field of the block.
    struct FieldColumn {
        var number: Int
        var rows: RowSet
    }

    /// The field of that name: `.some(nil)` if no row has it, `nil` if that is not known.
    func field(named name: String) -> FieldColumn?? {
        let bytes = self.bytes(2)
        var offset = 1
        var number = 0
        while offset < bytes.count {
            let length = Int(bytes[offset])
            let stored = UnsafeRawBufferPointer(rebasing: bytes[offset + 1..<offset + 1 + length])
            offset += 1 + length
            if length == name.utf8.count, stored.elementsEqual(name.utf8) {
                return .some(FieldColumn(number: number, rows: RowSet(bytes, at: offset)))
            }
            offset += RowSet.byteCount
            number += 1
        }
        return bytes[0] == 1 ? .some(nil) : nil
    }

    /// The rows in which a field is a number that compares like this; the field is given by its number.
    func rows(field: Int, _ comparison: SearchExpression.Comparison, _ number: Double) -> RowSet {
        let bytes = self.bytes(3)
        var offset = 0
        while offset < bytes.count {
            if bytes[offset] == UInt8(field) {
                return NumberColumn.rows(bytes, at: offset + 1, where: comparison, number)
            }
            offset += 1 + NumberColumn.byteCount(bytes, at: offset + 1)
        }
        return .none
    }

    // MARK: - Words

    /// What rows are looked up by: 48 bits of the word's hash, the field, and room for the row.
    static func key(_ hash: UInt64, field: Int) -> UInt64 { hash & ~0xFFFF | UInt64(field) << 8 }

    var hasWords: Bool { !self.row.isNull(4) }

    /// The rows that have a word in a field, or in any.
    func rows(word hash: UInt64, field: Int?) -> RowSet {
        let first = Self.key(hash, field: field ?? 0)
        let last = first | (field == nil ? 0xFFFF : 0xFF)
        var rows = RowSet.none
        let few = self.bytes(4)
        var place = Self.lowerBound(of: first, in: few, count: few.count / 8)
        while place < few.count / 8 {
            let entry: UInt64 = few.littleEndian(at: place * 8)
            guard entry <= last else { break }
            rows.insert(Int(entry & 0xFF))
            place += 1
        }
        let many = self.bytes(5)
        let count = many.count / (8 + RowSet.byteCount)
        place = Self.lowerBound(of: first, in: many, count: count)
        while place < count, many.littleEndian(at: place * 8, as: UInt64.self) <= last {
            rows = rows | RowSet(many, at: count * 8 + place * RowSet.byteCount)
            place += 1
        }
        return rows
    }

    private static func lowerBound(of key: UInt64, in bytes: UnsafeRawBufferPointer, count: Int) -> Int {
        var lower = 0
        var upper = count
        while lower < upper {
            let middle = (lower + upper) / 2
            if bytes.littleEndian(at: middle * 8, as: UInt64.self) < key { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}

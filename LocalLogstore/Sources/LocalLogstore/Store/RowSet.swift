// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Some of the 256 rows of a block, as a bit for each.
struct RowSet: Equatable, Sendable {
    static let none = RowSet(bits: SIMD4(repeating: 0))
    static let all = RowSet(bits: SIMD4(repeating: .max))

    fileprivate var bits: SIMD4<UInt64>

    private init(bits: SIMD4<UInt64>) {
        self.bits = bits
    }

    /// The rows of a range within 0..<256.
    init(_ rows: Range<Int>) {
        self = .none
        for word in 0..<4 {
            let lower = Swift.max(rows.lowerBound - word * 64, 0)
            let upper = Swift.min(rows.upperBound - word * 64, 64)
            guard lower < upper else { continue }
            self.bits[word] = (.max >> UInt64(64 - (upper - lower))) << UInt64(lower)
        }
    }

    var isEmpty: Bool { self.bits == SIMD4(repeating: 0) }
    var count: Int { (0..<4).reduce(0) { $0 + self.bits[$1].nonzeroBitCount } }

    mutating func insert(_ row: Int) { self.bits[row >> 6] |= 1 << UInt64(row & 63) }

    mutating func remove(_ row: Int) { self.bits[row >> 6] &= ~(1 << UInt64(row & 63)) }

    func contains(_ row: Int) -> Bool { self.bits[row >> 6] >> UInt64(row & 63) & 1 == 1 }

    static func & (left: Self, right: Self) -> Self { Self(bits: left.bits & right.bits) }
    static func | (left: Self, right: Self) -> Self { Self(bits: left.bits | right.bits) }
    static prefix func ~ (set: Self) -> Self { Self(bits: ~set.bits) }

    // MARK: - As bytes

    static let byteCount = 32

    func append(to bytes: inout [UInt8]) {
        for word in 0..<4 { bytes.append(littleEndian: self.bits[word]) }
    }

    func append(to words: inout [UInt64]) {
        for word in 0..<4 { words.append(self.bits[word].littleEndian) }
    }

    /// From ``byteCount`` bytes at `offset`.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        self = .none
        for word in 0..<4 { self.bits[word] = bytes.littleEndian(at: offset + word * 8) }
    }
}

extension RowSet: Sequence {
    /// Goes from the first row to the last.
    struct Iterator: IteratorProtocol {
        fileprivate var rest: RowSet
        fileprivate var word = 0

        mutating func next() -> Int? {
            while self.rest.bits[self.word] == 0 {
                if self.word == 3 { return nil }
                self.word += 1
            }
            let bit = self.rest.bits[self.word].trailingZeroBitCount
            self.rest.bits[self.word] &= self.rest.bits[self.word] - 1
            return self.word * 64 + bit
        }
    }

    func makeIterator() -> Iterator { Iterator(rest: self) }

    var underestimatedCount: Int { self.count }
}

extension [UInt8] {
    mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { self.append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    func littleEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type = Number.self) -> Number {
        Number(littleEndian: self.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The numbers that one field has in the rows of a block.
struct NumberColumn {
    private var values = [Double](repeating: 0, count: Int(SearchIndex.blockSize))
    private var rows = RowSet.none
    private var isIntegral = true

    mutating func add(_ value: Double, at row: Int) {
        self.values[row] = value
        self.rows.insert(row)
        if !(abs(value) <= 0x1p53 && value == value.rounded()) { self.isIntegral = false }
    }

    // MARK: - As bytes

    // The kind (bytes of a value; 9 for floating point), the least and the greatest number, the rows that have one, and
    // the values of all rows: for integers how much greater they are than the least.
    private static let floatingPoint: UInt8 = 9
    private static let headerCount = 1 + 16 + RowSet.byteCount

    func append(to bytes: inout [UInt8]) {
        var least = Double.infinity
        var greatest = -Double.infinity
        for row in self.rows {
            // Not a number is neither, and compares with nothing.
            if self.values[row] < least { least = self.values[row] }
            if self.values[row] > greatest { greatest = self.values[row] }
        }
        let span = self.isIntegral && least <= greatest ? Int64(greatest) - Int64(least) : .max
        let kind: UInt8 =
            if !self.isIntegral { Self.floatingPoint } else {
                span <= UInt8.max ? 1 : span <= UInt16.max ? 2 : span <= UInt32.max ? 4 : 8
            }
        bytes.append(kind)
        bytes.append(littleEndian: least.bitPattern)
        bytes.append(littleEndian: greatest.bitPattern)
        self.rows.append(to: &bytes)
        for (row, value) in self.values.enumerated() {
            if kind == Self.floatingPoint {
                bytes.append(littleEndian: value.bitPattern)
                continue
            }
            let offset = self.rows.contains(row) ? UInt64(Int64(value) - Int64(least)) : 0
            switch kind {
            case 1: bytes.append(UInt8(offset))
            case 2: bytes.append(littleEndian: UInt16(offset))
            case 4: bytes.append(littleEndian: UInt32(offset))
            default: bytes.append(littleEndian: offset)
            }
        }
    }

    /// How many bytes the column at `offset` takes.
    static func byteCount(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        let width = bytes[offset] == self.floatingPoint ? 8 : Int(bytes[offset])
        return self.headerCount + width * Int(SearchIndex.blockSize)
    }

    /// The rows of the column at `offset` whose number compares like this.
    static func rows(
        _ bytes: UnsafeRawBufferPointer,
        at offset: Int,
        where comparison: SearchExpression.Comparison,
        _ number: Double
    ) -> RowSet {
        let least = Double(bitPattern: bytes.littleEndian(at: offset + 1))
        let greatest = Double(bitPattern: bytes.littleEndian(at: offset + 9))
        guard comparison.canHold(between: least, and: greatest, number) else { return .none }
        let present = RowSet(bytes, at: offset + 17)
        let start = offset + self.headerCount
        var rows = RowSet.none
        func scan(_ value: (Int) -> Double) {
            for row in 0..<Int(SearchIndex.blockSize) where comparison.holds(value(row), number) { rows.insert(row) }
        }
        switch bytes[offset] {
        case 1: scan { Double(bytes[start + $0]) + least }
        case 2: scan { Double(bytes.littleEndian(at: start + $0 * 2, as: UInt16.self)) + least }
        case 4: scan { Double(bytes.littleEndian(at: start + $0 * 4, as: UInt32.self)) + least }
        case 8: scan { Double(Int64(least) + bytes.littleEndian(at: start + $0 * 8, as: Int64.self)) }
        default: scan { Double(bitPattern: bytes.littleEndian(at: start + $0 * 8)) }
        }
        return rows & present
    }

    // MARK: - Numbers in text

    /// The number that a text is; `nil` if it is none. Most text is decided by a look at its bytes.
    static func number(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        var digits = text[...]
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { digits.removeFirst() }
        guard let first = digits.first else { return nil }
        switch first {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."):
            // Hexadecimal has an x behind the first digit.
            if digits.count > 1, digits[digits.startIndex + 1] | 0x20 == UInt8(ascii: "x") { break }
            var value: Int64 = 0
            var isInteger = digits.count <= 15
            for byte in digits {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"):
                    if isInteger { value = value * 10 + Int64(byte - UInt8(ascii: "0")) }
                case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                    isInteger = false
                default: return nil
                }
            }
            if isInteger { return Double(text[0] == UInt8(ascii: "-") ? -value : value) }
        // Infinity, and what is not a number.
        case UInt8(ascii: "i"), UInt8(ascii: "I"), UInt8(ascii: "n"), UInt8(ascii: "N"): break
        default: return nil
        }
        return Double(String(decoding: text, as: UTF8.self))
    }
}

extension SearchExpression.Comparison {
    /// Whether it can hold for any number from `least` to `greatest`.
    fileprivate func canHold(between least: Double, and greatest: Double, _ number: Double) -> Bool {
        switch self {
        case .less, .lessOrEqual: self.holds(least, number)
        case .greater, .greaterOrEqual: self.holds(greatest, number)
        case .equal: least <= number && number <= greatest
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Writes numbers as decimal text.
enum DecimalDigits {
    /// The most digits that a number can have.
    static let longest = 20

    /// The number of decimal digits of `number`.
    static func count(_ number: UInt64) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while number >= bound {
            count &+= 1
            // The next power of ten is past the type's range.
            if count == Self.longest { break }
            bound = bound &* 10
        }
        return count
    }

    /// Writes the digits of `number` to `target`, which has room for ``longest`` bytes. Returns the number of digits.
    @inline(__always)
    static func write(_ number: UInt64, to target: UnsafeMutableRawPointer) -> Int {
        let count = Self.count(number)
        self.write(number, count: count, to: target)
        return count
    }

    /// Writes the digits of `number`, of which there are `count`.
    @inline(__always)
    static func write(_ number: UInt64, count: Int, to target: UnsafeMutableRawPointer) {
        var rest = number
        var position = count
        while position >= 2 {
            position &-= 2
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            target.storeBytes(of: Self.pair(pair).littleEndian, toByteOffset: position, as: UInt16.self)
            rest = quotient
        }
        if position == 1 { target.storeBytes(of: UInt8(truncatingIfNeeded: rest) &+ 0x30, as: UInt8.self) }
    }

    /// Writes `number`, which is below 1,000,000,000, as nine digits with leading zeros.
    @inline(__always)
    static func writeNine(_ number: UInt32, to target: UnsafeMutableRawPointer) {
        var rest = number
        var position = 9
        while position > 1 {
            position &-= 2
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            target.storeBytes(of: Self.pair(UInt64(pair)).littleEndian, toByteOffset: position, as: UInt16.self)
            rest = quotient
        }
        target.storeBytes(of: UInt8(truncatingIfNeeded: rest) &+ 0x30, as: UInt8.self)
    }

    /// Two digits as text, the first one in the low byte. For `number` up to 99, `number * 103 >> 10` is `number / 10`.
    @inline(__always)
    private static func pair(_ number: UInt64) -> UInt16 {
        let tens = (number &* 103) &>> 10
        let ones = number &- tens &* 10
        return UInt16(truncatingIfNeeded: tens | ones &<< 8) &+ 0x3030
    }
}

extension UInt8 {
    /// The digit of a number below 16, in lower case.
    @inline(__always)
    var hexadecimalDigit: UInt8 { self < 10 ? self &+ 0x30 : self &+ 0x57 }
}

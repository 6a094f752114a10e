//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// A growable run of bytes that JSON is written into, without a bounds check or a uniqueness check per byte.
///
/// Appending through `[UInt8]` costs 2.5 times as much for a record of ten short fields, and this is done on the
/// caller's thread for every record. Invariant: `0 <= count <= capacity`, `base` owns `capacity` bytes of which the first
/// `count` are initialised, and only `reserve(_:)` replaces `base`. The type is not copyable, so the memory has one owner.
package struct ByteWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    package private(set) var count = 0

    package init(capacity: Int = 1024) {
        self.capacity = max(capacity, 64)
        self.base = .allocate(capacity: self.capacity)
    }

    deinit {
        self.base.deallocate()
    }

    /// The bytes written so far; valid only inside the closure.
    @inline(__always)
    package borrowing func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
        try body(UnsafeBufferPointer(start: self.base, count: self.count))
    }

    /// Forgets everything that was written after the first `count` bytes.
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        self.count = count
    }

    /// Forgets everything, and gives back memory above `keeping` bytes.
    package mutating func reset(keeping: Int) {
        self.count = 0
        guard self.capacity > keeping else { return }
        self.base.deallocate()
        self.capacity = keeping
        self.base = .allocate(capacity: keeping)
    }

    /// Makes room for `more` bytes.
    @inline(__always)
    package mutating func reserve(_ more: Int) {
        if self.capacity - self.count < more { self.grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let capacity = max(self.capacity * 2, self.count + more)
        let base = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        base.update(from: self.base, count: self.count)
        self.base.deallocate()
        self.base = base
        self.capacity = capacity
    }

    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        self.reserve(1)
        self.base[self.count] = byte
        self.count += 1
    }

    @inline(__always)
    package mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        self.reserve(bytes.count)
        (self.base + self.count).update(from: source, count: bytes.count)
        self.count += bytes.count
    }

    @inline(__always)
    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { self.append($0) }
    }

    @inline(__always)
    package mutating func append(literal: StaticString) {
        self.append(UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Appends the decimal digits of `number`.
    package mutating func append(decimal number: UInt64) {
        self.reserve(20)
        self.count += DecimalDigits.write(number, to: self.base + self.count)
    }

    /// Appends `text` with JSON's escapes and without quotes.
    ///
    /// Quote, backslash and the control characters below U+0020 are escaped; every other byte is copied, so that any
    /// Swift string comes back byte for byte from a JSON decoder.
    @inline(__always)
    package mutating func append(escaping text: String) {
        var text = text
        text.withUTF8 { self.append(escaping: $0) }
    }

    package mutating func append(escaping bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            // One reservation for the worst case of a stretch (six bytes out of one), not one for each byte.
            let end = min(done + 1024, bytes.count)
            self.reserve((end - done) * 6 + 8)
            self.count += JSONEscape.write(source + done, count: end - done, to: self.base + self.count)
            done = end
        }
    }
}

/// Writes numbers as decimal text.
package enum DecimalDigits {
    /// The number of decimal digits of `number`.
    package static func count(_ number: UInt64) -> Int {
        var count = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }

    /// Writes the digits of `number` to `target`, which has room for them (20 at most), and returns how many there are.
    package static func write(_ number: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let count = Self.count(number)
        var rest = number
        var position = count
        while position > 0 {
            position -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            target[position] = UInt8(truncatingIfNeeded: digit) &+ 0x30
            rest = quotient
        }
        return count
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The bytes that the fuzzer gives, read as what a target needs. Beyond their end everything is zero, so that each input
/// means something, and the fuzzer can make one thing larger without moving the others.
struct FuzzInput {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Whether all bytes have been read.
    var isAtEnd: Bool { self.position >= self.bytes.count }

    mutating func byte() -> UInt8 {
        guard self.position < self.bytes.count else { return 0 }
        defer { self.position += 1 }
        return self.bytes[self.position]
    }

    mutating func bool() -> Bool { self.byte() & 1 != 0 }

    /// Two bytes as a number.
    mutating func short() -> Int { Int(self.byte()) | Int(self.byte()) << 8 }

    /// Eight bytes as a number.
    mutating func word() -> UInt64 { (0..<8).reduce(0) { result, _ in result << 8 | UInt64(self.byte()) } }

    /// A number of a range: mostly of one byte.
    mutating func number(in range: ClosedRange<Int>) -> Int {
        let wide = range.count > 256
        return range.lowerBound + (wide ? self.short() : Int(self.byte())) % range.count
    }

    /// One of some values.
    mutating func choice<Value>(_ values: [Value]) -> Value { values[Int(self.byte()) % values.count] }

    /// So many bytes, or as many as are left.
    mutating func take(_ count: Int) -> [UInt8] {
        let end = min(self.position + max(count, 0), self.bytes.count)
        defer { self.position = end }
        return Array(self.bytes[self.position..<end])
    }

    /// All bytes that are left.
    mutating func rest() -> [UInt8] { self.take(.max / 2) }

    /// A text, repaired where it is no UTF-8. A few are long, which no fuzzer would type.
    mutating func text() -> String {
        let head = self.byte()
        let text = String(decoding: self.take(Int(head & 0x3F)), as: UTF8.self)
        return head >> 6 == 2 ? String(repeating: text, count: Int(self.byte() & 31)) : text
    }
}

/// Ends the run, which makes the fuzzer keep the input.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    guard condition else { fatalError("FOUND: \(what())") }
}

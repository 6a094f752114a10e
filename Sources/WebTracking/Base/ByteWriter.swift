// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A growable buffer of bytes for JSON, without a bounds check or a uniqueness check for each byte.
///
/// Appending through `[UInt8]` costs 2.5 times as much for a record of ten short fields, and this is done on the
/// caller's thread for every record. Invariant: `0 <= count <= capacity`, `base` owns `capacity` bytes of which the first
/// `count` are initialised, and only `grow(_:)` and `reset(keeping:)` replace `base`. The type is not copyable, so the
/// memory has one owner.
package struct ByteWriter: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    package private(set) var count = 0

    package init(capacity: Int = 1024) {
        self.capacity = max(capacity, 64)
        self.base = .allocate(byteCount: self.capacity, alignment: 8)
    }

    deinit {
        self.base.deallocate()
    }

    /// The bytes written so far; valid only inside the closure.
    @inline(__always)
    package borrowing func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(start: self.base, count: self.count))
    }

    /// Forgets everything that was written after the first `count` bytes.
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        self.count = count
    }

    /// Forgets everything, and frees memory above `keeping` bytes.
    @inline(__always)
    package mutating func reset(keeping: Int) {
        self.count = 0
        if self.capacity > keeping { self.shrink(to: keeping) }
    }

    @inline(never)
    private mutating func shrink(to capacity: Int) {
        self.base.deallocate()
        self.capacity = capacity
        self.base = .allocate(byteCount: capacity, alignment: 8)
    }

    /// Makes room for `more` bytes.
    @inline(__always)
    package mutating func reserve(_ more: Int) {
        if self.capacity &- self.count < more { self.grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let capacity = max(self.capacity * 2, self.count + more)
        let base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        base.copyMemory(from: self.base, byteCount: self.count)
        self.base.deallocate()
        self.base = base
        self.capacity = capacity
    }

    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        self.reserve(1)
        self.base.storeBytes(of: byte, toByteOffset: self.count, as: UInt8.self)
        self.count &+= 1
    }

    @inline(__always)
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        self.reserve(bytes.count)
        (self.base + self.count).copyMemory(from: source, byteCount: bytes.count)
        self.count &+= bytes.count
    }

    @inline(__always)
    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.append($0) }
    }

    @inline(__always)
    package mutating func append(literal: StaticString) {
        self.append(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Makes room for `room` bytes, calls `body` with the place for them, and counts as many as `body` says it has
    /// written.
    @inline(__always)
    package mutating func append(room: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        self.reserve(room)
        self.count &+= body(self.base + self.count)
    }

    /// Appends the decimal digits of `number`.
    package mutating func append(decimal number: UInt64) {
        self.append(room: DecimalDigits.longest) { DecimalDigits.write(number, to: $0) }
    }

    /// Appends `text` with JSON's escapes and without quotes.
    ///
    /// Escapes quotes, backslashes and the control characters below U+0020, and copies all other bytes. A JSON decoder
    /// then decodes every Swift string byte for byte.
    @inline(__always)
    package mutating func append(escaping text: String) {
        text.withBytes { self.append(escaping: $0) }
    }

    /// The same with the quote behind it that ends a string.
    @inline(__always)
    mutating func append(escapingToQuote bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count <= 1024 else {
            self.append(escaping: bytes)
            return self.append(UInt8(ascii: "\""))
        }
        // The room has place for the quote: that of the last store is larger than what is written.
        self.append(room: JSONEscape.room(for: bytes.count)) { target in
            let end = JSONEscape.write(source, count: bytes.count, to: target)
            target.storeBytes(of: UInt8(ascii: "\""), toByteOffset: end, as: UInt8.self)
            return end &+ 1
        }
    }

    package mutating func append(escaping bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        var done = 0
        repeat {
            // One reservation for up to 1,024 bytes (each may become six), instead of one for each byte.
            let count = min(bytes.count &- done, 1024)
            self.append(room: JSONEscape.room(for: count)) { JSONEscape.write(source + done, count: count, to: $0) }
            done &+= count
        } while done < bytes.count
    }
}

extension String {
    /// The bytes of the string in UTF-8; valid only inside the closure.
    @inline(__always)
    borrowing func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        #if canImport(Darwin)
        // Before macOS 26, a string has no span. A string bridged from Objective-C has no contiguous bytes.
        let text = copy self
        if let result = text.utf8.withContiguousStorageIfAvailable({ body(UnsafeRawBufferPointer($0)) }) {
            return result
        }
        return Array(text.utf8).withUnsafeBytes(body)
        #else
        // A span gives access to the bytes without counting a reference.
        return self.utf8.span.bytes.withUnsafeBytes { body($0) }
        #endif
    }
}

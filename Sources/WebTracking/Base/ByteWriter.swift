// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A growable run of bytes that JSON is written into, without a bounds check or a uniqueness check per byte.
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

    /// Forgets everything, and gives back memory above `keeping` bytes.
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

    /// Calls `body` with the place behind what was written, where `room` bytes may be written, and takes over as many
    /// as it says.
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
    /// Quote, backslash and the control characters below U+0020 are escaped; every other byte is copied, so that any
    /// Swift string comes back byte for byte from a JSON decoder.
    @inline(__always)
    package mutating func append(escaping text: String) {
        text.withBytes { self.append(escaping: $0) }
    }

    package mutating func append(escaping bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        var done = 0
        repeat {
            // One reservation for the worst case of a stretch (six bytes out of one), not one for each byte.
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
        // Spans of strings came with macOS 26. One bridged from Objective-C has no bytes to lend.
        let text = copy self
        if let result = text.utf8.withContiguousStorageIfAvailable({ body(UnsafeRawBufferPointer($0)) }) {
            return result
        }
        return Array(text.utf8).withUnsafeBytes(body)
        #else
        // Lends the bytes, without counting a reference.
        return self.utf8.span.bytes.withUnsafeBytes { body($0) }
        #endif
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Eight numbers stored in place, so that counting on the logging path allocates nothing.
///
/// Not a SIMD vector: if a value with larger alignment lives across an `await`, the optimiser places it past the end of
/// the task's frame (found by the address sanitizer with Swift 6.3.1 on Linux).
struct Counts8: Sendable, Equatable {
    private var counts = (0, 0, 0, 0, 0, 0, 0, 0)
    private static let stride = MemoryLayout<Int>.stride

    /// The number at `index`, from 0 to 7.
    subscript(index: Int) -> Int {
        @inline(__always)
        get {
            withUnsafeBytes(of: self.counts) { $0.load(fromByteOffset: (index & 7) &* Self.stride, as: Int.self) }
        }
        @inline(__always)
        set {
            // A tuple of equal types has the memory layout of an array.
            withUnsafeMutableBytes(of: &self.counts) {
                $0.storeBytes(of: newValue, toByteOffset: (index & 7) &* Self.stride, as: Int.self)
            }
        }
    }

    /// Adds `number` in place.
    @inline(__always)
    mutating func add(_ number: Int, at index: Int) {
        withUnsafeMutableBytes(of: &self.counts) { bytes in
            let offset = (index & 7) &* Self.stride
            bytes.storeBytes(
                of: bytes.load(fromByteOffset: offset, as: Int.self) &+ number,
                toByteOffset: offset,
                as: Int.self
            )
        }
    }

    static func == (left: Counts8, right: Counts8) -> Bool {
        (0..<8).allSatisfy { left[$0] == right[$0] }
    }

    /// The sum of all numbers.
    var total: Int { (0..<8).reduce(0) { $0 &+ self[$1] } }

    static func += (left: inout Counts8, right: Counts8) {
        for index in 0..<8 { left[index] &+= right[index] }
    }

    static func -= (left: inout Counts8, right: Counts8) {
        for index in 0..<8 { left[index] &-= right[index] }
    }
}

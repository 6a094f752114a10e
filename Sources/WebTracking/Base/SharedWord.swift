// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Numbers in memory that another thread, or another process after this one has died, may read. A number is stored as a
/// whole, and only after all earlier stores (release order).
enum SharedWord {
    /// The number as a whole, and all that was stored before it.
    @inline(__always)
    static func load(_ place: UnsafeMutableRawPointer) -> UInt64 {
        UInt64(littleEndian: place.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring))
    }

    @inline(__always)
    static func store(_ value: UInt64, to place: UnsafeMutableRawPointer) {
        place.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(value.littleEndian, ordering: .releasing)
    }

    static func store(_ value: UInt32, to place: UnsafeMutableRawPointer) {
        place.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.store(value.littleEndian, ordering: .releasing)
    }
}

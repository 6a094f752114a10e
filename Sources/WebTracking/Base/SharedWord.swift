// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Numbers in memory that another process reads after this one has died: stored whole, and after everything that was
/// stored before them.
enum SharedWord {
    @inline(__always)
    static func store(_ value: UInt64, to place: UnsafeMutableRawPointer) {
        place.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(value.littleEndian, ordering: .releasing)
    }

    static func store(_ value: UInt32, to place: UnsafeMutableRawPointer) {
        place.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.store(value.littleEndian, ordering: .releasing)
    }
}

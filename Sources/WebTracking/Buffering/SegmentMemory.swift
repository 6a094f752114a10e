//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// The memory of one segment: the request body from the front, a mark for each record from the back.
///
/// A reference to raw memory and not an array, since every record is copied into it: appending to two arrays costs four
/// times as much as copying and storing.
///
/// Invariant (which makes it sendable): only the segment that was made with the memory writes to it, and a segment is
/// written to only in its topic's critical section, before it is sealed. Memory is given to the recycler when its
/// segment is done with, and not looked at through that segment any more.
final class SegmentMemory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let capacity: Int

    init(capacity: Int) {
        self.capacity = Self.rounded(capacity)
        self.base = .allocate(byteCount: self.capacity, alignment: 16)
    }

    /// The capacity that memory asked for with `capacity` has: the marks at its end need their alignment.
    static func rounded(_ capacity: Int) -> Int { (capacity + 15) & ~15 }

    /// Copies `bytes` to the place `offset`.
    func write(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= self.capacity)
        bytes.withUnsafeBytes {
            guard let start = $0.baseAddress else { return }
            (self.base + offset).copyMemory(from: start, byteCount: $0.count)
        }
    }

    deinit {
        self.base.deallocate()
    }
}

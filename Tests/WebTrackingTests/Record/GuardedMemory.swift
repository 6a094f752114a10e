// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Bytes to be read, with pages on both sides that nobody may touch: a read of one byte too many ends the process.
///
/// Invariant: `base` owns three pages, of which the middle one may be read and written.
final class FencedBytes {
    private let base: UnsafeMutableRawPointer
    private static let page = Int(getpagesize())

    init() {
        let flags = MAP_PRIVATE | MAP_ANON
        guard let memory = mmap(nil, 3 * Self.page, PROT_NONE, flags, -1, 0), memory != MAP_FAILED,
            mprotect(memory + Self.page, Self.page, PROT_READ | PROT_WRITE) == 0
        else { preconditionFailure("no memory") }
        self.base = memory
    }

    deinit {
        munmap(self.base, 3 * Self.page)
    }

    /// Calls `body` with `bytes` right behind the first fence, and once more with them right before the second one.
    func atBothEnds(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        precondition(bytes.count <= Self.page)
        for offset in [0, Self.page - bytes.count] {
            let place = UnsafeMutableRawBufferPointer(start: self.base + Self.page + offset, count: bytes.count)
            place.copyBytes(from: bytes)
            try body(UnsafeRawBufferPointer(place))
        }
    }
}

/// Room to write into, with bytes around it that tell whether something else was written.
final class GuardedRoom {
    private static let guardCount = 64
    private let all: UnsafeMutableRawBufferPointer
    private let pattern: UInt8
    let count: Int

    init(count: Int, pattern: UInt8) {
        self.count = count
        self.pattern = pattern
        self.all = .allocate(byteCount: count + 2 * Self.guardCount, alignment: 1)
        self.all.initializeMemory(as: UInt8.self, repeating: pattern)
    }

    deinit {
        self.all.deallocate()
    }

    /// Where the room begins.
    var start: UnsafeMutableRawPointer { self.all.baseAddress.unsafelyUnwrapped + Self.guardCount }

    /// The first `count` bytes of the room.
    func prefix(_ count: Int) -> [UInt8] {
        Array(self.all[Self.guardCount..<Self.guardCount + count])
    }

    /// Whether nothing but the first `count` bytes of the room was written.
    func isUntouched(behind count: Int? = nil) -> Bool {
        let end = Self.guardCount + (count ?? self.count)
        return self.all[..<Self.guardCount].allSatisfy { $0 == self.pattern }
            && self.all[end...].allSatisfy { $0 == self.pattern }
    }
}

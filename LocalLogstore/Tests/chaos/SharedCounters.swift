// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Numbers in a file that is mapped, which outlive the process that counts.
///
/// Invariant (which makes it sendable): the mapping is never undone, and its words are only used as atomics.
final class SharedCounters: @unchecked Sendable {
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    let count: Int

    init(path: String, count: Int) throws {
        let bytes = (count * 8 + 4095) & ~4095
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure(call: "open", code: errno) }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(bytes)) == 0,
            let page = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), page != MAP_FAILED
        else { throw SystemFailure(call: "mmap", code: errno) }
        self.words = page.assumingMemoryBound(to: Atomic<UInt64>.self)
        self.count = count
    }

    subscript(index: Int) -> UInt64 {
        get { self.words[index].load(ordering: .acquiring) }
        set { self.words[index].store(newValue, ordering: .releasing) }
    }

    func increment(_ index: Int) {
        self.words[index].add(1, ordering: .relaxed)
    }
}

struct SystemFailure: Error, CustomStringConvertible {
    var call: String
    var code: CInt
    var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }
}

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

/// Writes lines to a file descriptor that nobody may be reading, without ever waiting for that.
final class LineWriter: Sendable {
    private let descriptor: CInt
    private let forks = ForkCount.current
    private let queue = Lock(LineQueue())
    private let thread = WriteThread()

    init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Standard error's, which all producers of the process share, so that one thread waits at the most.
    static var standardError: LineWriter {
        while true {
            let bits = self.shared.load(ordering: .acquiring)
            if let pointer = UnsafeRawPointer(bitPattern: bits) {
                let writer = Unmanaged<LineWriter>.fromOpaque(pointer).takeUnretainedValue()
                // After a fork its thread is not there, and its locks may be held by one that is not there either.
                if writer.forks == ForkCount.current { return writer }
            }
            // There is one for each fork, and it is never given up.
            let new = Unmanaged.passRetained(LineWriter(STDERR_FILENO))
            let newBits = UInt(bitPattern: new.toOpaque())
            if self.shared.compareExchange(expected: bits, desired: newBits, ordering: .acquiringAndReleasing).exchanged
            {
                return new.takeUnretainedValue()
            }
            new.release()
        }
    }

    private static let shared = Atomic<UInt>(0)

    /// Writes lines, each with its line feed, as soon as it can be done; if too many wait already, they are counted instead,
    /// and the next that are written tell of it.
    func append(_ lines: String) {
        guard self.queue.withLock({ $0.append(lines) }) else { return }
        _ = self.thread.run { self.writeAll() }
    }

    /// Calls `body` once all that was appended before is written or let go; maybe on this thread and at once.
    func whenWritten(_ body: @escaping @Sendable () -> Void) {
        if !self.thread.run(body) { body() }
    }

    private func writeAll() {
        while let text = self.queue.withLock({ $0.next() }) {
            // One that cannot be written is let go: whoever was to read it may be gone for good.
            if let left = self.queue.withLock({ $0.takeLeft() }), !self.write(left.text) {
                self.queue.withLock { $0.putBack(left.count) }
            }
            if !self.write(text) { self.queue.withLock { $0.leave(text) } }
        }
    }

    private func write(_ text: String) -> Bool {
        var text = text
        // One call, so that lines of several processes stay whole.
        return text.withUTF8 { WriteThread.write(UnsafeRawBufferPointer($0), to: self.descriptor) == nil }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTrackingPlatform

/// Writes lines to a file descriptor. It never waits for the reader of that descriptor.
final class LineWriter: Sendable {
    private let descriptor: CInt
    private let forks = ForkCount.current
    private let queue = Lock(LineQueue())
    private let thread = WriteThread()

    init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// The writer of standard error. All producers of the process share it, so that at most one thread waits.
    ///
    /// Found without a lock: in a child of `fork`, a thread that exists only in the parent may hold it.
    static var standardError: LineWriter {
        while true {
            // Acquiring, so that the fields of a writer that another thread has stored below are visible here.
            let bits = self.shared.load(ordering: .acquiring)
            if let pointer = UnsafeRawPointer(bitPattern: bits) {
                let writer = Unmanaged<LineWriter>.fromOpaque(pointer).takeUnretainedValue()
                // The child of a fork needs a new one: its parent's thread does not exist there, and may have held the
                // locks.
                if writer.forks == ForkCount.current { return writer }
            }
            // Never released: there is only one for each fork, and any thread may still use it.
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

    /// Writes lines, each with its line feed, as soon as possible. If too many lines already wait, drops these. The next
    /// text begins with their number.
    func append(_ lines: String) {
        guard self.queue.withLock({ $0.append(lines) }) else { return }
        // If no thread can be made now, the lines stay in the queue, and the next ones try again.
        _ = self.thread.run { self.writeAll() }
    }

    /// Calls `body` when all lines so far are written or dropped. If no thread can start, calls it at once.
    func whenWritten(_ body: @escaping @Sendable () -> Void) {
        if !self.thread.run(body) { body() }
    }

    private func writeAll() {
        while let text = self.queue.withLock({ $0.next() }) {
            // A report or text that cannot be written is dropped and counted: the reader may be gone for good.
            if let report = self.queue.withLock({ $0.takeDropReport() }), !self.write(report.text) {
                self.queue.withLock { $0.restoreDropped(report.count) }
            }
            if !self.write(text) { self.queue.withLock { $0.countDropped(text) } }
        }
    }

    private func write(_ text: String) -> Bool {
        var text = text
        // One call of `write`, so that lines of several processes do not mix.
        return text.withUTF8 { WriteThread.write(UnsafeRawBufferPointer($0), to: self.descriptor) == nil }
    }
}

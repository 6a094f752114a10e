// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
import SystemPackage

/// Writes to standard error, which may have no reader: a full pipe, or a stopped terminal.
///
/// Only one thread waits for the reader, and it is not one of Swift's: shipping goes on, and the program can end.
final class ErrorOutput: Sendable {
    static let shared = ErrorOutput((try? FileDescriptor.standardError.inherited()) ?? .standardError)

    /// How many texts may wait; what is beyond is left out.
    private static let room = 64
    /// How long a caller waits for its text to be written, so that what is said last has been said.
    private static let patience = DispatchTimeInterval.milliseconds(100)

    private let descriptor: FileDescriptor
    private let queue = DispatchQueue(label: "webtracking.standard-error")
    private let waiting = Mutex(0)

    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Writes text as soon as that can be done; `false` if it is left out.
    ///
    /// - Parameter isTransient: Whether it is of no use any more once something else waits.
    @discardableResult
    func write(_ text: String, isTransient: Bool = false) -> Bool {
        let before = self.waiting.withLock { waiting -> Int? in
            guard waiting < (isTransient ? 1 : Self.room) else { return nil }
            waiting += 1
            return waiting - 1
        }
        guard let before else { return false }
        let written = DispatchSemaphore(value: 0)
        self.queue.async { [descriptor] in
            // There is no place left to report a failure.
            _ = try? descriptor.writeAll(text.utf8)
            self.waiting.withLock { $0 -= 1 }
            written.signal()
        }
        // If a text waits already, there is no reader.
        if before == 0 { _ = written.wait(timeout: .now() + Self.patience) }
        return true
    }
}

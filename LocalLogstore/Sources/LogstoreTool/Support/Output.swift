// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Writes to a file descriptor, in blocks.
///
/// Text is lost if neither ``flush()`` nor a full block follows. Both throw the system's error.
struct Output {
    private static let blockSize = 64 * 1024

    private let descriptor: FileDescriptor
    private var buffer: [UInt8] = []

    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    mutating func write(_ text: String) throws {
        self.buffer.append(contentsOf: text.utf8)
        if self.buffer.count >= Self.blockSize { try self.flush() }
    }

    mutating func flush() throws {
        _ = try self.descriptor.writeAll(self.buffer)
        self.buffer.removeAll(keepingCapacity: true)
    }

    /// Whether somebody may still read: `false` once a pipe's reader or a terminal is gone, which a writer learns with its
    /// next text only, and that may be long in coming.
    var hasReader: Bool {
        // Both are told without being asked for: POLLERR by Linux, POLLHUP by others.
        var state = pollfd(fd: self.descriptor.rawValue, events: 0, revents: 0)
        return poll(&state, 1, 0) < 1 || state.revents & Int16(POLLERR | POLLHUP) == 0
    }

    /// Whether the standard output is a terminal.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether somebody reads a question, and can answer it.
    static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Writes one line to the standard output at once.
    static func line(_ text: String) throws {
        var output = Output(.standardOutput)
        try output.write(text + "\n")
        try output.flush()
    }

    /// Writes one line to the standard error; see ``ErrorOutput``.
    static func note(_ text: String) {
        ErrorOutput.shared.write(text + "\n")
    }
}

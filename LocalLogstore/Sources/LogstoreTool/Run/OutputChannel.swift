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

/// What a program writes to, and where this process reads it.
struct OutputChannel {
    let readEnd: FileDescriptor
    let writeEnd: FileDescriptor

    private init(readEnd: FileDescriptor, writeEnd: FileDescriptor) throws {
        self.readEnd = readEnd
        self.writeEnd = writeEnd
        for end in [readEnd, writeEnd] { try end.closeOnExec() }
        // That of the reader alone: the writer's end is a description of its own.
        try readEnd.setNonBlocking()
    }

    static func pipe() throws -> OutputChannel {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        return try OutputChannel(readEnd: readEnd, writeEnd: writeEnd)
    }

    /// Gives the program's terminal the size of ours.
    func takeWindowSize() {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 else { return }
        _ = ioctl(self.readEnd.rawValue, UInt(TIOCSWINSZ), &size)
    }

    /// A pseudo-terminal, so that a C program writes its lines as they come.
    ///
    /// It is nobody's controlling terminal, and turns no line feed into something else.
    static func terminal() throws -> OutputChannel {
        // Where there is none, programs take a usual one.
        var size = winsize()
        _ = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        var number: Int32 = -1
        var writer: Int32 = -1
        var settings = termios()
        guard openpty(&number, &writer, nil, nil, &size) == 0, tcgetattr(writer, &settings) == 0 else {
            throw Errno(rawValue: errno)
        }
        settings.c_oflag &= ~tcflag_t(OPOST)
        guard tcsetattr(writer, TCSANOW, &settings) == 0 else { throw Errno(rawValue: errno) }
        return try OutputChannel(
            readEnd: FileDescriptor(rawValue: number),
            writeEnd: FileDescriptor(rawValue: writer)
        )
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import SystemPackage

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Turns signals into a stream.
///
/// Not by UnixSignals: its signals do not say who sent them, so that control-C would reach the program twice.
struct SignalStream {
    let signals: AsyncStream<ReceivedSignal>
    /// Those that were not ignored before, and are to have their usual meaning in a program that is started.
    let caught: [Int32]

    /// Where the handler writes to.
    nonisolated(unsafe) private static var descriptor: Int32 = -1

    /// Catches the signals for as long as the process lives.
    static func start(_ numbers: [Int32]) throws -> SignalStream {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        for end in [readEnd, writeEnd] { try end.closeOnExec() }
        // A handler must not wait.
        try writeEnd.setNonBlocking()
        self.descriptor = writeEnd.rawValue
        // A reader that is gone is an error of the write.
        let caught = numbers.filter(self.catchSignal) + (self.ignoreSignal(SIGPIPE) ? [SIGPIPE] : [])
        let (signals, continuation) = AsyncStream.makeStream(of: ReceivedSignal.self)
        OwnThread.start("signals") {
            var bytes: [UInt8] = [0, 0]
            while (try? bytes.withUnsafeMutableBytes({ try readEnd.read(into: $0) })) == 2 {
                continuation.yield(ReceivedSignal(number: Int32(bytes[0]), isKernels: bytes[1] == 1))
            }
        }
        return SignalStream(signals: signals, caught: caught)
    }

    /// Returns `false` for one that is ignored, as SIGHUP is under nohup: it stays so. But for SIGCHLD: where that is
    /// ignored, the system keeps no status.
    private static func catchSignal(_ number: Int32) -> Bool {
        var old = sigaction()
        guard sigaction(number, nil, &old) == 0, !old.isIgnored || number == SIGCHLD else { return false }
        var new = sigaction()
        new.setHandler { number, info, _ in
            let error = errno
            var message = (UInt8(truncatingIfNeeded: number), UInt8((info?.pointee.si_code ?? 0) > 0 ? 1 : 0))
            _ = write(SignalStream.descriptor, &message, 2)
            errno = error
        }
        new.sa_flags = Int32(SA_SIGINFO) | Int32(SA_RESTART)
        return sigaction(number, &new, nil) == 0
    }

    /// Returns `false` for one that was ignored already.
    private static func ignoreSignal(_ number: Int32) -> Bool {
        var old = sigaction()
        guard sigaction(number, nil, &old) == 0, !old.isIgnored else { return false }
        signal(number, SIG_IGN)
        return true
    }
}

extension sigaction {
    #if canImport(Darwin)
    fileprivate var isIgnored: Bool {
        unsafeBitCast(self.__sigaction_u.__sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    fileprivate mutating func setHandler(
        _ handler: @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void
    ) {
        self.__sigaction_u.__sa_sigaction = handler
    }
    #else
    fileprivate var isIgnored: Bool {
        unsafeBitCast(self.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    fileprivate mutating func setHandler(
        _ handler: @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void
    ) {
        self.__sigaction_handler.sa_sigaction = handler
    }
    #endif
}

extension FileDescriptor {
    /// Keeps it from programs that are started.
    func closeOnExec() throws {
        guard fcntl(self.rawValue, F_SETFD, FD_CLOEXEC) == 0 else { throw Errno(rawValue: errno) }
    }

    func setNonBlocking() throws {
        let flags = fcntl(self.rawValue, F_GETFL)
        guard flags >= 0, fcntl(self.rawValue, F_SETFL, flags | O_NONBLOCK) == 0 else { throw Errno(rawValue: errno) }
    }
}

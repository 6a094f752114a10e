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

/// How long to read on once the program has ended.
///
/// Somebody that it has started may hold the stream open, and write to it for ever.
struct ReadingEnd {
    var deadline: ContinuousClock.Instant
    /// What was there at the end, and so is the program's own. It is read unless the reader of our output takes too long.
    var owedBytes: Int

    func mayRead(at now: ContinuousClock.Instant) -> Bool { self.owedBytes > 0 || now < self.deadline }

    mutating func read(_ count: Int) { self.owedBytes = max(0, self.owedBytes - count) }
}

/// Who writes to one place takes turns: else blocks that are too long for a pipe's one write would be torn.
final class OutputTurns: Sendable {
    let turn = Mutex(())
}

/// Passes on what a program writes, unchanged and no later than it can, and leaves a copy in the backlog.
///
/// It waits for the reader of our own output, and then so does the program, as without us. For shipping it never waits.
final class OutputPump: Sendable {
    private static let blockSize = 64 * 1024

    private let source: FileDescriptor
    private let sink: FileDescriptor
    private let turns: OutputTurns
    private let backlog: SharedBacklog
    private let note: @Sendable (String) -> Void
    private let now: @Sendable () -> Int64
    private let deadline = Mutex<ContinuousClock.Instant?>(nil)
    private let wake: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
    private let ended = AsyncStream<Void>.makeStream()
    private let state = Mutex(State())

    /// Between the thread and who gives it up.
    private struct State {
        var hasEnded = false
        /// Of the block that is being passed on, what is not yet.
        var unwrittenBytes = 0
        var lostBytes = 0
    }

    /// - Parameters:
    ///   - turns: Those of all that write to the same place.
    ///   - note: Tells somebody.
    ///   - now: Nanoseconds since 1970.
    init(
        from source: FileDescriptor,
        to sink: FileDescriptor,
        _ turns: OutputTurns,
        _ backlog: SharedBacklog,
        note: @escaping @Sendable (String) -> Void,
        now: @escaping @Sendable () -> Int64
    )
        throws
    {
        self.source = source
        self.sink = sink
        self.turns = turns
        self.backlog = backlog
        self.note = note
        self.now = now
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        for end in [readEnd, writeEnd] { try end.closeOnExec() }
        self.wake = (readEnd, writeEnd)
    }

    /// Starts a thread that goes on until the stream ends, or ``end(by:)`` says so.
    func start(_ name: String) {
        OwnThread.start(name) { self.run() }
    }

    /// The program has ended: reads what it has left, and what others write until then.
    func end(by deadline: ContinuousClock.Instant) {
        self.deadline.withLock { $0 = deadline }
        var byte: UInt8 = 0
        _ = write(self.wake.writeEnd.rawValue, &byte, 1)
    }

    /// Waits until all is passed on.
    func wait() async {
        for await _ in self.ended.stream {}
    }

    /// What was read and could not be passed on, in bytes.
    var lostBytes: Int { self.state.withLock { $0.lostBytes } }

    /// Nobody reads our output: what the program has left goes to the backlog alone. The thread waits on, for nothing.
    func giveUp() {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 64)
        defer { block.deallocate() }
        // More than the system holds, and an end if somebody writes on.
        for _ in 0..<16 {
            guard let (count, _) = self.takeBlock(block), count > 0 else { break }
        }
        self.finish()
    }

    private func run() {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 64)
        defer { block.deallocate() }
        var end: ReadingEnd?
        var isPassedOn = true
        while true {
            if end == nil, let deadline = self.deadline.withLock({ $0 }) {
                end = ReadingEnd(deadline: deadline, owedBytes: self.waitingBytes())
            }
            if let end, !end.mayRead(at: .now) { break }
            guard let (count, failure) = self.takeBlock(block) else { return }
            if count < 0, failure == EINTR { continue }
            if count < 0, failure == EAGAIN {
                end?.owedBytes = 0
                self.waitForBytes(until: end?.deadline)
                continue
            }
            // A pseudo-terminal that nobody else has open any more is EIO.
            guard count > 0 else { break }
            end?.read(count)
            let bytes = UnsafeRawBufferPointer(rebasing: block[..<count])
            let error = self.turns.turn.withLock { _ in self.passOn(bytes) }
            // Then the program learns of it as it would have without us.
            if error == .brokenPipe { break }
            // A disk that is full may have room again.
            if let error, isPassedOn { self.note("the program's output cannot be passed on: \(error)") }
            isPassedOn = error == nil
        }
        self.finish()
    }

    /// Reads a block into the backlog, before it is passed on, as the reader of our output may take its time.
    ///
    /// - Returns: What `read` says, and the error if it does; `nil` once nothing is to be read any more.
    private func takeBlock(_ block: UnsafeMutableRawBufferPointer) -> (count: Int, failure: Int32)? {
        self.state.withLock { state in
            guard !state.hasEnded else { return nil }
            let count = read(self.source.rawValue, block.baseAddress, block.count)
            let failure = errno
            guard count > 0 else { return (count, failure) }
            self.backlog.append(Self.copy(UnsafeRawBufferPointer(rebasing: block[..<count])), time: self.now())
            state.unwrittenBytes += count
            return (count, 0)
        }
    }

    private func finish() {
        self.state.withLock { state in
            guard !state.hasEnded else { return }
            state.hasEnded = true
            state.lostBytes += state.unwrittenBytes
            try? self.source.close()
        }
        self.backlog.finish()
        self.ended.continuation.finish()
    }

    private static func copy(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bytes.count) { copy, count in
            UnsafeMutableRawBufferPointer(copy).copyMemory(from: bytes)
            count = bytes.count
        }
    }

    /// Writes all; returns the error if that cannot be done.
    private func passOn(_ bytes: UnsafeRawBufferPointer) -> Errno? {
        var rest = bytes
        while !rest.isEmpty {
            let count = write(self.sink.rawValue, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                self.state.withLock { $0.unwrittenBytes -= count }
            } else if errno == EAGAIN {
                // Somebody else has set it so.
                var state = pollfd(fd: self.sink.rawValue, events: Int16(POLLOUT), revents: 0)
                _ = poll(&state, 1, -1)
            } else if errno != EINTR {
                let error = Errno(rawValue: errno)
                self.lose(rest.count, error)
                return error
            }
        }
        return nil
    }

    private func lose(_ count: Int, _ error: Errno) {
        self.state.withLock { state in
            guard !state.hasEnded else { return }
            state.unwrittenBytes -= count
            // Nobody wants what a reader that is gone has left.
            if error != .brokenPipe { state.lostBytes += count }
        }
    }

    /// What can be read at once.
    private func waitingBytes() -> Int {
        var count: Int32 = 0
        return ioctl(self.source.rawValue, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    private func waitForBytes(until deadline: ContinuousClock.Instant?) {
        var states = [
            pollfd(fd: self.source.rawValue, events: Int16(POLLIN), revents: 0),
            // Once it is known, it need not wake anybody.
            pollfd(fd: deadline == nil ? self.wake.readEnd.rawValue : -1, events: Int16(POLLIN), revents: 0),
        ]
        let left = deadline.map { max(0, ($0 - ContinuousClock.now) / .milliseconds(1)) }
        _ = poll(&states, nfds_t(states.count), left.map { Int32(min($0.rounded(.up), 1e6)) } ?? -1)
    }
}

extension FileDescriptor {
    /// One of 0, 1 and 2, or nowhere if whoever started this process had closed it. Then something of our own has its number,
    /// which is to get nothing that the program writes.
    func inherited() throws -> FileDescriptor {
        let flags = fcntl(self.rawValue, F_GETFD)
        // What was there when this program was loaded stays open for others, too.
        return flags >= 0 && flags & FD_CLOEXEC == 0
            ? self : try FileDescriptor.open("/dev/null", .writeOnly, options: .closeOnExec)
    }

    /// Whether both write to one file, pipe or terminal.
    func isSamePlace(as other: FileDescriptor) -> Bool {
        guard let own = try? self.stat(), let others = try? other.stat() else { return false }
        return own.deviceID == others.deviceID && own.inode == others.inode
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Does what may have to wait for somebody else, one thing after the other, on a thread that is there only while there is
/// something to do.
///
/// A write to a pipe that nobody reads, or to a terminal that is stopped, waits for as long as that lasts. On a thread of
/// Swift's pool, of which there are as many as processors, it would hold up everything else. (`O_NONBLOCK` would be set for
/// all who share the pipe, the shell too, and a pipe that `poll` finds ready may be full when the write comes.)
///
/// The thread takes no signals. So a write to a pipe whose reader is gone fails and does not end the process by SIGPIPE, nor
/// one to a file that has reached a limit by SIGXFSZ: both signals are sent to the thread that writes, where they wait
/// until the thread is gone.
final class WriteThread: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var isRunning = false
    }

    private let state = Lock(State())

    /// Has `job` done behind those before it; `false` if no thread can be had, and it is not done.
    func run(_ job: @escaping @Sendable () -> Void) -> Bool {
        self.state.withLock { state in
            if !state.isRunning { state.isRunning = self.start() }
            if state.isRunning { state.jobs.append(job) }
            return state.isRunning
        }
    }

    fileprivate func work() {
        while let job = self.next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
        self.state.withLock { state in
            guard !state.jobs.isEmpty else {
                state.isRunning = false
                return nil
            }
            return state.jobs.removeFirst()
        }
    }

    private func start() -> Bool {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        // A thread begins with the signals blocked that its maker has blocked.
        guard pthread_sigmask(SIG_SETMASK, &all, &before) == 0 else { return false }
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let owner = Unmanaged.passRetained(self).toOpaque()
        #if canImport(Glibc)
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, { runWriteThread($0) }, owner)
        #else
        var thread: pthread_t?
        let result = pthread_create(&thread, nil, { runWriteThread($0) }, owner)
        #endif
        guard result == 0 else {
            Unmanaged<WriteThread>.fromOpaque(owner).release()
            return false
        }
        #if canImport(Glibc)
        pthread_detach(thread)
        #else
        if let thread { pthread_detach(thread) }
        #endif
        return true
    }

    /// Writes all of `bytes`, for as long as that takes, and says with which error it failed; for jobs.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> CInt? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = systemWrite(descriptor, part.baseAddress, part.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Somebody else has made it non-blocking, and it is full.
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wanted, 1, 100)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }
}

private func systemWrite(_ descriptor: CInt, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, start, count)
}

private func runWriteThread(_ owner: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let owner { Unmanaged<WriteThread>.fromOpaque(owner).takeRetainedValue().work() }
    return nil
}

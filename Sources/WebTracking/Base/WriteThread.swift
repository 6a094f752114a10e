// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Runs jobs that may block, one after the other, on a thread of its own. The thread exists only while there are jobs.
///
/// A write to a pipe without a reader, or to a stopped terminal, may block forever. Swift's pool has only as many
/// threads as the machine has processors, so a blocked one would hold up everything else. `O_NONBLOCK` is no way out:
/// it would change the pipe for all processes that share it, the shell too. Nor is `poll`: a pipe that it finds ready
/// may be full at the write.
///
/// The thread blocks all signals. A write to a closed pipe (SIGPIPE), or to a file that has reached a size limit
/// (SIGXFSZ), sends its signal to the writing thread, and would end the process. Here the signal stays pending until
/// the thread ends, and the write fails with an error.
final class WriteThread: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var isRunning = false
    }

    private let state = Lock(State())

    /// Runs `job` after the jobs before it. Returns `false`, and does not run it, if no thread can be made.
    func run(_ job: @escaping @Sendable () -> Void) -> Bool {
        self.state.withLock { state in
            // The thread decides to end under the same lock, so no job comes between its last look and its end.
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
        // A new thread inherits the signal mask of the thread that makes it.
        guard pthread_sigmask(SIG_SETMASK, &all, &before) == 0 else { return false }
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        // The thread releases it. A job may outlast everything else that holds this object.
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
        // No thread joins it, and without a detach its stack would never be freed (man 3 pthread_create).
        #if canImport(Glibc)
        pthread_detach(thread)
        #else
        if let thread { pthread_detach(thread) }
        #endif
        return true
    }

    /// Writes all of `bytes`, and blocks as long as that takes. Returns the error code if it failed. Only for jobs.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> CInt? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = systemWrite(descriptor, part.baseAddress, part.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Another process has made the descriptor non-blocking, and the pipe is full.
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
    // Inside the type, `write` would be its own function of that name.
    write(descriptor, start, count)
}

private func runWriteThread(_ owner: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let owner { Unmanaged<WriteThread>.fromOpaque(owner).takeRetainedValue().work() }
    return nil
}

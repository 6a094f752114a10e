// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How many calls of `fork` lie between the start of the program and this process.
///
/// A child of `fork` that runs no other program has one thread, a copy of everything, and the files of its parent mapped. What
/// its parent has made is not the child's to use: nobody delivers there, a lock may be held by a thread that is not there,
/// and a record that is written to a mapped file destroys the parent's. So whatever has to do with locks, tasks or files is
/// made for one number of forks, and is left alone where the number is another.
///
/// `posix_spawn` and `vfork` change nothing here, and need not: the child shares the parent's memory until it runs another
/// program. A child that is made by the bare system call is not noticed.
enum ForkCount {
    /// Invariant: written only in a child, before its first thread goes on, and so never while another thread reads.
    private nonisolated(unsafe) static var forks = 0

    private static let isWatched = pthread_atfork(nil, nil, { ForkCount.forks += 1 }) == 0

    /// The number; forks are counted from the first time on that it is asked for.
    static var current: Int {
        _ = self.isWatched
        return self.forks
    }

    /// Whether the number is another one than `forks`, which was asked for before.
    @inline(__always)
    static func isOther(than forks: Int) -> Bool { self.forks != forks }
}

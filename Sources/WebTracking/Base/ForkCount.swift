// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// The number of calls of `fork` between the start of the program and this process.
///
/// A child of `fork` that runs no other program has one thread, a copy of all memory, and its parent's mapped files. It
/// must not use what its parent has made: no thread delivers there, a lock may be held by a thread that the child does
/// not have, and a record in a mapped file would destroy the parent's. So everything with locks, tasks or files
/// remembers the count at which it was made, and is not used at another count.
///
/// `posix_spawn` and `vfork` do not change the count, and need not: the child shares its parent's memory until it runs
/// another program. A child made by the bare system call is not noticed.
enum ForkCount {
    /// Invariant: only a child writes it, before its first thread continues, so no other thread reads it at that time.
    private nonisolated(unsafe) static var forks = 0

    // The third handler is the one that runs in the child.
    private static let isWatched = pthread_atfork(nil, nil, { ForkCount.forks += 1 }) == 0

    /// The count. Calls of `fork` before the first use of this property are not counted.
    static var current: Int {
        // A static property is initialised at its first use: so the handler is registered here, once.
        _ = self.isWatched
        return self.forks
    }

    /// Whether the count differs from `forks`, an earlier value of ``current``.
    @inline(__always)
    static func isOther(than forks: Int) -> Bool { self.forks != forks }
}

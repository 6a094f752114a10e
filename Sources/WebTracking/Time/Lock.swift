//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if THREAD_SANITIZER

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A value behind a lock that the thread sanitizer knows.
///
/// The standard library's `Mutex` is not built for the sanitizer, which takes everything it guards for a race. The tests
/// under the sanitizer are built with this one instead (`-DTHREAD_SANITIZER`), so that a race that is none of the lock's
/// is still found. Invariant: `storage` and `mutex` are initialised from `init` to `deinit`, and `storage` is only touched
/// between lock and unlock.
package struct Lock<Value>: ~Copyable, @unchecked Sendable {
    private let storage: UnsafeMutablePointer<Value>
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    package init(_ value: consuming sending Value) {
        self.storage = .allocate(capacity: 1)
        self.storage.initialize(to: value)
        self.mutex = .allocate(capacity: 1)
        pthread_mutex_init(self.mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(self.mutex)
        self.mutex.deallocate()
        self.storage.deinitialize(count: 1)
        self.storage.deallocate()
    }

    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return try body(&self.storage.pointee)
    }
}

#else

import Synchronization

/// A value behind a lock: the standard library's `Mutex`, except under the thread sanitizer.
package struct Lock<Value>: ~Copyable, Sendable {
    private let mutex: Mutex<Value>

    @inline(__always)
    package init(_ value: consuming sending Value) {
        self.mutex = Mutex(value)
    }

    /// Calls `body` with the value while no one else has it. `body` is short and does not wait.
    @inline(__always)
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try self.mutex.withLock(body)
    }
}

#endif

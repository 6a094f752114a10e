// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)

import Synchronization

/// A value that one thread at a time can use: the standard library's `Mutex`.
package struct Lock<Value>: ~Copyable, Sendable {
    private let mutex: Mutex<Value>

    @inline(__always)
    package init(_ value: consuming sending Value) {
        self.mutex = Mutex(value)
    }

    /// Calls `body` with the value under the lock. `body` is short and does not wait.
    @inline(__always)
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try self.mutex.withLock(body)
    }
}

#else

import WebTrackingPlatform

/// A value that one thread at a time can use.
///
/// On Linux, the standard library's `Mutex` is a priority-inheriting futex. As soon as two threads want it, the kernel
/// passes it from one to the other: four threads on two cores then log between 690,000 and 83,000 records a second. The
/// C library's adaptive mutex spins for a moment first. Also, the thread sanitizer does not know `Mutex`, and reports
/// races behind it.
///
/// Invariant (which makes it sendable): `place` belongs to this lock, and its value is only touched between lock and
/// unlock. A mutex must not move, so it is behind a pointer.
package struct Lock<Value>: ~Copyable, @unchecked Sendable {
    private struct Place {
        var mutex = pthread_mutex_t()
        var value: Value
    }

    private let place: UnsafeMutablePointer<Place>

    package init(_ value: consuming sending Value) {
        self.place = .allocate(capacity: 1)
        self.place.initialize(to: Place(value: value))
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        // Musl has no adaptive mutex.
        #if canImport(Glibc)
        pthread_mutexattr_settype(&attributes, CInt(PTHREAD_MUTEX_ADAPTIVE_NP))
        #endif
        pthread_mutex_init(&self.place.pointee.mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(&self.place.pointee.mutex)
        self.place.deinitialize(count: 1)
        self.place.deallocate()
    }

    /// Calls `body` with the value under the lock. `body` is short and does not wait.
    @inline(__always)
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        let place = self.place
        pthread_mutex_lock(&place.pointee.mutex)
        defer { pthread_mutex_unlock(&place.pointee.mutex) }
        return try body(&place.pointee.value)
    }
}

#endif

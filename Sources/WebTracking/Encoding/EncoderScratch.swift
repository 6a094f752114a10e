//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The memory that one thread encodes records in, kept between records so that the steady path allocates nothing.
struct EncoderScratch: ~Copyable {
    /// The record being encoded.
    var writer = ByteWriter(capacity: 4096)
    var repairs = RepairCounts()
    var timestamp = TimestampFormatter()
    var callSites = CallSiteCache()

    /// What a thread keeps between records; a larger record's memory is given back.
    private static let keptBytes = 64 << 10

    private init() {}

    /// A thread's own scratch memory. A structure behind a pointer: the stored properties of a class are checked for
    /// exclusive access at run time, at each access, which cost a quarter of a record.
    ///
    /// Invariant: only the thread itself gets at it, and through ``withCurrent(_:)`` alone, which gives out `scratch` only
    /// while `isBusy` is false.
    private struct Slot: ~Copyable {
        var isBusy = false
        var scratch = EncoderScratch()
    }

    /// Calls `body` with this thread's scratch memory, empty.
    ///
    /// A description or a metadata provider that `body` calls may log in turn; such an inner record gets memory of its
    /// own. `body` must not suspend, which a synchronous closure cannot.
    @inline(__always)
    static func withCurrent<Result>(_ body: (inout EncoderScratch) -> Result) -> Result {
        let slot = Self.key.flatMap { pthread_getspecific($0) }?.assumingMemoryBound(to: Slot.self) ?? Self.makeSlot()
        guard let slot, !slot.pointee.isBusy else {
            var scratch = EncoderScratch()
            return body(&scratch)
        }
        slot.pointee.isBusy = true
        let result = body(&slot.pointee.scratch)
        slot.pointee.scratch.clear()
        slot.pointee.isBusy = false
        return result
    }

    @inline(__always)
    private mutating func clear() {
        self.writer.reset(keeping: Self.keptBytes)
        if !self.repairs.isEmpty { self.repairs = RepairCounts() }
    }

    /// The thread owns its slot until it ends (see `key`); `nil` if there is no place to keep it.
    @inline(never)
    private static func makeSlot() -> UnsafeMutablePointer<Slot>? {
        guard let key = self.key else { return nil }
        let slot = UnsafeMutablePointer<Slot>.allocate(capacity: 1)
        slot.initialize(to: Slot())
        guard pthread_setspecific(key, slot) == 0 else {
            self.free(slot)
            return nil
        }
        return slot
    }

    /// The thread-specific place of the slot, whose destructor frees the slot when the thread ends; `nil` if the process has
    /// no such places left.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        #if canImport(Darwin)
        let result = pthread_key_create(&key) { EncoderScratch.free($0) }
        #else
        let result = pthread_key_create(&key) { pointer in
            if let pointer { EncoderScratch.free(pointer) }
        }
        #endif
        return result == 0 ? key : nil
    }()

    private static func free(_ pointer: UnsafeMutableRawPointer) {
        let slot = pointer.assumingMemoryBound(to: Slot.self)
        slot.deinitialize(count: 1)
        slot.deallocate()
    }
}

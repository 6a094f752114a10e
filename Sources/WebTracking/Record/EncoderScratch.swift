// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// The memory that one thread encodes records in, kept between records so that the steady path allocates nothing.
struct EncoderScratch: ~Copyable {
    /// The record being encoded.
    var writer = ByteWriter(capacity: 4096)
    /// Its metadata, while it is gathered.
    var members = OrderedMembers()
    var repairs = RepairCounts()
    /// How many of the record's values redaction has changed.
    var redactions = 0
    /// The record's sequence number, if an attempt to append it has drawn one and found its queue retired.
    var number: UInt64?
    /// The descriptions of values that were computed while the record was written, with their keys. Of equal keys, the
    /// first one counts. No value is asked twice.
    var described: [(key: String, text: String)] = []
    var timestamp = TimestampFormatter()
    var callSites = CallSiteCache()
    var keys = KeyCache()

    /// The memory that a thread keeps between records; that of a larger record is released.
    static let keptBytes = 64 << 10

    private init() {}

    /// A thread's own scratch memory. A structure behind a pointer: the stored properties of a class are checked for
    /// exclusive access at run time, at each access, which cost a quarter of a record.
    ///
    /// Invariant: only the thread itself gets at it, and through the functions below alone, which give out `scratch` only
    /// while `depth` is 0.
    private struct Slot: ~Copyable {
        /// The number of records that the thread is encoding: an outer one, and those that its values have logged
        /// meanwhile.
        var depth = 0
        var scratch = EncoderScratch()
    }

    /// Calls `body` with this thread's scratch memory, empty.
    ///
    /// A description, a metadata provider or a redaction function that `body` calls may log in turn; such an inner record
    /// gets memory of its own, and is given to `nested` with the number of records around it. Neither may suspend, which a
    /// synchronous closure cannot.
    @inline(__always)
    static func withCurrent<Result>(
        _ body: (inout EncoderScratch) -> Result,
        nested: (_ depth: Int, inout EncoderScratch) -> Result
    ) -> Result {
        guard let slot = Self.slot, slot.pointee.depth == 0 else {
            return Self.nest { depth in
                var scratch = EncoderScratch()
                return nested(depth, &scratch)
            }
        }
        // Before the call: a description that logs must find the memory in use.
        slot.pointee.depth = 1
        let result = body(&slot.pointee.scratch)
        slot.pointee.scratch.clear()
        slot.pointee.depth = 0
        return result
    }

    /// Calls `body` with the number of records that the thread is in the middle of; what `body` logs is one deeper.
    ///
    /// That number is what ends a recursion through functions of the user's. (A thread for which there is no place to keep
    /// it counts as in the middle of one.)
    @inline(never)
    static func nest<Result>(_ body: (_ depth: Int) -> Result) -> Result {
        guard let slot = Self.slot else { return body(1) }
        let depth = slot.pointee.depth
        slot.pointee.depth = depth + 1
        defer { slot.pointee.depth = depth }
        return body(depth)
    }

    @inline(__always)
    private static var slot: UnsafeMutablePointer<Slot>? {
        self.key.flatMap { pthread_getspecific($0) }?.assumingMemoryBound(to: Slot.self) ?? self.makeSlot()
    }

    @inline(__always)
    private mutating func clear() {
        self.writer.reset(keeping: Self.keptBytes)
        if !self.repairs.isEmpty { self.repairs = RepairCounts() }
        if !self.described.isEmpty { self.described.removeAll(keepingCapacity: true) }
        self.redactions = 0
        self.number = nil
    }

    /// Forgets what was written, for the same event to be encoded in another way.
    mutating func restart() {
        self.writer.truncate(to: 0)
        self.repairs = RepairCounts()
        self.redactions = 0
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

    /// The thread-specific place of the slot. Its destructor frees the slot when the thread ends. `nil` if the process has
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

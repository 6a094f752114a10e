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
final class EncoderScratch {
    /// The record being encoded.
    var writer = ByteWriter(capacity: 4096)
    /// The hashes of the field names written so far.
    var names: [UInt64] = []
    var repairs = RepairCounts()
    var timestamp = TimestampFormatter()
    private var isBusy = false

    /// What a thread keeps between records; a larger record's memory is given back.
    private static let keptBytes = 64 << 10

    init() {
        self.names.reserveCapacity(32)
    }

    /// Calls `body` with this thread's scratch memory, empty.
    ///
    /// A description or a metadata provider that `body` calls may log in turn; such an inner record gets memory of its
    /// own. `body` must not suspend, which a synchronous closure cannot.
    static func withCurrent<Result>(_ body: (EncoderScratch) -> Result) -> Result {
        let scratch: EncoderScratch
        if let pointer = pthread_getspecific(Self.key) {
            let kept = Unmanaged<EncoderScratch>.fromOpaque(pointer).takeUnretainedValue()
            scratch = kept.isBusy ? EncoderScratch() : kept
        } else {
            scratch = EncoderScratch()
            // The thread owns one reference until it ends (see `key`).
            pthread_setspecific(Self.key, Unmanaged.passRetained(scratch).toOpaque())
        }
        scratch.isBusy = true
        defer {
            scratch.writer.reset(keeping: Self.keptBytes)
            scratch.isBusy = false
        }
        scratch.repairs = RepairCounts()
        return body(scratch)
    }

    /// The thread-specific slot; its destructor drops the reference that the thread owns.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        #if canImport(Darwin)
        pthread_key_create(&key) { Unmanaged<EncoderScratch>.fromOpaque($0).release() }
        #else
        pthread_key_create(&key) { pointer in
            if let pointer { Unmanaged<EncoderScratch>.fromOpaque(pointer).release() }
        }
        #endif
        return key
    }()
}

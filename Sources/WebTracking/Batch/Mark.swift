// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What is remembered of a record beside its bytes: where it ends, its rank, whether this library wrote it itself, and in
/// a spool file a check of its bytes.
struct Mark {
    static let size = MemoryLayout<UInt64>.size

    let bits: UInt64

    @inline(__always)
    init(bits: UInt64) { self.bits = bits }

    @inline(__always)
    init(end: Int, rank: Int, isSynthetic: Bool, check: UInt64) {
        self.bits =
            UInt64(truncatingIfNeeded: end) | UInt64(truncatingIfNeeded: rank) &<< 26 | (isSynthetic ? 1 &<< 29 : 0)
            | check &<< 30
    }

    var end: Int { Int(self.bits & 0x3FF_FFFF) }
    var rank: Int { min(Int(self.bits >> 26 & 7), 6) }
    var isSynthetic: Bool { self.bits >> 29 & 1 != 0 }
    var check: UInt64 { self.bits >> 30 }
    /// The rank and whether the record is synthetic, as they stand in the mark and are mixed into its check.
    var kind: UInt64 { self.bits >> 26 & 0xF }

    @inline(__always)
    static func kind(rank: Int, isSynthetic: Bool) -> UInt64 {
        UInt64(truncatingIfNeeded: rank) | (isSynthetic ? 8 : 0)
    }

    /// As much of a check as a mark has room for.
    @inline(__always)
    static func cut(_ check: UInt64) -> UInt64 { check &>> 30 }
}

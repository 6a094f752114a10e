// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A checksum of a record's bytes. It shows whether the whole record was written.
///
/// It is not a cryptographic hash: it finds torn pages and flipped bits, not forged records. The file's permissions
/// keep others out.
enum RecordCheck {
    /// The checksum of `count` bytes. It also depends on `seed`.
    @inline(__always)
    static func of(_ source: UnsafeRawPointer, count: Int, seed: UInt64) -> UInt64 {
        var hash = seed ^ 0x9E37_79B9_7F4A_7C15
        var position = 0
        while position &+ 16 <= count {
            hash = Self.mix(
                UInt64(littleEndian: source.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ Self.first,
                UInt64(littleEndian: source.loadUnaligned(fromByteOffset: position &+ 8, as: UInt64.self)) ^ hash
            )
            position &+= 16
        }
        if position &+ 8 <= count {
            hash = Self.mix(
                UInt64(littleEndian: source.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ Self.first,
                hash
            )
            position &+= 8
        }
        if position < count {
            hash = Self.mix(ShortLoad.word(source + position, count: count &- position) ^ Self.second, hash)
        }
        return Self.mix(UInt64(truncatingIfNeeded: count) ^ Self.second, hash)
    }

    private static let first: UInt64 = 0xA076_1D64_78BD_642F
    private static let second: UInt64 = 0xE703_7ED1_A0B4_28DB

    @inline(__always)
    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        // With the sum, a factor of zero does not erase the other factor.
        return product.high ^ product.low ^ left &+ right
    }
}

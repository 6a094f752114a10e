// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What is remembered of a record beside its bytes: where it is, its rank, whether this library wrote it itself, and in
/// a spool file a check of its bytes.
///
/// 16 bytes: the check, then a word with everything else, which is stored last. Both are in one aligned place, which no
/// disk writes in two parts.
struct Mark {
    static let size = 16
    /// Where in the place the word is.
    static let wordOffset = 8

    let bits: UInt64

    @inline(__always)
    init(bits: UInt64) { self.bits = bits }

    @inline(__always)
    init(begin: Int, end: Int, rank: Int, isSynthetic: Bool) {
        self.bits =
            UInt64(truncatingIfNeeded: begin) | UInt64(truncatingIfNeeded: end) &<< 26
            | UInt64(truncatingIfNeeded: rank) &<< 52 | (isSynthetic ? 1 &<< 55 : 0)
    }

    // 26 bits are enough for 64 MiB, and no request has more than 10 MiB (`ConfigurationCheck`).
    /// Where the record begins, with the separator before it.
    var begin: Int { Int(self.bits & 0x3FF_FFFF) }
    var end: Int { Int(self.bits >> 26 & 0x3FF_FFFF) }
    var rank: Int { min(Int(self.bits >> 52 & 7), 6) }
    var isSynthetic: Bool { self.bits >> 55 & 1 != 0 }

    /// Whether it can be the mark of a record between the bytes `start` and `limit`.
    func isPlausible(from start: Int, to limit: Int) -> Bool {
        self.bits >> 56 == 0 && self.begin >= start && self.end > self.begin && self.end <= limit
    }

    /// The check of its record, which depends on the mark and its number, too.
    @inline(__always)
    func check(of record: UnsafeRawPointer, number: Int, seed: UInt64) -> UInt64 {
        let seed = (seed &+ UInt64(truncatingIfNeeded: number)) ^ self.bits
        return RecordCheck.of(record, count: self.end &- self.begin, seed: seed)
    }

    /// Says at `place` that the record is there. Whoever sees the word sees the record and its check.
    @inline(__always)
    func commit(to place: UnsafeMutableRawPointer, record: UnsafeRawPointer, number: Int, seed: UInt64) {
        // What does not outlive the process needs none.
        if seed != 0 {
            let check = self.check(of: record, number: number, seed: seed)
            place.storeBytes(of: check.littleEndian, as: UInt64.self)
        }
        SharedWord.store(self.bits, to: place + Self.wordOffset)
    }
}

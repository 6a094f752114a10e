// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// SipHash-2-4 with 128 bits of output, a keyed hash (Aumasson and Bernstein, 2012). Without the key, its output looks
/// random, which is what pseudonyms need. The standard library's hasher has a random key that changes with each start.
enum SipHash {
    /// The hash as two words in little-endian order.
    static func hash128(of bytes: UnsafeRawBufferPointer, key: (UInt64, UInt64)) -> (UInt64, UInt64) {
        var state = State(key: key)
        let whole = bytes.count & ~7
        for start in stride(from: 0, to: whole, by: 8) {
            state.take(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)))
        }
        let rest = bytes[whole...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        state.take(rest | UInt64(truncatingIfNeeded: bytes.count) << 56)
        return state.finish()
    }

    private struct State {
        var v0, v1, v2, v3: UInt64

        init(key: (UInt64, UInt64)) {
            self.v0 = key.0 ^ 0x736F_6D65_7073_6575
            // 0xEE, here and at the end, and 0xDD make the variant with 128 bits of output.
            self.v1 = key.1 ^ 0x646F_7261_6E64_6F6D ^ 0xEE
            self.v2 = key.0 ^ 0x6C79_6765_6E65_7261
            self.v3 = key.1 ^ 0x7465_6462_7974_6573
        }

        mutating func take(_ word: UInt64) {
            self.v3 ^= word
            self.round()
            self.round()
            self.v0 ^= word
        }

        mutating func finish() -> (UInt64, UInt64) {
            self.v2 ^= 0xEE
            for _ in 0..<4 { self.round() }
            let first = self.v0 ^ self.v1 ^ self.v2 ^ self.v3
            self.v1 ^= 0xDD
            for _ in 0..<4 { self.round() }
            return (first, self.v0 ^ self.v1 ^ self.v2 ^ self.v3)
        }

        private mutating func round() {
            self.v0 &+= self.v1
            self.v2 &+= self.v3
            self.v1 = Self.rotated(self.v1, 13) ^ self.v0
            self.v3 = Self.rotated(self.v3, 16) ^ self.v2
            self.v0 = Self.rotated(self.v0, 32)
            self.v2 &+= self.v1
            self.v0 &+= self.v3
            self.v1 = Self.rotated(self.v1, 17) ^ self.v2
            self.v3 = Self.rotated(self.v3, 21) ^ self.v0
            self.v2 = Self.rotated(self.v2, 32)
        }

        private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
            word << bits | word >> (64 - bits)
        }
    }
}

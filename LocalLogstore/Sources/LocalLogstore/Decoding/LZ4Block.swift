// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Walks the sequences of a raw LZ4 block without expanding it.
enum LZ4Block {
    /// Whether a match points nowhere: its offset is 0, which the format forbids but liblz4 lets pass.
    ///
    /// Says nothing about a block that is damaged otherwise; expanding it will.
    static func hasZeroOffset(_ block: [UInt8]) -> Bool {
        var index = 0
        while index < block.count {
            let token = block[index]
            index += 1
            let literals = Self.length(Int(token >> 4), in: block, &index)
            index += literals
            // The last sequence ends with its literals.
            guard index + 1 < block.count else { return false }
            if block[index] == 0, block[index + 1] == 0 { return true }
            index += 2
            _ = Self.length(Int(token & 15), in: block, &index)
        }
        return false
    }

    /// Reads the bytes that continue a length of 15.
    private static func length(_ start: Int, in block: [UInt8], _ index: inout Int) -> Int {
        var length = start
        guard start == 15 else { return length }
        while index < block.count {
            let byte = block[index]
            index += 1
            length += Int(byte)
            if byte != 255 { break }
        }
        return length
    }
}

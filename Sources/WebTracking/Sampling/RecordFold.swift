//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Whether a record is the same as the one before it in its topic, but for the time.
struct RecordFold {
    /// What the last record said, from behind its time to its end.
    private var text: [UInt8] = []
    private(set) var rank = 0
    /// The last record's sequence number.
    private(set) var sequence: UInt64?
    /// How often it has come again.
    private(set) var repeats = 0

    /// Takes note of a record, and forgets the one before.
    mutating func remember(_ text: UnsafeRawBufferPointer, rank: Int, sequence: UInt64?) {
        self.text.removeAll(keepingCapacity: true)
        self.text.append(contentsOf: text)
        self.rank = rank
        self.sequence = sequence
        self.repeats = 0
    }

    /// Counts a record if it is the same as the last one.
    mutating func countIfRepeated(_ text: UnsafeRawBufferPointer, rank: Int) -> Bool {
        guard rank == self.rank, text.count == self.text.count, text.elementsEqual(self.text) else { return false }
        self.repeats += 1
        return true
    }
}

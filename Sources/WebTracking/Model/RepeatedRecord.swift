// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Whether a record repeats the one before it in its topic: everything is equal except for the time. Equal metadata has one
/// text, since fields are written in one order.
struct RepeatedRecord {
    /// The text of the last record, from after its time to its end.
    private var text: [UInt8] = []
    private(set) var rank = 0
    /// The last record's sequence number.
    private(set) var sequence: UInt64?
    /// The number of its repeats so far.
    private(set) var repeats = 0

    /// Remembers a record, and forgets the one before.
    mutating func remember(_ text: UnsafeRawBufferPointer, rank: Int, sequence: UInt64?) {
        self.text.removeAll(keepingCapacity: true)
        self.text.append(contentsOf: text)
        self.rank = rank
        self.sequence = sequence
        self.repeats = 0
    }

    /// Counts a record if it repeats the last one.
    mutating func countIfRepeated(_ text: UnsafeRawBufferPointer, rank: Int) -> Bool {
        guard rank == self.rank, text.count == self.text.count, text.elementsEqual(self.text) else { return false }
        self.repeats += 1
        return true
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One record on its way from the encoder into a batch. It is valid only as long as the encoder's memory.
struct EncodedRecord {
    /// The separator, then `{`, or `{"seq":"` if records have a sequence number.
    let opening: [UInt8]
    let sequence: UInt64?
    /// Everything after the sequence number, with the closing brace.
    let members: UnsafeRawBufferPointer
    /// How many digits the sequence number has.
    let digits: Int

    @inline(__always)
    init(opening: [UInt8], sequence: UInt64?, members: UnsafeRawBufferPointer) {
        self.opening = opening
        self.sequence = sequence
        self.members = members
        self.digits = sequence.map { DecimalDigits.count($0) } ?? 0
    }

    /// The bytes before each record, for a sequence number of this name; `nil` for records without one.
    static func opening(sequenceName: String?) -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.append(Envelope.separator)
        writer.append(UInt8(ascii: "{"))
        if let sequenceName {
            writer.append(UInt8(ascii: "\""))
            writer.append(escaping: sequenceName)
            writer.append(literal: "\":\"")
        }
        return writer.withBytes { Array($0) }
    }

    /// The size of the record in a request body, with the separator.
    @inline(__always)
    var count: Int {
        self.opening.count &+ (self.sequence == nil ? 0 : self.digits &+ 2) &+ self.members.count
    }
}

/// Gives the records of a producer their sequence numbers, from 1, if they have any.
struct RecordNumbers: ~Copyable, Sendable {
    /// The bytes before a record's sequence number, or before its first member if it has none.
    private let opening: [UInt8]
    private let hasSequence: Bool
    private let last = Atomic<UInt64>(0)

    init(sequenceName: String?) {
        self.opening = EncodedRecord.opening(sequenceName: sequenceName)
        self.hasSequence = sequenceName != nil
    }

    /// The most bytes that stand before a record's members.
    var longestOpening: Int { self.opening.count + DecimalDigits.longest + 2 }

    /// A record with this number or the next one.
    @inline(__always)
    func record(_ members: UnsafeRawBufferPointer, number: UInt64? = nil) -> EncodedRecord {
        let number = number ?? (self.hasSequence ? self.last.add(1, ordering: .relaxed).newValue : nil)
        return EncodedRecord(opening: self.opening, sequence: number, members: members)
    }
}

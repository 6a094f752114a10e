// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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

    /// The largest number of bytes between the opening and the members.
    static let longestSequence = DecimalDigits.longest + 2

    /// The size of the record in a request body, with the separator.
    @inline(__always)
    var count: Int {
        self.opening.count &+ (self.sequence == nil ? 0 : self.digits &+ 2) &+ self.members.count
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// One record on its way from the encoder into a batch; valid only while the encoder's memory is.
struct EncodedRecord {
    /// The separator, then `{` or, where records carry a sequence number, `{"seq":"`.
    let opening: [UInt8]
    let sequence: UInt64?
    /// Everything after the sequence number, with the closing brace.
    let members: UnsafeRawBufferPointer
    private let digits: Int

    @inline(__always)
    init(opening: [UInt8], sequence: UInt64?, members: UnsafeRawBufferPointer) {
        self.opening = opening
        self.sequence = sequence
        self.members = members
        self.digits = sequence.map { DecimalDigits.count($0) } ?? 0
    }

    /// What stands in front of each record, for a sequence number with this name; `nil` for records without one.
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

    /// The most bytes that a sequence number takes up between the opening and the members.
    static let longestSequence = DecimalDigits.longest + 2

    /// The size of the record in a request body, with the separator.
    @inline(__always)
    var count: Int {
        self.opening.count &+ (self.sequence == nil ? 0 : self.digits &+ 2) &+ self.members.count
    }

    /// Writes the record to `target`, which has room for ``count`` bytes, without the separator if it is the first one.
    @inline(__always)
    func write(to target: UnsafeMutableRawPointer, isFirst: Bool) {
        var target = target
        self.opening.withUnsafeBytes { bytes in
            let skipped = isFirst ? Envelope.separatorCount : 0
            guard let start = bytes.baseAddress else { return }
            target.copyMemory(from: start + skipped, byteCount: bytes.count &- skipped)
            target += bytes.count &- skipped
        }
        if let sequence = self.sequence {
            DecimalDigits.write(sequence, count: self.digits, to: target)
            target += self.digits
            target.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
            target.storeBytes(of: UInt8(ascii: ","), toByteOffset: 1, as: UInt8.self)
            target += 2
        }
        guard let start = self.members.baseAddress else { return }
        target.copyMemory(from: start, byteCount: self.members.count)
    }
}

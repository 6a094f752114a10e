//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Records in the form in which they are sent: the body of one request.
///
/// A record's bytes stay where they were first put until the service has answered for them.
struct Segment: Sendable {
    /// When the first record came.
    let openedAt: MonotonicInstant
    private(set) var bytes: [UInt8]
    /// For each record its rank, and whether this library wrote it itself.
    private(set) var marks: [Mark] = []
    private let headerCount: Int
    private var isSealed = false

    /// What is remembered of a record beside its bytes.
    struct Mark: Sendable {
        private var bits: UInt8

        init(rank: Int, isSynthetic: Bool) {
            self.bits = UInt8(truncatingIfNeeded: rank) | (isSynthetic ? 0x80 : 0)
        }

        var rank: Int { Int(self.bits & 0x7F) }
        var isSynthetic: Bool { self.bits & 0x80 != 0 }
    }

    init(header: [UInt8], openedAt: MonotonicInstant, reusing memory: [UInt8] = []) {
        self.openedAt = openedAt
        self.headerCount = header.count
        self.bytes = memory
        self.bytes.append(contentsOf: header)
    }

    var count: Int { self.marks.count }

    /// The size of the request body.
    var rawBytes: Int { self.bytes.count + (self.isSealed ? 0 : Envelope.footer.count) }

    /// The memory that the segment holds on to.
    var heldBytes: Int { self.bytes.capacity + self.marks.capacity }

    /// The bytes that one more record takes up in the request body.
    func cost(of record: Int) -> Int {
        record + (self.marks.isEmpty ? 0 : Envelope.separator.count)
    }

    /// Whether a record of `cost` bytes can be added, and the segment be sealed, without asking for memory.
    func hasRoom(for cost: Int) -> Bool {
        self.bytes.capacity - self.rawBytes >= cost && self.marks.count < self.marks.capacity
    }

    /// Whether one more record can be marked without asking for memory.
    var hasMarkRoom: Bool { self.marks.count < self.marks.capacity }

    /// Asks for memory so that `bytes` bytes and `records` records fit.
    mutating func reserve(bytes: Int, records: Int) {
        self.bytes.reserveCapacity(bytes)
        self.marks.reserveCapacity(records)
    }

    /// Adds a record.
    mutating func append(_ record: EncodedRecord, mark: Mark) {
        if !self.marks.isEmpty { self.bytes.append(contentsOf: Envelope.separator) }
        self.bytes.append(contentsOf: record.prefix)
        if let sequence = record.sequence {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { digits in
                guard let start = digits.baseAddress else { return }
                let count = DecimalDigits.write(sequence, to: start)
                self.bytes.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
            }
            self.bytes.append(UInt8(ascii: "\""))
            self.bytes.append(UInt8(ascii: ","))
        }
        self.bytes.append(contentsOf: record.members)
        self.marks.append(mark)
    }

    /// Completes the request body: from here on ``bytes`` is what is sent.
    mutating func seal() {
        guard !self.isSealed else { return }
        self.bytes.append(contentsOf: Envelope.footer)
        self.isSealed = true
    }

    /// The number of records by level.
    var levels: LevelCounts {
        var levels = LevelCounts()
        for mark in self.marks { levels[mark.rank] += 1 }
        return levels
    }

    /// The number of records by level without those that this library wrote itself.
    var ownLevels: LevelCounts {
        var levels = LevelCounts()
        for mark in self.marks where !mark.isSynthetic { levels[mark.rank] += 1 }
        return levels
    }

    /// The first and the second half of the records; `nil` if there is only one.
    func split() -> (Segment, Segment)? {
        guard self.count > 1 else { return nil }
        let half = self.count / 2
        var records = 0
        var end = self.headerCount
        while records < half {
            if self.bytes[end] == UInt8(ascii: "\n") { records += 1 }
            end += 1
        }
        let header = Array(self.bytes[..<self.headerCount])
        var first = Segment(header: header, openedAt: self.openedAt)
        first.bytes.append(contentsOf: self.bytes[self.headerCount..<(end - Envelope.separator.count)])
        first.marks = Array(self.marks[..<half])
        first.seal()
        var second = Segment(header: header, openedAt: self.openedAt)
        second.bytes.append(contentsOf: self.bytes[end..<(self.rawBytes - Envelope.footer.count)])
        second.marks = Array(self.marks[half...])
        second.seal()
        return (first, second)
    }

    /// The memory of a segment that is done with, for another one.
    consuming func recycled() -> [UInt8] {
        var memory = self.bytes
        memory.removeAll(keepingCapacity: true)
        return memory
    }
}

/// One record on its way from the encoder into a segment; valid only while the encoder's memory is.
struct EncodedRecord {
    /// `{` or, where records carry a sequence number, `{"seq":"`.
    var prefix: [UInt8]
    var sequence: UInt64?
    /// Everything after the sequence number, with the closing brace.
    var members: UnsafeBufferPointer<UInt8>

    /// The size of the record in a request body.
    var count: Int {
        self.prefix.count + (self.sequence.map { DecimalDigits.count($0) + 2 } ?? 0) + self.members.count
    }
}

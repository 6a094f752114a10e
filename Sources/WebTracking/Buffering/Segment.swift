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
/// A record's bytes stay where they were first put until the service has answered for them. A segment is filled by one
/// holder; once sealed, it and its copies are only read.
struct Segment: Sendable {
    /// When the first record came.
    let openedAt: MonotonicInstant
    private var memory: SegmentMemory
    /// The bytes of the request body so far.
    private var used: Int
    /// The number of records.
    private(set) var count = 0
    private let headerCount: Int
    private var isSealed = false

    /// Starts a segment in memory that has at least ``bytes(header:)`` bytes.
    init(header: [UInt8], openedAt: MonotonicInstant, memory: SegmentMemory) {
        precondition(memory.capacity >= Self.bytes(header: header))
        self.openedAt = openedAt
        self.memory = memory
        self.headerCount = header.count
        self.used = header.count
        memory.write(header, at: 0)
    }

    /// The memory that an empty segment needs.
    static func bytes(header: [UInt8]) -> Int { header.count + Envelope.footerCount }

    /// The memory that a segment of this record alone needs.
    static func bytes(header: [UInt8], with record: EncodedRecord) -> Int {
        self.bytes(header: header) + record.count + Mark.size
    }

    /// The size of the request body.
    var rawBytes: Int { self.used &+ (self.isSealed ? 0 : Envelope.footerCount) }

    /// The memory that the segment holds on to.
    var heldBytes: Int { self.memory.capacity }

    /// The bytes that one more record takes up in the request body.
    @inline(__always)
    func cost(of record: EncodedRecord) -> Int {
        self.count == 0 ? record.count &- Envelope.separatorCount : record.count
    }

    /// The memory that the segment needs for one more record of `cost` bytes.
    @inline(__always)
    func bytes(adding cost: Int) -> Int {
        self.rawBytes &+ cost &+ (self.count &+ 1) &* Mark.size
    }

    /// Whether a record of `cost` bytes can be added, and the segment be sealed, without more memory.
    @inline(__always)
    func hasRoom(for cost: Int) -> Bool { self.bytes(adding: cost) <= self.memory.capacity }

    /// Moves the records to larger memory.
    mutating func move(to memory: SegmentMemory) {
        precondition(memory.capacity >= self.memory.capacity && !self.isSealed)
        let marks = self.count * Mark.size
        memory.base.copyMemory(from: self.memory.base, byteCount: self.used)
        (memory.base + memory.capacity - marks)
            .copyMemory(from: self.memory.base + self.memory.capacity - marks, byteCount: marks)
        self.memory = memory
    }

    /// Adds a record for which there is room.
    @inline(__always)
    mutating func append(_ record: EncodedRecord, rank: Int, isSynthetic: Bool) {
        let cost = self.cost(of: record)
        // The one check between a mistake in the arithmetic above and foreign memory.
        precondition(!self.isSealed && self.hasRoom(for: cost))
        record.write(to: self.memory.base + self.used, isFirst: self.count == 0)
        self.used &+= cost
        self.count &+= 1
        let mark = Mark(end: self.used, rank: rank, isSynthetic: isSynthetic)
        (self.memory.base + self.memory.capacity)
            .storeBytes(of: mark.bits, toByteOffset: -self.count &* Mark.size, as: UInt64.self)
    }

    /// Completes the request body.
    mutating func seal() {
        guard !self.isSealed else { return }
        self.memory.write(Envelope.footer, at: self.used)
        self.used += Envelope.footer.count
        self.isSealed = true
    }

    /// The request body so far; valid only inside the closure.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self.memory) {
            try body(UnsafeRawBufferPointer(start: self.memory.base, count: self.used))
        }
    }

    /// What is remembered of the record at `index`.
    private func mark(_ index: Int) -> Mark {
        precondition(index >= 0 && index < self.count)
        let place = self.memory.base + self.memory.capacity
        return Mark(bits: place.load(fromByteOffset: -(index + 1) * Mark.size, as: UInt64.self))
    }

    /// The number of records by level, and the number of them without those that this library wrote itself.
    var levels: (all: LevelCounts, own: LevelCounts) {
        var all = LevelCounts()
        var own = LevelCounts()
        for index in 0..<self.count {
            let mark = self.mark(index)
            all.countOne(mark.rank)
            if !mark.isSynthetic { own.countOne(mark.rank) }
        }
        return (all, own)
    }

    /// The first and the second half of the records; `nil` if there is only one.
    func split() -> (Segment, Segment)? {
        guard self.count > 1 else { return nil }
        let half = self.count / 2
        return (self.part(0..<half), self.part(half..<self.count))
    }

    /// Some of the records, at least one, as a sealed segment of their own.
    private func part(_ records: Range<Int>) -> Segment {
        let start =
            records.lowerBound == 0 ? self.headerCount : self.mark(records.lowerBound - 1).end + Envelope.separatorCount
        let end = self.mark(records.upperBound - 1).end
        let size = self.headerCount + (end - start) + Envelope.footerCount + records.count * Mark.size
        let header = self.withBytes { Array($0[..<self.headerCount]) }
        var part = Segment(header: header, openedAt: self.openedAt, memory: SegmentMemory(capacity: size))
        (part.memory.base + part.used).copyMemory(from: self.memory.base + start, byteCount: end - start)
        part.used += end - start
        for index in records {
            let mark = self.mark(index).moved(by: self.headerCount - start)
            part.count += 1
            (part.memory.base + part.memory.capacity)
                .storeBytes(of: mark.bits, toByteOffset: -part.count * Mark.size, as: UInt64.self)
        }
        part.seal()
        return part
    }

    /// The memory, once the segment is done with.
    consuming func recycled() -> SegmentMemory { self.memory }
}

/// What is remembered of a record beside its bytes: where it ends, its rank, and whether this library wrote it itself.
private struct Mark {
    static let size = MemoryLayout<UInt64>.size

    let bits: UInt64

    init(bits: UInt64) { self.bits = bits }

    @inline(__always)
    init(end: Int, rank: Int, isSynthetic: Bool) {
        self.bits =
            UInt64(truncatingIfNeeded: end) | UInt64(truncatingIfNeeded: rank) << 32 | (isSynthetic ? 1 << 35 : 0)
    }

    var end: Int { Int(self.bits & 0xFFFF_FFFF) }
    var rank: Int { Int(self.bits >> 32 & 7) }
    var isSynthetic: Bool { self.bits >> 35 & 1 != 0 }

    func moved(by distance: Int) -> Mark {
        Mark(end: self.end + distance, rank: self.rank, isSynthetic: self.isSynthetic)
    }
}

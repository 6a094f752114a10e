// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The batch that a topic's records are put into: the body of one request, from its first record on.
///
/// A record's bytes stay where they are put, on the heap or in a spool file, until the service has answered for them.
/// An open batch has one owner; ``sealed()`` makes a ``Batch`` of it, which is only read.
struct OpenBatch: BatchContent {
    let openedAt: MonotonicInstant
    private(set) var memory: BatchMemory
    private(set) var used: Int
    private(set) var count = 0
    let headerCount: Int
    let batchIDEnd: Int
    /// How many records, from the first one on, were seen with their marks. A caller that has claimed its place may still
    /// be copying its record there.
    private var committed = 0
    /// How many marks, from the first one on, are written or zero.
    private var markPlaces = 0

    /// Starts a batch in memory that has at least ``bytes(header:)`` bytes.
    init(
        header: [UInt8],
        batchIDEnd: Int = 0,
        openedAt: MonotonicInstant,
        memory: BatchMemory,
        label: SpoolLabel? = nil
    ) {
        precondition(memory.capacity >= Self.bytes(header: header.count))
        self.openedAt = openedAt
        self.memory = memory
        self.headerCount = header.count
        self.batchIDEnd = batchIDEnd
        self.used = header.count
        memory.write(header, at: 0)
        memory.label = memory.file == nil ? label : nil
        // A file says on its first page what is in it.
        guard let page = memory.file?.page, let label else { return }
        memory.start(with: label.seed, front: header.count)
        // Behind the envelope, of which it has the check: from its last store on, a reader takes both for whole.
        SpoolFormat.write(
            SpoolFormat.Header(
                label: label,
                capacity: memory.capacity,
                envelopeBytes: header.count,
                envelopeCheck: RecordCheck.of(memory.base, count: header.count, seed: label.seed),
                batchIDEnd: batchIDEnd
            ),
            to: page
        )
    }

    /// A copy of a batch, with the same records in other memory.
    init(copying other: some BatchContent, to memory: BatchMemory, label: SpoolLabel) {
        self.init(
            header: other.withBytes { Array($0[..<other.headerCount]) },
            batchIDEnd: other.batchIDEnd,
            openedAt: other.openedAt,
            memory: memory,
            label: label
        )
        self.append(recordsOf: other)
    }

    /// The memory that an empty batch needs.
    static func bytes(header count: Int) -> Int { count + Envelope.footerCount }

    /// The memory that a batch of this record alone needs.
    static func bytes(header count: Int, with record: EncodedRecord) -> Int {
        self.bytes(header: count) + record.count + 2 * Mark.size
    }

    var rawBytes: Int { self.used &+ Envelope.footerCount }

    /// The bytes that one more record takes up in the request body.
    @inline(__always)
    func cost(of record: EncodedRecord) -> Int {
        self.count == 0 ? record.count &- Envelope.separatorCount : record.count
    }

    /// The memory that the batch needs for one more record of `cost` bytes: with its mark, and the one behind it.
    @inline(__always)
    func bytes(adding cost: Int) -> Int {
        self.rawBytes &+ cost &+ (self.count &+ 2) &* Mark.size
    }

    /// Whether a record of `cost` bytes can be added, and the batch be sealed, without more memory.
    @inline(__always)
    func hasRoom(for cost: Int) -> Bool { self.bytes(adding: cost) <= self.memory.capacity }

    /// Adds a record if there is room for it, and a request may hold it; `false` if not.
    ///
    /// One call that checks and changes the batch in place. With two calls, the first one would copy it.
    @inline(__always)
    mutating func put(
        _ record: EncodedRecord,
        rank: Int,
        isSynthetic: Bool,
        policy: SealPolicy,
        backlog: Int
    ) -> Bool {
        let cost = self.cost(of: record)
        guard self.hasRoom(for: cost), !policy.isFull(self, adding: cost, backlog: backlog) else { return false }
        self.append(record, rank: rank, isSynthetic: isSynthetic)
        return true
    }

    /// Moves the records to larger memory.
    mutating func move(to memory: BatchMemory) {
        precondition(memory.capacity >= self.memory.capacity && self.isWhole)
        let marks = self.count * Mark.size
        memory.base.copyMemory(from: self.memory.base, byteCount: self.used)
        (memory.base + memory.capacity - marks)
            .copyMemory(from: self.memory.base + self.memory.capacity - marks, byteCount: marks)
        memory.label = self.memory.label
        self.memory = memory
        self.markPlaces = 0
    }

    /// Adds a record for which there is room.
    @inline(__always)
    mutating func append(_ record: EncodedRecord, rank: Int, isSynthetic: Bool) {
        let cost = self.cost(of: record)
        // The last check: a mistake in the sizes above would write beyond the memory.
        precondition(self.hasRoom(for: cost))
        record.write(to: self.memory.base + self.used, isFirst: self.count == 0)
        let end = self.used &+ cost
        let place = self.memory.base + (self.memory.capacity &- (self.count &+ 1) &* Mark.size)
        if self.memory.seed == 0 {
            let mark = Mark(end: end, rank: rank, isSynthetic: isSynthetic, check: 0)
            // As callers do that have claimed their place, so that marks are read in one way.
            SharedWord.store(mark.bits, to: place)
        } else {
            // The mark last: with it the record counts, even if the process ends before the next instruction. What a
            // reader finds behind the last mark is zero, since the file is new or wiped.
            let check = self.check(from: self.used, to: end)
            let mark = Mark(
                end: end,
                rank: rank,
                isSynthetic: isSynthetic,
                check: check ^ Mark.kind(rank: rank, isSynthetic: isSynthetic)
            )
            SharedWord.store(mark.bits, to: place)
        }
        self.used = end
        if self.isWhole { self.committed &+= 1 }
        self.count &+= 1
    }

    // MARK: Places that callers claim

    /// Whether every record has its mark.
    @inline(__always)
    var isWhole: Bool { self.committed == self.count }

    /// Takes over the places that callers have claimed in memory on the heap.
    mutating func takeClaims(used: Int, count: Int) {
        precondition(used >= self.used && count >= self.count)
        self.used = used
        self.count = count
        self.findCommits()
    }

    /// Looks for marks that were missing. Returns whether every record has its mark now.
    @discardableResult
    mutating func findCommits() -> Bool {
        while self.committed < self.count, self.word(self.committed) != 0 { self.committed &+= 1 }
        return self.isWhole
    }

    /// What callers may claim behind the last record; `nil` if the next record has to be appended under the lock, as the
    /// first one and those in a file are.
    mutating func laneTarget(bodyLimit: Int, countLimit: Int) -> AppendLane.Target? {
        guard self.count > 0, self.memory.file == nil else { return nil }
        if self.markPlaces <= self.count {
            // Zeros in place of marks of the batch that had the memory before. Some at a time: most batches are small.
            let room = (self.memory.capacity - self.rawBytes) / Mark.size
            let places = min(max(self.count * 2, 64), room)
            guard places > self.count else { return nil }
            self.memory.clearMarks(from: self.count, to: places)
            self.markPlaces = places
        }
        return AppendLane.Target(
            base: UInt(bitPattern: self.memory.base),
            capacity: self.memory.capacity,
            bodyLimit: bodyLimit,
            countLimit: min(self.markPlaces, countLimit)
        )
    }

    /// The check of the record that takes up these bytes of the body, as far as a mark has room for it.
    @inline(__always)
    private func check(from start: Int, to end: Int) -> UInt64 {
        Mark.cut(RecordCheck.of(self.memory.base + start, count: end &- start, seed: self.memory.seed))
    }

    /// Completes the request body.
    func sealed() -> Batch {
        precondition(self.isWhole)
        // In no order with the marks: a recovered file is read by its marks, and gets its end again.
        self.memory.write(Envelope.footer, at: self.used)
        self.memory.noteWritten(front: self.rawBytes, back: self.count * Mark.size)
        return Batch(
            openedAt: self.openedAt,
            memory: self.memory,
            rawBytes: self.rawBytes,
            count: self.count,
            headerCount: self.headerCount,
            batchIDEnd: self.batchIDEnd,
            levels: self.levels(of: [self.all])
        )
    }

    /// Adds those records of `other` that this batch does not have yet. It may have the first ones.
    mutating func append(recordsOf other: some BatchContent) {
        var index = 0
        other.forEachRecord { text in
            defer { index += 1 }
            guard index >= self.count else { return }
            let mark = other.mark(index)
            let record = EncodedRecord(opening: Envelope.separator, sequence: nil, members: text)
            self.append(record, rank: mark.rank, isSynthetic: mark.isSynthetic)
        }
    }

    // MARK: What an earlier process has left

    /// A batch that an earlier process has filled, up to its last whole record; `nil` if it has none. Nothing is
    /// written to it before it is sealed. `isWhole` is false if there is anything else behind those records.
    static func recovered(
        _ header: SpoolFormat.Header,
        memory: BatchMemory,
        openedAt: MonotonicInstant
    ) -> (batch: OpenBatch?, isWhole: Bool) {
        var batch = OpenBatch(recovering: header, memory: memory, openedAt: openedAt)
        guard header.envelopeBytes + Envelope.footerCount <= memory.capacity, header.hasWholeEnvelope(at: memory.base)
        else { return (nil, false) }
        let isWhole = batch.findRecords()
        guard batch.count > 0, batch.used + Envelope.footerCount <= memory.capacity else { return (nil, isWhole) }
        return (batch, isWhole)
    }

    private init(recovering header: SpoolFormat.Header, memory: BatchMemory, openedAt: MonotonicInstant) {
        self.openedAt = openedAt
        self.memory = memory
        self.headerCount = header.envelopeBytes
        self.batchIDEnd = header.batchIDEnd
        self.used = header.envelopeBytes
    }

    /// Counts the records up to the first one that is not whole; `false` if there is one.
    private mutating func findRecords() -> Bool {
        while (self.count + 1) * Mark.size <= self.memory.capacity - self.used {
            let mark = Mark(bits: self.word(self.count))
            if mark.bits == 0 { return !self.hasRecordsBehind() }
            let start = self.count == 0 ? self.used : self.used + Envelope.separatorCount
            let room = self.memory.capacity - (self.count + 1) * Mark.size
            // If the footer does not fit, it would be written over marks.
            guard mark.end > start, mark.end + Envelope.footerCount <= room,
                mark.check == self.check(from: self.used, to: mark.end) ^ mark.kind
            else {
                return false
            }
            self.used = mark.end
            self.count += 1
            self.committed += 1
        }
        return true
    }

    /// Whether marks are missing: behind the last mark, there is more than the one record that the process was writing
    /// when it died.
    private func hasRecordsBehind() -> Bool {
        let limit = self.memory.capacity - (self.count + 1) * Mark.size
        // A record is written only if two more marks have room, so it never reaches the second one. A full file has no
        // room for that.
        if limit - Mark.size >= self.used + Envelope.footerCount, self.word(self.count + 1) != 0 { return true }
        let body = UnsafeRawBufferPointer(start: self.memory.base, count: limit)
        let start = self.count == 0 ? self.used : min(self.used + Envelope.separatorCount, limit)
        // Records are text: no zero is in one, and no line feed but between two.
        let text = body[start...].prefix { $0 != 0 }
        return text.contains(UInt8(ascii: "\n"))
    }
}

extension EncodedRecord {
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

/// The open batch of a topic, and what belongs to it.
struct Intake {
    /// The memory of a file for a topic with few records.
    static let smallestFile = 32 << 10

    var open: OpenBatch?
    /// Batches that are to be sealed as soon as callers have copied what they have claimed in them, the oldest first.
    private(set) var closing: [OpenBatch] = []
    /// The last record of the open batch, if repeats of it are left out.
    var lastRecord: RepeatedRecord?
    /// Whether a record came that must not linger.
    private(set) var isUrgent = false
    /// The number of the next batch.
    var nextBatch: UInt64 = 0
    /// The size of the next spool file's memory: small for a topic of few records.
    var spoolBytes = Self.smallestFile

    /// Notes that a record came that must not linger. Returns `true` if it is the first one.
    mutating func becomesUrgent() -> Bool {
        defer { self.isUrgent = true }
        return !self.isUrgent
    }

    /// Remembers a record, so that later ones can be compared with it.
    @inline(never)
    mutating func remember(_ record: EncodedRecord, from start: Int, rank: Int) {
        var lastRecord = self.lastRecord ?? RepeatedRecord()
        lastRecord.remember(
            UnsafeRawBufferPointer(rebasing: record.members[start...]),
            rank: rank,
            sequence: record.sequence
        )
        self.lastRecord = lastRecord
    }

    /// Seals the open batch, if there is one, and returns it. If a caller is still copying a record into it, or into one
    /// before it, returns `nil`, and the batch waits for that.
    mutating func seal() -> Batch? {
        guard var batch = self.takeOpen() else { return nil }
        guard batch.findCommits(), self.closing.isEmpty else {
            self.closing.append(batch)
            return nil
        }
        return batch.sealed()
    }

    /// Seals the oldest batch that was only waiting for callers, if it is whole now.
    mutating func sealClosing() -> Batch? {
        guard !self.closing.isEmpty, self.closing[0].findCommits() else { return nil }
        return self.closing.removeFirst().sealed()
    }

    /// Takes all batches that are not sealed, the oldest first.
    mutating func takeUnsent() -> [OpenBatch] {
        defer { self.closing = [] }
        return self.closing + (self.takeOpen().map { [$0] } ?? [])
    }

    private mutating func takeOpen() -> OpenBatch? {
        self.lastRecord = nil
        self.isUrgent = false
        return self.open.take()
    }

    /// The number of records in batches that are not sealed, with those that callers are still copying.
    var count: Int { (self.open?.count ?? 0) + self.closing.reduce(0) { $0 + $1.count } }

    /// The same by level, without those that callers are still copying.
    var levels: BatchLevels? {
        guard let open = self.open else { return self.closing.isEmpty ? nil : self.levelsOfClosing }
        let levels = open.levels(of: [open.all])
        return self.closing.isEmpty ? levels : levels + self.levelsOfClosing
    }

    private var levelsOfClosing: BatchLevels {
        self.closing.reduce(BatchLevels()) { $0 + $1.levels(of: [$1.all]) }
    }

    /// When the oldest record came.
    var oldest: MonotonicInstant? { self.closing.first?.openedAt ?? self.open?.openedAt }
}

/// What is remembered of a record beside its bytes: where it ends, its rank, whether this library wrote it itself, and in
/// a spool file a check of its bytes.
struct Mark {
    static let size = MemoryLayout<UInt64>.size

    let bits: UInt64

    @inline(__always)
    init(bits: UInt64) { self.bits = bits }

    @inline(__always)
    init(end: Int, rank: Int, isSynthetic: Bool, check: UInt64) {
        self.bits =
            UInt64(truncatingIfNeeded: end) | UInt64(truncatingIfNeeded: rank) &<< 26 | (isSynthetic ? 1 &<< 29 : 0)
            | check &<< 30
    }

    // 26 bits are enough for 64 MiB, and no request has more than 10 MiB (`ConfigurationCheck`).
    var end: Int { Int(self.bits & 0x3FF_FFFF) }
    var rank: Int { min(Int(self.bits >> 26 & 7), 6) }
    var isSynthetic: Bool { self.bits >> 29 & 1 != 0 }
    var check: UInt64 { self.bits >> 30 }
    /// The rank and whether the record is synthetic, as they stand in the mark and are mixed into its check.
    var kind: UInt64 { self.bits >> 26 & 0xF }

    @inline(__always)
    static func kind(rank: Int, isSynthetic: Bool) -> UInt64 {
        UInt64(truncatingIfNeeded: rank) | (isSynthetic ? 8 : 0)
    }

    /// As much of a check as a mark has room for.
    @inline(__always)
    static func cut(_ check: UInt64) -> UInt64 { check &>> 30 }
}

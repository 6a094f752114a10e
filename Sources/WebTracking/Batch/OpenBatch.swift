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

    /// Whether it has to be sealed before a record of `cost` bytes is added.
    @inline(__always)
    func isFull(_ policy: SealPolicy, adding cost: Int, backlog: Int) -> Bool {
        policy.isFull(count: self.count, bytes: self.rawBytes &+ cost, backlog: backlog)
    }

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
        guard self.hasRoom(for: cost), !self.isFull(policy, adding: cost, backlog: backlog) else { return false }
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
        // The mark last: with it the record counts, even if the process ends before the next instruction.
        Mark(begin: self.used, end: end, rank: rank, isSynthetic: isSynthetic).commit(
            to: self.memory.base + (self.memory.capacity &- (self.count &+ 1) &* Mark.size),
            record: self.memory.base + self.used,
            number: self.count,
            seed: self.memory.seed
        )
        self.used = end
        if self.isWhole { self.committed &+= 1 }
        self.count &+= 1
    }

    // MARK: Places that callers claim

    /// Whether every record has its mark.
    @inline(__always)
    var isWhole: Bool { self.committed == self.count }

    /// Takes over the places that callers have claimed.
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
    /// first one is.
    mutating func laneTarget(bodyLimit: Int, countLimit: Int) -> AppendLane.Target? {
        guard self.count > 0 else { return nil }
        if self.memory.file != nil {
            // A file is new or wiped.
            self.markPlaces = self.memory.capacity / Mark.size
        } else if self.markPlaces <= self.count {
            // Zeros in place of marks of the batch that had the memory before. Some at a time: most batches are small.
            let room = (self.memory.capacity - self.rawBytes) / Mark.size
            let places = min(max(self.count * 2, 64), room)
            guard places > self.count else { return nil }
            self.memory.clearMarks(from: self.count, to: places)
            self.markPlaces = places
        }
        return AppendLane.Target(
            base: UInt(bitPattern: self.memory.base),
            seed: self.memory.seed,
            capacity: self.memory.capacity,
            bodyLimit: bodyLimit,
            countLimit: min(self.markPlaces, countLimit)
        )
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

    /// The whole records that an earlier process has put into a file; `nil` if there is none. Nothing is written to
    /// the file's memory before the batch is sealed. `isWhole` is false if something is damaged.
    static func recovered(
        _ header: SpoolFormat.Header,
        memory: BatchMemory,
        openedAt: MonotonicInstant
    ) -> (batch: OpenBatch?, isWhole: Bool) {
        guard header.envelopeBytes + Envelope.footerCount <= memory.capacity, header.hasWholeEnvelope(at: memory.base)
        else { return (nil, false) }
        let found = RecoveredRecords(header, in: memory)
        guard !found.records.isEmpty else { return (nil, found.isWhole) }
        guard found.isInPlace else {
            return (OpenBatch(found.records, of: header, in: memory, openedAt: openedAt), found.isWhole)
        }
        return (OpenBatch(found, of: header, in: memory, openedAt: openedAt), found.isWhole)
    }

    /// Records that are where a request needs them.
    private init(
        _ found: RecoveredRecords,
        of header: SpoolFormat.Header,
        in memory: BatchMemory,
        openedAt: MonotonicInstant
    ) {
        self.openedAt = openedAt
        self.memory = memory
        self.headerCount = header.envelopeBytes
        self.batchIDEnd = header.batchIDEnd
        self.used = found.end
        self.count = found.records.count
        self.committed = self.count
    }

    /// A copy of the records in a file, one behind the other. It keeps the file's memory, and so the file, until they are
    /// settled.
    init(
        _ records: [RecoveredRecords.Record],
        of header: SpoolFormat.Header,
        in memory: BatchMemory,
        openedAt: MonotonicInstant
    ) {
        let envelope = Array(UnsafeRawBufferPointer(start: memory.base, count: header.envelopeBytes))
        let bytes = records.reduce(0) { $0 + $1.text.count + Envelope.separatorCount + Mark.size }
        self.init(
            header: envelope,
            batchIDEnd: header.batchIDEnd,
            openedAt: openedAt,
            memory: BatchMemory(capacity: Self.bytes(header: envelope.count) + bytes + 2 * Mark.size)
        )
        for record in records {
            let text = UnsafeRawBufferPointer(start: memory.base + record.text.lowerBound, count: record.text.count)
            self.append(
                EncodedRecord(opening: Envelope.separator, sequence: nil, members: text),
                rank: record.rank,
                isSynthetic: record.isSynthetic
            )
        }
        self.memory.keep(memory)
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
    static let smallestPlace = 32 << 10

    var open: OpenBatch?
    /// Batches that are to be sealed as soon as callers have copied what they have claimed in them, the oldest first.
    private(set) var closing: [OpenBatch] = []
    /// The last record of the open batch, if repeats of it are left out.
    var lastRecord: RepeatedRecord?
    /// Whether a record came that must not linger.
    private(set) var isUrgent = false
    /// The number of the next batch.
    var nextBatch: UInt64 = 0
    /// The size of the next place for a batch that does not grow: small for a topic of few records.
    var nextBytes = Self.smallestPlace

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
    var levels: BatchLevels {
        let open = self.open.map { $0.levels(of: [$0.all]) } ?? BatchLevels()
        return self.closing.reduce(open) { $0 + $1.levels(of: [$1.all]) }
    }

    /// The number of records in batches that are in memory only.
    var unspooled: Int {
        (self.closing + [self.open].compactMap { $0 }).reduce(0) { $0 + ($1.isUnspooled ? $1.count : 0) }
    }

    /// Whether a batch that is not sealed is in this memory.
    func holds(_ memory: BatchMemory) -> Bool {
        self.open?.memory === memory || self.closing.contains { $0.memory === memory }
    }

    /// When the oldest record came.
    var oldest: MonotonicInstant? { self.closing.first?.openedAt ?? self.open?.openedAt }
}

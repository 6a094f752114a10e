// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Records in the form in which they are sent: the body of one request.
///
/// A record's bytes stay where they were first put, on the heap or in a spool file, until the service has answered for
/// them. A batch is filled by one holder; once sealed, it and its copies are only read.
struct Batch: Sendable {
    /// When the first record came.
    let openedAt: MonotonicInstant
    private(set) var memory: BatchMemory
    /// The bytes of the request body so far.
    private var used: Int
    /// The number of records.
    private(set) var count = 0
    let headerCount: Int
    /// Where the batch id ends; 0 if there is none.
    let batchIDEnd: Int
    /// The number of records by level, all of them and without this library's own; known once the batch is sealed.
    private(set) var levels: BatchLevels?
    /// How many records of batches behind it were given up while it waited; they count as settled once it is.
    var evictedBehind = 0
    /// Other memory, of which this is a copy, that lasts as long as the batch.
    private(set) var origin: BatchMemory?

    private var isSealed: Bool { self.levels != nil }
    /// The records by level, once the batch is sealed.
    var allLevels: LevelCounts { self.levels?.all ?? LevelCounts() }
    /// Of these, those that are not of the library's own making.
    var ownLevels: LevelCounts { self.levels?.own ?? LevelCounts() }

    /// Starts a batch in memory that has at least ``bytes(header:)`` bytes.
    init(
        header: [UInt8],
        batchIDEnd: Int = 0,
        openedAt: MonotonicInstant,
        memory: BatchMemory,
        label: SpoolLabel? = nil
    ) {
        precondition(memory.capacity >= Self.bytes(header: header))
        self.openedAt = openedAt
        self.memory = memory
        self.headerCount = header.count
        self.batchIDEnd = batchIDEnd
        self.used = header.count
        memory.open(header, batchIDEnd: batchIDEnd, label: label)
    }

    /// A batch that an earlier process has filled, as far as its records are whole; not sealed, so nothing is written to.
    /// `isWhole` is false if there is more in the memory than that. `nil` without a single record.
    static func recovered(
        _ header: SpoolFormat.Header,
        memory: BatchMemory,
        openedAt: MonotonicInstant
    ) -> (batch: Batch?, isWhole: Bool) {
        var batch = Batch(recovering: header, memory: memory, openedAt: openedAt)
        guard header.envelopeBytes + Envelope.footerCount <= memory.capacity,
            header.envelopeCheck == RecordCheck.of(memory.base, count: header.envelopeBytes, seed: header.seed)
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
            // Where the footer would not fit it would be written over marks.
            guard mark.end > start, mark.end + Envelope.footerCount <= room,
                mark.check == self.check(from: self.used, to: mark.end) ^ mark.kind
            else {
                return false
            }
            self.used = mark.end
            self.count += 1
        }
        return true
    }

    /// Whether there is more behind the last mark than the one record that a process was writing when it died: then marks
    /// are missing.
    private func hasRecordsBehind() -> Bool {
        let limit = self.memory.capacity - (self.count + 1) * Mark.size
        // A record in the making leaves room for the next mark but one; in a file that is full there may be none.
        if limit - Mark.size >= self.used + Envelope.footerCount, self.word(self.count + 1) != 0 { return true }
        let body = UnsafeRawBufferPointer(start: self.memory.base, count: limit)
        let start = self.count == 0 ? self.used : min(self.used + Envelope.separatorCount, limit)
        // Records are text: no zero is in one, and no line feed but between two.
        let text = body[start...].prefix { $0 != 0 }
        return text.contains(UInt8(ascii: "\n"))
    }

    /// The memory that an empty batch needs.
    static func bytes(header: [UInt8]) -> Int { header.count + Envelope.footerCount }

    /// The memory that a batch of this record alone needs.
    static func bytes(header: [UInt8], with record: EncodedRecord) -> Int {
        self.bytes(header: header) + record.count + 2 * Mark.size
    }

    /// The size of the request body.
    var rawBytes: Int { self.used &+ (self.isSealed ? 0 : Envelope.footerCount) }

    /// The memory that the batch holds on to.
    var heldBytes: Int { self.memory.isResident ? self.memory.capacity : 0 }

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
    /// One call that changes the batch in place: asked first and changed then, it would be copied for the question.
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
        precondition(memory.capacity >= self.memory.capacity && !self.isSealed)
        let marks = self.count * Mark.size
        memory.base.copyMemory(from: self.memory.base, byteCount: self.used)
        (memory.base + memory.capacity - marks)
            .copyMemory(from: self.memory.base + self.memory.capacity - marks, byteCount: marks)
        memory.label = self.memory.label
        self.memory = memory
    }

    /// Adds a record for which there is room.
    @inline(__always)
    mutating func append(_ record: EncodedRecord, rank: Int, isSynthetic: Bool) {
        let cost = self.cost(of: record)
        // The one check between a mistake in the arithmetic above and foreign memory.
        precondition(!self.isSealed && self.hasRoom(for: cost))
        record.write(to: self.memory.base + self.used, isFirst: self.count == 0)
        let end = self.used &+ cost
        let place = self.memory.base + (self.memory.capacity &- (self.count &+ 1) &* Mark.size)
        if self.memory.seed == 0 {
            let mark = Mark(end: end, rank: rank, isSynthetic: isSynthetic, check: 0)
            place.storeBytes(of: mark.bits, as: UInt64.self)
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
        self.count &+= 1
    }

    /// The check of the record that takes up these bytes of the body, as far as a mark has room for it.
    @inline(__always)
    private func check(from start: Int, to end: Int) -> UInt64 {
        Mark.cut(RecordCheck.of(self.memory.base + start, count: end &- start, seed: self.memory.seed))
    }

    /// Completes the request body.
    mutating func seal() {
        guard !self.isSealed else { return }
        self.memory.write(Envelope.footer, at: self.used)
        let levels = self.countLevels()
        self.used += Envelope.footer.count
        self.memory.noteWritten(front: self.used, back: self.count * Mark.size)
        self.levels = levels
    }

    /// The number of records by level so far.
    func countLevels() -> BatchLevels {
        var all = LevelCounts()
        var own = LevelCounts()
        for index in 0..<self.count {
            let mark = self.mark(index)
            all.countOne(mark.rank)
            if !mark.isSynthetic { own.countOne(mark.rank) }
        }
        return BatchLevels(all: all, own: own)
    }

    /// The rank of the most severe record, for a batch that is not sealed the one so far.
    var highestRank: Int {
        let levels = self.levels ?? self.countLevels()
        return (0..<7).last { levels.all[$0] > 0 } ?? 0
    }

    /// The request body so far; valid only inside the closure.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self.memory) {
            try body(UnsafeRawBufferPointer(start: self.memory.base, count: self.used))
        }
    }

    /// The JSON text of each record, in order; valid only inside the closure.
    func forEachRecord(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try withExtendedLifetime(self.memory) {
            var start = self.headerCount
            for index in 0..<self.count {
                let end = self.mark(index).end
                try body(UnsafeRawBufferPointer(start: self.memory.base + start, count: end - start))
                start = end + Envelope.separatorCount
            }
        }
    }

    /// The id of the batch, as its tag has it; `nil` if there is none.
    var batchID: String? {
        guard self.batchIDEnd > 0 else { return nil }
        return self.withBytes { bytes in
            String(
                decoding: bytes[..<self.batchIDEnd].reversed().prefix { $0 != UInt8(ascii: "\"") }.reversed(),
                as: UTF8.self
            )
        }
    }

    /// The spool file that goes when all the records are done with.
    var spoolFile: SpoolFile? { self.memory.file ?? self.origin?.file }

    /// What is remembered of the record at `index`.
    func mark(_ index: Int) -> Mark {
        precondition(index >= 0 && index < self.count)
        return Mark(bits: self.word(index))
    }

    private func word(_ index: Int) -> UInt64 {
        let place = self.memory.base + self.memory.capacity
        return UInt64(littleEndian: place.load(fromByteOffset: -(index + 1) * Mark.size, as: UInt64.self))
    }

    /// Makes other memory, of which this is a copy, last as long as the batch.
    mutating func keep(_ memory: BatchMemory) {
        self.origin = memory
    }

    /// Whether the batch counts for the bound of the spool: its file is there, or will be.
    var isInSpool: Bool { self.spoolFile != nil || self.memory.hasReservedFile }

    /// Whether the batch is in memory only: no file was to be had, or its own has gone and is mapped still.
    var isUnspooled: Bool {
        guard self.origin == nil else { return false }
        guard let file = self.memory.file else { return self.memory.label != nil }
        return file.spoolFolder.isLost && file.page != nil
    }

    /// What a file says of the batch, or would say.
    var label: SpoolLabel? {
        guard let file = self.memory.file else { return self.memory.label }
        guard let page = file.page,
            case .holding(let header) = SpoolFormat.read(UnsafeRawBufferPointer(start: page, count: file.bytes))
        else { return nil }
        return SpoolLabel(
            seed: header.seed,
            order: header.order,
            openedAt: header.openedAt,
            destination: header.destination,
            topic: header.topic
        )
    }

    /// The memory that ``copied(to:label:)`` needs.
    var bytesForCopy: Int { self.rawBytes + (self.count + 1) * Mark.size }

    /// The same batch in a file's memory, as if its records had been put there in the first place.
    func copied(to memory: BatchMemory, label: SpoolLabel) -> Batch {
        var copy = Batch(
            header: self.withBytes { Array($0[..<self.headerCount]) },
            batchIDEnd: self.batchIDEnd,
            openedAt: self.openedAt,
            memory: memory,
            label: label
        )
        copy.append(recordsOf: self)
        if self.isSealed { copy.seal() }
        return copy
    }

    /// Adds the records of a batch of which this has the first ones already.
    mutating func append(recordsOf other: Batch) {
        var index = 0
        other.forEachRecord { text in
            defer { index += 1 }
            guard index >= self.count else { return }
            let mark = other.mark(index)
            let record = EncodedRecord(opening: Envelope.separator, sequence: nil, members: text)
            self.append(record, rank: mark.rank, isSynthetic: mark.isSynthetic)
        }
    }
}

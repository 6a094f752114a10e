// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Records in the form in which they are sent, whether more can be added or not.
protocol BatchContent: Sendable {
    /// When the first record came.
    var openedAt: MonotonicInstant { get }
    var memory: BatchMemory { get }
    /// The bytes of the request body so far.
    var used: Int { get }
    /// The size of the request body when it is complete.
    var rawBytes: Int { get }
    /// The number of records.
    var count: Int { get }
    var headerCount: Int { get }
    /// Where the batch id ends; 0 if there is none.
    var batchIDEnd: Int { get }
}

/// The body of one request, complete: a value that is only read.
struct Batch: BatchContent {
    let openedAt: MonotonicInstant
    let memory: BatchMemory
    let rawBytes: Int
    let count: Int
    let headerCount: Int
    let batchIDEnd: Int
    /// The number of records by level, all of them and without this library's own.
    let levels: BatchLevels
    /// The number of evicted records of batches behind it. They count as settled when this batch is.
    var evictedBehind = 0

    var used: Int { self.rawBytes }

    /// The rank of the most severe record.
    var highestRank: Int { self.levels.highestRank }

    /// Whether the batch counts for the bound of the spool: its file is there, or will be.
    var isInSpool: Bool { self.memory.spoolFile != nil || self.memory.hasReservedFile }
}

extension BatchContent {
    /// The request body so far; valid only inside the closure.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        // A raw pointer keeps nothing alive: without this, the memory could be freed during `body`.
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

    /// The JSON text of the last record, of which there is at least one.
    var textOfLast: [UInt8] {
        let start = self.count == 1 ? self.headerCount : self.mark(self.count - 2).end + Envelope.separatorCount
        let end = self.mark(self.count - 1).end
        return withExtendedLifetime(self.memory) {
            Array(UnsafeRawBufferPointer(start: self.memory.base + start, count: end - start))
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

    /// What is remembered of the record at `index`.
    func mark(_ index: Int) -> Mark {
        precondition(index >= 0 && index < self.count)
        return Mark(bits: self.word(index))
    }

    func word(_ index: Int) -> UInt64 {
        SharedWord.load(self.memory.base + (self.memory.capacity - (index + 1) * Mark.size + Mark.wordOffset))
    }

    /// All records.
    var all: Range<Int> { 0..<self.count }

    /// The records in these ranges by level, without those that have no mark yet.
    func levels(of ranges: [Range<Int>]) -> BatchLevels {
        var levels = BatchLevels()
        for range in ranges {
            for index in range {
                let mark = self.mark(index)
                guard mark.bits != 0 else { continue }
                levels.all.countOne(mark.rank)
                if !mark.isSynthetic { levels.own.countOne(mark.rank) }
            }
        }
        return levels
    }

    /// Whether the batch is in memory only: no file was ready, or its file is gone but still mapped.
    var isUnspooled: Bool {
        guard self.memory.origin == nil else { return false }
        guard let file = self.memory.file else { return self.memory.label != nil }
        return file.spoolFolder.isLost && file.page != nil
    }

    /// What a file says of the batch, or would say.
    var label: SpoolLabel? {
        guard let file = self.memory.file else { return self.memory.label }
        guard let page = file.page,
            case .holding(let header) = SpoolFormat.read(UnsafeRawBufferPointer(start: page, count: file.bytes))
        else { return nil }
        return header.label
    }

    /// The memory that a copy needs.
    var bytesForCopy: Int { self.rawBytes + (self.count + 1) * Mark.size }
}

/// Parts of a sealed batch: ranges of its records, which stay where they are.
extension Batch {
    /// The bytes of these records, of which there is at least one, with what stands between them.
    private func bytes(of records: Range<Int>) -> Range<Int> {
        let first = records.lowerBound
        let start = first == 0 ? self.headerCount : self.mark(first - 1).end + Envelope.separatorCount
        return start..<self.mark(records.upperBound - 1).end
    }

    /// The size of a request body with these records, but for the name of the part.
    func bodyBytes(of records: Range<Int>) -> Int {
        records == self.all
            ? self.rawBytes : self.headerCount + self.bytes(of: records).count + Envelope.footerCount
    }

    /// How many of these records, from the first one on and at least that, come to no more than `limit` bytes.
    func count(of records: Range<Int>, within limit: Int) -> Int {
        if self.bodyBytes(of: records) <= limit { return records.count }
        var fitting = 1
        var beyond = records.count
        while beyond - fitting > 1 {
            let middle = (fitting + beyond) / 2
            let part = records.lowerBound..<records.lowerBound + middle
            if self.bodyBytes(of: part) <= limit { fitting = middle } else { beyond = middle }
        }
        return fitting
    }

    /// Calls `body` with a request body of these records; valid only inside the closure.
    ///
    /// The body of a part is made for the call. Its batch id is this one's with `.` and the numbers of its first and its last
    /// record, from 1 on, behind it: an id stands for the same records whenever it comes.
    func withBody<Result>(of records: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
    {
        if records == self.all { return try self.withBytes(body) }
        let text = self.bytes(of: records)
        let name = self.batchIDEnd > 0 ? Array(".\(records.lowerBound + 1)-\(records.upperBound)".utf8) : []
        return try self.withBytes { whole in
            let size = self.headerCount + name.count + text.count + Envelope.footerCount
            let part = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
            defer { part.deallocate() }
            var end = 0
            func append(_ bytes: some Collection<UInt8>) {
                UnsafeMutableRawBufferPointer(rebasing: part[end...]).copyBytes(from: bytes)
                end += bytes.count
            }
            append(whole[..<self.batchIDEnd])
            append(name)
            append(whole[self.batchIDEnd..<self.headerCount])
            append(whole[text])
            append(Envelope.footer)
            return try body(UnsafeRawBufferPointer(part))
        }
    }

    /// The JSON text of the record at `index`.
    func text(at index: Int) -> [UInt8] {
        let text = self.bytes(of: index..<index + 1)
        return self.withBytes { Array($0[text]) }
    }
}

/// Records of a batch by level, all of them and without those that this library wrote itself.
struct BatchLevels {
    var all = LevelCounts()
    var own = LevelCounts()

    /// How many of them this library wrote itself.
    var synthetic: Int { self.all.total - self.own.total }

    /// The rank of the most severe record.
    var highestRank: Int { (0..<7).last { self.all[$0] > 0 } ?? 0 }

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.all += right.all
        sum.own += right.own
        return sum
    }
}

/// Some records of a batch, by their places in it.
struct BatchRange<Batch> {
    var batch: Batch
    var ranges: [Range<Int>]
    /// Whether the rest of the batch is settled.
    var isLast: Bool

    var count: Int { self.ranges.reduce(0) { $0 + $1.count } }
}

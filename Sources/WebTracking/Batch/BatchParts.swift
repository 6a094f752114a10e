// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Parts of a sealed batch: ranges of its records, which stay where they are.
extension Batch {
    /// All records.
    var all: Range<Int> { 0..<self.count }

    /// The records in these ranges by level.
    func levels(of ranges: [Range<Int>]) -> BatchLevels {
        if ranges == [self.all], let levels = self.levels { return levels }
        var all = LevelCounts()
        var own = LevelCounts()
        for index in ranges.joined() {
            let mark = self.mark(index)
            all.countOne(mark.rank)
            if !mark.isSynthetic { own.countOne(mark.rank) }
        }
        return BatchLevels(all: all, own: own)
    }

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

/// Some records of a batch, by their places in it.
struct BatchRange<Batch> {
    var batch: Batch
    var ranges: [Range<Int>]
    /// Whether the rest of the batch is done with.
    var isLast: Bool

    var count: Int { self.ranges.reduce(0) { $0 + $1.count } }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// The whole records in a spool file, by its marks.
///
/// Callers append side by side, so a process that dies may leave marks that are missing, with whole records behind them.
/// Each mark says where its record is and has a check of it, so each one is read by itself.
struct RecoveredRecords {
    struct Record {
        /// The JSON text.
        var text: Range<Int>
        var rank: Int
        var isSynthetic: Bool
    }

    /// So many missing marks are damage. Fewer are appends that a death has interrupted: a mark that was not stored and one
    /// that was erased look the same, but what a disk loses is a sector of 512 bytes or more.
    static let mostMissing = Self.sector / Mark.size
    /// So many, from the edge of a sector to the last mark, are the rest of a sector that is gone.
    static let mostMissingAtEdge = 5
    private static let sector = 512

    private(set) var records: [Record] = []
    /// Where the last of them ends.
    private(set) var end: Int
    /// Whether nothing is damaged.
    private(set) var isWhole = true
    /// Whether records and marks stand one behind the other, so that a request can be made of them where they are.
    private(set) var isInPlace = true

    /// Reads the marks in a memory of the size that the header says, whose envelope is whole.
    init(_ header: SpoolFormat.Header, in memory: BatchMemory) {
        self.end = header.envelopeBytes
        if header.hasOldMarks {
            self.readOldMarks(of: header, in: memory)
        } else {
            self.readMarks(of: header, in: memory)
        }
    }

    private mutating func readMarks(of header: SpoolFormat.Header, in memory: BatchMemory) {
        var walk = MarkWalk(header)
        // Places that are known to be those of marks.
        var places = 0
        var missing = 0
        // Missing marks, and what is no mark behind them, since the last place that is known.
        var gap = 0
        var isDoubtful = false
        while let place = walk.next() {
            let mark = Mark(bits: SharedWord.load(memory.base + place + Mark.wordOffset))
            let found = walk.record(mark.bits, at: place)
            if mark.bits == 0 {
                gap += 1
            } else if let found, Self.isWhole(mark, number: walk.number, at: place, in: memory) {
                self.isInPlace = self.isInPlace && walk.number == self.records.count && found.begin == self.end
                self.records.append(Record(text: found.text, rank: mark.rank, isSynthetic: mark.isSynthetic))
                self.end = found.text.upperBound
                walk.end = self.end
                missing += gap
                // There is a mark behind it, so it was one, too.
                if isDoubtful { self.isWhole = false }
                (gap, isDoubtful, places) = (0, false, walk.number + 1)
            } else if gap == 0 || found != nil || !Self.isText(memory, place) {
                // Between marks and text there always is the place of a mark that is zero, and a record that was being
                // written is text, which ends in no word that could be a mark. So this was one.
                self.isWhole = false
            } else {
                isDoubtful = true
            }
        }
        // Behind the last mark: records that were being written, each with a line feed before it.
        let marks = memory.capacity - places * Mark.size
        var position = self.end
        var last = 0
        while missing < Self.mostMissing, let next = Self.lineFeed(memory, from: position, to: marks) {
            missing += 1
            last += 1
            position = next + 1
        }
        // The file's header is of whole sectors.
        let isSectorGone = last >= Self.mostMissingAtEdge && marks % Self.sector == 0
        // The first record is never written beside others.
        let isFirstMissing = Self.isZero(memory, memory.capacity - Mark.size) && missing > 0
        if missing >= Self.mostMissing || isSectorGone || isFirstMissing { self.isWhole = false }
    }

    /// The first line feed of a separator. One with anything else before it is a part of the check of a mark without word.
    private static func lineFeed(_ memory: BatchMemory, from start: Int, to end: Int) -> Int? {
        var start = start
        while let found = memchr(memory.base + start, CInt(UInt8(ascii: "\n")), end - start) {
            let place = UnsafeMutableRawPointer(found) - memory.base
            let before = place > 0 ? memory.base.load(fromByteOffset: place - 1, as: UInt8.self) : 0
            if before == UInt8(ascii: ",") { return place }
            start = place + 1
        }
        return nil
    }

    /// Whether the place of a mark may be a part of records: these have no control character but the line feed. Zeros are
    /// what is not copied yet.
    private static func isText(_ memory: BatchMemory, _ place: Int) -> Bool {
        UnsafeRawBufferPointer(start: memory.base + place, count: Mark.size)
            .allSatisfy { $0 == 0 || $0 == UInt8(ascii: "\n") || $0 >= 0x20 }
    }

    private static func isZero(_ memory: BatchMemory, _ place: Int) -> Bool {
        place < 0 || SharedWord.load(memory.base + place + Mark.wordOffset) == 0
    }

    /// Whether the record of a mark is as it was when the mark was written.
    private static func isWhole(_ mark: Mark, number: Int, at place: Int, in memory: BatchMemory) -> Bool {
        let check = UInt64(littleEndian: (memory.base + place).loadUnaligned(as: UInt64.self))
        return check == mark.check(of: memory.base + mark.begin, number: number, seed: memory.seed)
    }
}

/// Format 1: marks of 8 bytes, which say where a record ends, and are read up to the first that is missing.
extension RecoveredRecords {
    fileprivate mutating func readOldMarks(of header: SpoolFormat.Header, in memory: BatchMemory) {
        // They are copied, and get marks of today.
        self.isInPlace = false
        func mark(at place: Int) -> UInt64 { SharedWord.load(memory.base + place) }
        var walk = MarkWalk(header)
        while let place = walk.next() {
            let bits = mark(at: place)
            if bits == 0 {
                let start = self.records.isEmpty ? self.end : self.end + Envelope.separatorCount
                // One record may have been in the making.
                let next = place - walk.size
                let hasMark = next >= self.end + Envelope.footerCount && mark(at: next) != 0
                let behind = UnsafeRawBufferPointer(start: memory.base, count: place)[min(start, place)...]
                self.isWhole = !hasMark && !behind.prefix { $0 != 0 }.contains(UInt8(ascii: "\n"))
                return
            }
            guard let found = walk.record(bits, at: place),
                bits >> 30
                    == RecordCheck.of(
                        memory.base + found.begin,
                        count: found.text.upperBound - found.begin,
                        seed: memory.seed
                    ) >> 30 ^ (bits >> 26 & 0xF)
            else {
                self.isWhole = false
                return
            }
            let isSynthetic = bits >> 29 & 1 != 0
            self.records.append(Record(text: found.text, rank: walk.rank(bits), isSynthetic: isSynthetic))
            self.end = found.text.upperBound
            walk.end = self.end
        }
    }
}

/// A walk over the marks of a file, from the first record's down to where the text ends that they tell of. Whoever reads the
/// records walks like this, and whoever only counts them.
struct MarkWalk {
    /// The bytes of a mark.
    let size: Int
    /// Whether the file is of format 1, whose marks have no gaps.
    let isOld: Bool
    private let capacity: Int
    private let envelope: Int
    /// The number of the mark at the last place.
    private(set) var number = -1
    /// Where the text ends, by the marks up to now.
    var end: Int

    init(_ header: SpoolFormat.Header) {
        self.isOld = header.hasOldMarks
        self.size = self.isOld ? 8 : Mark.size
        self.capacity = header.capacity
        self.envelope = header.envelopeBytes
        self.end = self.envelope
    }

    /// The next place; `nil` if there is no room for more marks.
    mutating func next() -> Int? {
        let place = self.capacity - (self.number + 2) * self.size
        // If the footer did not fit, it would be written over marks.
        guard place >= self.end + (self.isOld ? 0 : Envelope.footerCount),
            self.isOld || self.number + 1 < AppendWord.mostRecords
        else { return nil }
        self.number += 1
        return place
    }

    /// Where the record is of which this word at the last place may be the mark, with the separator before it, and its text;
    /// `nil` if it is none.
    func record(_ word: UInt64, at place: Int) -> (begin: Int, text: Range<Int>)? {
        let mark = Mark(bits: word)
        let (begin, end) = self.isOld ? (self.end, Int(word & 0x3FF_FFFF)) : (mark.begin, mark.end)
        let start = begin + (begin == self.envelope ? 0 : Envelope.separatorCount)
        let limit = place - Envelope.footerCount
        guard end > start, self.isOld ? end <= limit : mark.isPlausible(from: self.end, to: limit) else { return nil }
        return (begin, start..<end)
    }

    func rank(_ word: UInt64) -> Int { self.isOld ? min(Int(word >> 26 & 7), 6) : Mark(bits: word).rank }
}

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
        if header.version == SpoolFormat.version { self.readMarks(memory) } else { self.readOldMarks(memory) }
    }

    private mutating func readMarks(_ memory: BatchMemory) {
        let envelope = self.end
        // Places that are known to be those of marks.
        var places = 0
        var missing = 0
        // Missing marks, and what is no mark behind them, since the last place that is known.
        var gap = 0
        var isDoubtful = false
        for index in 0..<AppendWord.mostRecords {
            let place = memory.capacity - (index + 1) * Mark.size
            guard place >= self.end + Envelope.footerCount else { break }
            let mark = Mark(bits: SharedWord.load(memory.base + place + Mark.wordOffset))
            if mark.bits == 0 {
                gap += 1
            } else if let text = self.text(of: mark, number: index, at: place, in: memory, behind: envelope) {
                self.isInPlace = self.isInPlace && index == self.records.count && mark.begin == self.end
                self.records.append(Record(text: text, rank: mark.rank, isSynthetic: mark.isSynthetic))
                self.end = mark.end
                missing += gap
                // There is a mark behind it, so it was one, too.
                if isDoubtful { self.isWhole = false }
                (gap, isDoubtful, places) = (0, false, index + 1)
            } else if gap == 0 || mark.isPlausible(from: self.end, to: place - Envelope.footerCount)
                || !Self.isText(memory, place)
            {
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

    /// Where the text of a mark's record is; `nil` if the record is not whole, or this is no mark at all.
    private func text(
        of mark: Mark,
        number: Int,
        at place: Int,
        in memory: BatchMemory,
        behind envelope: Int
    ) -> Range<Int>? {
        // If the footer did not fit, it would be written over marks.
        guard mark.isPlausible(from: self.end, to: place - Envelope.footerCount) else { return nil }
        let start = mark.begin == envelope ? mark.begin : mark.begin + Envelope.separatorCount
        let check = UInt64(littleEndian: (memory.base + place).loadUnaligned(as: UInt64.self))
        guard start < mark.end,
            check == mark.check(of: memory.base + mark.begin, number: number, seed: memory.seed)
        else { return nil }
        return start..<mark.end
    }
}

/// Format 1: marks of 8 bytes, which say where a record ends, and are read up to the first that is missing.
extension RecoveredRecords {
    static let oldMarkSize = 8

    static func oldRank(_ mark: UInt64) -> Int { min(Int(mark >> 26 & 7), 6) }

    fileprivate mutating func readOldMarks(_ memory: BatchMemory) {
        // They are copied, and get marks of today.
        self.isInPlace = false
        func mark(at place: Int) -> UInt64 { SharedWord.load(memory.base + place) }
        var place = memory.capacity - Self.oldMarkSize
        while place >= self.end {
            let bits = mark(at: place)
            let start = self.records.isEmpty ? self.end : self.end + Envelope.separatorCount
            if bits == 0 {
                // One record may have been in the making.
                let next = place - Self.oldMarkSize
                let hasMark = next >= self.end + Envelope.footerCount && mark(at: next) != 0
                let behind = UnsafeRawBufferPointer(start: memory.base, count: place)[min(start, place)...]
                self.isWhole = !hasMark && !behind.prefix { $0 != 0 }.contains(UInt8(ascii: "\n"))
                return
            }
            let end = Int(bits & 0x3FF_FFFF)
            guard end > start, end + Envelope.footerCount <= place,
                bits >> 30 == RecordCheck.of(memory.base + self.end, count: end - self.end, seed: memory.seed) >> 30
                    ^ (bits >> 26 & 0xF)
            else {
                self.isWhole = false
                return
            }
            let isSynthetic = bits >> 29 & 1 != 0
            self.records.append(Record(text: start..<end, rank: Self.oldRank(bits), isSynthetic: isSynthetic))
            self.end = end
            place -= Self.oldMarkSize
        }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

@testable import WebTracking

/// A spool file as a producer writes it, and what it holds.
struct WrittenFile {
    private(set) var bytes: [UInt8]
    /// The records that are committed.
    private(set) var records: [[UInt8]] = []
    private(set) var levels = LevelCounts()
    let header: SpoolFormat.Header
    /// Where each of them is in the memory behind the header page, with the separator before it, and its number.
    private var places: [(bytes: Range<Int>, number: Int)] = []
    /// How many records behind the last committed one were under way.
    private(set) var interruptedAtEnd = 0

    /// Makes a file of as many records as the input says; a few fill it to the last byte, and some were under way when its
    /// process died.
    init(_ input: inout FuzzInput) {
        let capacity = (1 + input.number(in: 0...63)) * 32 + 64
        let batchID = "0123456789abcdef-\(input.byte())"
        let opening = "{\"__topic__\":\"t\",\"__source__\":\"s\",\"__tags__\":{\"__pack_id__\":\"\(batchID)"
        let envelope = Array("\(opening)\"},\"__logs__\":[".utf8)
        let batchIDEnd = opening.utf8.count
        let seed = input.word() | 1
        let zeros = [UInt8](repeating: 0, count: capacity + envelope.count.roundedUp)
        let memory = zeros.withUnsafeBytes { BatchMemory(copying: $0, seed: seed) }
        var batch = OpenBatch(
            header: envelope,
            batchIDEnd: batchIDEnd,
            openedAt: MonotonicInstant(nanoseconds: 0),
            memory: memory
        )
        var underWay: [(bytes: Range<Int>, number: Int)] = []
        for number in 0..<(Int(input.byte()) % 24) {
            let kind = Int(input.byte())
            let rank = kind % 7
            let start = batch.used
            let text = "{\"n\":\"\(number)\",\"x\":\"\(String(repeating: "x", count: Int(input.byte()) % 96))\"}"
            let isAdded = Array(text.utf8).withUnsafeBytes { text in
                let record = EncodedRecord(opening: Envelope.separator, sequence: nil, members: text)
                guard batch.hasRoom(for: batch.cost(of: record)) else { return false }
                batch.append(record, rank: rank, isSynthetic: rank == 4)
                return true
            }
            guard isAdded else { break }
            // The first record is never written beside others.
            if kind >= 224, number > 0 {
                underWay.append((start..<batch.used, number))
                self.interruptedAtEnd += 1
                continue
            }
            self.interruptedAtEnd = 0
            self.records.append(Array(text.utf8))
            self.levels.countOne(rank)
            self.places.append((start..<batch.used, number))
        }
        if input.bool(), underWay.isEmpty { _ = batch.sealed() }
        for (record, number) in underWay {
            let mark = memory.base + (memory.capacity - (number + 1) * Mark.size)
            // Its record may be there and the check of it, but not the word that says so.
            let copied = [0, record.count / 2, record.count][Int(input.byte() % 3)]
            Self.erase(memory.base + (record.lowerBound + copied), record.count - copied)
            if input.bool() { Self.erase(mark, Mark.wordOffset) }
            Self.erase(mark + Mark.wordOffset, Mark.size - Mark.wordOffset)
        }
        self.header = SpoolFormat.Header(
            label: SpoolLabel(seed: seed, order: 1, openedAt: 2, destination: "project/logstore", topic: "t"),
            capacity: memory.capacity,
            envelopeBytes: envelope.count,
            envelopeCheck: RecordCheck.of(memory.base, count: envelope.count, seed: seed),
            batchIDEnd: batchIDEnd
        )
        self.bytes = [UInt8](repeating: 0, count: SpoolFormat.headerBytes)
        let header = self.header
        self.bytes.withUnsafeMutableBytes { SpoolFormat.write(header, to: $0.baseAddress!) }
        self.bytes += UnsafeRawBufferPointer(start: memory.base, count: memory.capacity)
    }

    private static func erase(_ start: UnsafeMutableRawPointer, _ count: Int) {
        start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    /// The records that are as they were in a copy of this file, marks included; none if the header is changed.
    func wholeRecords(in other: [UInt8]) -> [[UInt8]] {
        let body = SpoolFormat.headerBytes
        func isSame(_ range: Range<Int>) -> Bool { self.bytes[range] == other[range] }
        guard isSame(0..<(body + self.header.envelopeBytes)) else { return [] }
        return zip(self.records, self.places).compactMap { record, place in
            let mark = self.bytes.count - (place.number + 1) * Mark.size
            let isWhole =
                isSame((body + place.bytes.lowerBound)..<(body + place.bytes.upperBound))
                && isSame(mark..<(mark + Mark.size))
            return isWhole ? record : nil
        }
    }
}

extension Int {
    fileprivate var roundedUp: Int { (self + 15) & ~15 }
}

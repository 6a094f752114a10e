// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

@testable import WebTracking

/// The journal's reader: whatever a file holds, it traps on nothing, and finds the whole records before and behind what is
/// damaged or was never finished.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJournal(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var input = FuzzInput(UnsafeBufferPointer(start: start, count: count))
    switch input.byte() & 3 {
    case 0: Journal.readForeign(&input)
    case 1: Journal.readDamaged(&input)
    case 2: Journal.readForgedHeader(&input)
    default: Journal.readForgedMarks(&input)
    }
    return 0
}

private enum Journal {
    /// Bytes as they come.
    static func readForeign(_ input: inout FuzzInput) {
        var bytes = input.rest()
        // A reader that sees no header page looks no further.
        if bytes.count % 3 == 0 { bytes += [UInt8](repeating: 0, count: SpoolFormat.headerBytes) }
        self.use(self.examine(bytes))
    }

    /// A whole file, damaged at some places.
    static func readDamaged(_ input: inout FuzzInput) {
        let file = WrittenFile(&input)
        var bytes = file.bytes
        while !input.isAtEnd { Damage.apply(&input, to: &bytes) }
        let finding = self.examine(bytes)
        let found = self.use(finding)
        let isSameSize = bytes.count == file.bytes.count
        // Of a file of another size the records are found by their text alone.
        guard isSameSize else { return }
        require(self.isPart(found, of: file.records), "a record that nobody wrote, or in another order")
        require(self.isPart(file.wholeRecords(in: bytes), of: found), "a whole record was not found")
        guard bytes == file.bytes else { return }
        require(found.count == file.records.count, "a record of an undamaged file was not found")
        if case .records(let batch, let header, let damage) = finding {
            // At a sector's edge so many look like a sector that the disk has lost.
            let mayLookLost = file.interruptedAtEnd >= RecoveredRecords.mostMissingAtEdge
            require((damage == nil || mayLookLost) && header == file.header, "damage in an undamaged file")
            require(batch.levels(of: [batch.all]).all == file.levels, "levels")
        }
    }

    /// Whether these records are some of those, in the same order.
    private static func isPart(_ some: [[UInt8]], of all: [[UInt8]]) -> Bool {
        var rest = all[...]
        return some.allSatisfy { record in
            guard let place = rest.firstIndex(of: record) else { return false }
            rest = rest[(place + 1)...]
            return true
        }
    }

    /// As much of a text as a header has room for, two of them.
    private static func short(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(100)))
    }

    /// A whole file with a header that says something else, and whose check is right.
    static func readForgedHeader(_ input: inout FuzzInput) {
        let file = WrittenFile(&input)
        var header = file.header
        let choice = input.byte()
        if choice & 1 != 0 { header.capacity = input.number(in: 0...2048) * 16 }
        if choice & 2 != 0 { header.envelopeBytes = input.number(in: 0...8192) }
        if choice & 4 != 0 { header.batchIDEnd = input.number(in: 0...8192) }
        if choice & 8 != 0 { header.label.order = input.word() }
        if choice & 16 != 0 { header.label.openedAt = Int64(bitPattern: input.word()) }
        if choice & 32 != 0 { header.label.destination = self.short(input.text()) }
        if choice & 64 != 0 { header.label.topic = self.short(input.text()) }
        if choice & 128 != 0 { header.label.seed = input.word() }
        // Or marks of today read as those of format 1.
        if input.bool() { header.version = 1 }
        var bytes = file.bytes
        let envelope = min(header.envelopeBytes, bytes.count - SpoolFormat.headerBytes)
        bytes.withUnsafeMutableBytes { bytes in
            let base = bytes.baseAddress!
            let start = base + SpoolFormat.headerBytes
            header.envelopeCheck = RecordCheck.of(start, count: envelope, seed: header.label.seed)
            SpoolFormat.write(header, to: base)
        }
        while !input.isAtEnd { Damage.apply(&input, to: &bytes) }
        self.use(self.examine(bytes))
    }

    /// A file whose marks are anything, with checks that are right.
    static func readForgedMarks(_ input: inout FuzzInput) {
        let file = WrittenFile(&input)
        var bytes = file.bytes
        let capacity = file.header.capacity
        var start = file.header.envelopeBytes
        let seed = file.header.label.seed
        bytes.withUnsafeMutableBytes { bytes in
            let memory = bytes.baseAddress! + SpoolFormat.headerBytes
            var index = 0
            while !input.isAtEnd, (index + 1) * Mark.size <= capacity {
                let begin = input.bool() ? start : input.number(in: 0...(2 * capacity))
                let end = input.number(in: 0...(2 * capacity))
                // Mostly a kind that there is.
                let word = UInt64(begin) | UInt64(end) << 26 | UInt64(input.byte() & 31) << 52
                let first = min(begin, capacity)
                let length = max(min(end, capacity) - first, 0)
                let check = RecordCheck.of(memory + first, count: length, seed: (seed &+ UInt64(index)) ^ word)
                let place = capacity - (index + 1) * Mark.size
                memory.storeBytes(of: check.littleEndian, toByteOffset: place, as: UInt64.self)
                memory.storeBytes(of: word.littleEndian, toByteOffset: place + Mark.wordOffset, as: UInt64.self)
                if end > start { start = end }
                index += 1
            }
        }
        self.use(self.examine(bytes))
    }

    /// The finding, from memory of exactly that size.
    private static func examine(_ bytes: [UInt8]) -> SpoolFinding {
        bytes.withUnsafeBytes { SpoolExamination.examine(copyOf: $0) }
    }

    /// Does with a finding what a recovery and a delivery do; returns the records.
    @discardableResult
    private static func use(_ finding: SpoolFinding) -> [[UInt8]] {
        guard case .records(let open, _, _) = finding else { return [] }
        var records: [[UInt8]] = []
        open.forEachRecord { records.append(Array($0)) }
        require(records.count == open.count && !records.isEmpty, "the number of records")
        _ = open.batchID
        let batch = open.sealed()
        require(batch.levels.all.total == records.count, "the sum of the levels")
        var sealed: [[UInt8]] = []
        batch.forEachRecord { sealed.append(Array($0)) }
        require(sealed == records, "records that sealing changed")
        for index in records.indices {
            require(batch.text(at: index) == records[index], "a record that its place changed")
        }
        let half = batch.count / 2
        for part in [0..<half, half..<batch.count] where !part.isEmpty {
            let size = batch.withBody(of: part) { $0.count }
            require(size >= batch.bodyBytes(of: part), "the size of a part")
        }
        return records
    }
}

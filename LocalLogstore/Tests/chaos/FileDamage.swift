// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import WebTracking

/// Damage to spool files, and what it excuses.
struct FileDamage {
    /// Lines that may be missing, since they or their marks were damaged.
    private(set) var excused: [Verdict.Line: Set<UInt64>] = [:]
    private(set) var files = 0
    /// Files of which a line may be missing.
    private(set) var harmed: [String: [(Verdict.Line, UInt64)]] = [:]

    /// Excuses all lines in the files of a directory, which its process cannot open any more.
    mutating func excuseAll(in directory: String) throws {
        let files = WebTrackingSpool(directory: directory)
        for batch in try files.batches() {
            files.forEachRecord(of: batch) { record in
                guard let (line, number) = Verdict.line(of: Data(record), topic: batch.topic) else { return }
                self.excused[line, default: []].insert(number)
            }
        }
    }

    /// Damages some of the files in a directory that no living process uses.
    mutating func strike(_ spool: String, random: inout SeededGenerator) throws {
        let files = WebTrackingSpool(directory: spool)
        for batch in try files.batches() where !batch.isAlive && batch.folder != "damaged" && batch.damage == nil {
            guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
            try self.damage(batch, of: files, random: &random)
        }
    }

    private mutating func damage(
        _ batch: WebTrackingSpool.Batch,
        of spool: WebTrackingSpool,
        random: inout SeededGenerator
    ) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: batch.path))
        // Where each record is, and which line it is.
        var records: [(line: Verdict.Line, number: UInt64, range: Range<Int>)] = []
        var position = 0
        spool.forEachRecord(of: batch) { record in
            guard let range = bytes.range(of: Data(record), in: position..<bytes.count) else { return }
            position = range.upperBound
            guard let (line, number) = Verdict.line(of: Data(record), topic: batch.topic) else { return }
            records.append((line, number, range))
        }
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let count = min(Int.random(in: 1...5000, using: &random), bytes.count - start)
        var hit = start..<(start + count)
        var isCut = false
        var isErased = false
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            hit = start..<(start + 1)
            bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1:
            isErased = true
            bytes.replaceSubrange(hit, with: Data(repeating: 0, count: count))
        case 2: bytes.replaceSubrange(hit, with: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 3:
            hit = start..<bytes.count
            isCut = true
            bytes = bytes.prefix(start)
        default:
            hit = 0..<bytes.count
            bytes = Data((0..<bytes.count).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        try bytes.write(to: URL(fileURLWithPath: batch.path))
        self.files += 1
        // The marks are at the end, the first record's last. Of a cut file the records are found without them.
        let beginning = records.first?.range.lowerBound ?? hit.upperBound
        var isSeen = false
        let lost = records.enumerated().filter { place, record in
            let mark = (batch.bytes - 16 * (place + 1))..<(batch.bytes - 16 * place)
            // With the separator before it.
            let text = (record.range.lowerBound - 2)..<record.range.upperBound
            if hit.lowerBound < beginning || text.overlaps(hit) { isSeen = true }
            return hit.lowerBound < beginning || text.overlaps(hit) || (!isCut && mark.overlaps(hit))
        }.map(\.element)
        guard !lost.isEmpty else { return }
        for record in lost { self.excused[record.line, default: []].insert(record.number) }
        // A few marks that were erased look like records that were never finished.
        guard isSeen || !isErased || lost.count >= 32 else { return }
        self.harmed[batch.path] = lost.map { ($0.line, $0.number) }
    }
}

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What becomes of files that something has damaged. The cases are random, from seeds that a failure names.
@Suite(.timeLimit(.minutes(10))) struct SpoolDamageTests {
    /// A spool file as a dead process leaves it, and where everything is in it.
    struct Specimen {
        let bytes: [UInt8]
        /// Where the envelope ends, the footer behind the last record begins, and the marks begin.
        let envelope: Range<Int>
        let records: [Range<Int>]
        let texts: [[UInt8]]

        init() async throws {
            let directory = SpoolDirectory()
            let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
                $0.batching.urgentLevel = nil
                $0.tags = ["service": "checkout"]
            }
            for number in 0..<60 {
                rig.sink().info("\(number) \(String(repeating: "x", count: number * 7 % 90))")
            }
            await rig.producer.shutdown(timeout: .zero)
            let file = try #require(directory.holding.first)
            let bytes = directory.contents(of: file)
            self.bytes = bytes
            guard case .records(let batch, let header, nil) = SpoolDamageTests.examine(bytes) else {
                throw SpoolDamageFailure.noSpecimen
            }
            self.envelope = SpoolFormat.headerBytes..<(SpoolFormat.headerBytes + header.envelopeBytes)
            var texts: [[UInt8]] = []
            batch.forEachRecord { texts.append(Array($0)) }
            var start = self.envelope.upperBound
            self.records = texts.map { text in
                defer { start += text.count + Envelope.separatorCount }
                return start..<(start + text.count)
            }
            self.texts = texts
        }

        /// The mark of the record at `index`.
        func mark(_ index: Int) -> Range<Int> {
            let end = self.bytes.count - index * Mark.size
            return (end - Mark.size)..<end
        }

        /// The records that are not as they were in a copy of the file: their marks, and their texts with the separator
        /// before them. All of them if the envelope is not.
        func touched(in copy: [UInt8]) -> (marks: Set<Int>, texts: Set<Int>) {
            func isChanged(_ range: Range<Int>) -> Bool { self.bytes[range] != copy[range] }
            let all = Set(self.records.indices)
            if isChanged(self.envelope) { return (all, all) }
            return (
                all.filter { isChanged(self.mark($0)) },
                all.filter { index in
                    let start = index == 0 ? self.records[0].lowerBound : self.records[index - 1].upperBound
                    return isChanged(start..<self.records[index].upperBound)
                }
            )
        }

        /// The texts but for those of some records.
        func texts(without touched: Set<Int>) -> [[UInt8]] {
            self.texts.indices.filter { !touched.contains($0) }.map { self.texts[$0] }
        }
    }

    enum SpoolDamageFailure: Error { case noSpecimen }

    static func examine(_ bytes: [UInt8]) -> SpoolFinding {
        bytes.withUnsafeBytes { SpoolExamination.examine(copyOf: $0) }
    }

    /// The records of a finding, and whether damage was found.
    static func outcome(_ finding: SpoolFinding) -> (texts: [[UInt8]], isDamaged: Bool, isEmpty: Bool) {
        switch finding {
        case .records(let batch, _, let damage):
            var texts: [[UInt8]] = []
            batch.forEachRecord { texts.append(Array($0)) }
            return (texts, damage != nil, false)
        case .empty: return ([], false, true)
        case .foreign, .unknownVersion, .damaged: return ([], true, false)
        }
    }

    @Test(arguments: 1...4) func flippedBitsLeaveTheOtherRecordsAndAreFound(seed: UInt64) async throws {
        let specimen = try await Specimen()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<700 {
            var bytes = specimen.bytes
            // Half of the flips where something stands.
            let place = Self.place(in: specimen, using: &random)
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            let found = Self.outcome(Self.examine(bytes))
            let (marks, texts) = specimen.touched(in: bytes)
            #expect(!found.isEmpty, "seed \(seed), place \(place)")
            if place >= SpoolFormat.headerBytes {
                let touched = marks.union(texts)
                #expect(found.texts == specimen.texts(without: touched), "seed \(seed), place \(place)")
                #expect(found.isDamaged || touched.isEmpty, "seed \(seed), place \(place)")
            } else {
                #expect(found.isDamaged || found.texts == specimen.texts, "seed \(seed), place \(place)")
            }
        }
    }

    @Test(arguments: [(5, true), (6, true), (7, false), (8, false)])
    func overwrittenRangesLeaveTheOtherRecordsAndAreFound(seed: UInt64, isZero: Bool) async throws {
        let specimen = try await Specimen()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<700 {
            var bytes = specimen.bytes
            let start = Self.place(in: specimen, using: &random)
            let range = start..<min(start + Int.random(in: 1...5000, using: &random), bytes.count)
            for place in range { bytes[place] = isZero ? 0 : UInt8.random(in: 0...255, using: &random) }
            guard bytes != specimen.bytes else { continue }
            let found = Self.outcome(Self.examine(bytes))
            #expect(!found.isEmpty, "seed \(seed), range \(range)")
            guard start >= SpoolFormat.headerBytes else {
                #expect(found.isDamaged || found.texts == specimen.texts, "seed \(seed), range \(range)")
                continue
            }
            let (marks, texts) = specimen.touched(in: bytes)
            // Some missing marks are records that were not finished; but not that of the first one, and not a sector of them.
            let isUnfinished = isZero && texts.isEmpty && marks.count < 32 && !marks.contains(0)
            #expect(found.texts == specimen.texts(without: marks.union(texts)), "seed \(seed), range \(range)")
            #expect(found.isDamaged || isUnfinished || marks.union(texts).isEmpty, "seed \(seed), range \(range)")
        }
    }

    @Test(arguments: 9...10) func cutFilesYieldTheWholeRecordsBeforeTheCut(seed: UInt64) async throws {
        let specimen = try await Specimen()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let size =
                Bool.random(using: &random)
                ? Int.random(in: 1..<specimen.bytes.count, using: &random)
                : Int.random(in: 1..<(specimen.records.last?.upperBound ?? 0), using: &random)
            let found = Self.outcome(Self.examine(Array(specimen.bytes[..<size])))
            #expect(specimen.texts.starts(with: found.texts), "seed \(seed), size \(size)")
            #expect(found.isDamaged, "seed \(seed), size \(size)")
            let whole = specimen.records.count { $0.upperBound + Envelope.separatorCount <= size }
            #expect(found.texts.count >= whole, "seed \(seed), size \(size)")
        }
    }

    @Test func anEmptyFileHoldsNothing() {
        #expect(Self.outcome(Self.examine([])).isEmpty)
    }

    @Test(arguments: 11...12) func foreignBytesAreNoSpoolFile(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 1...9000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let found = Self.outcome(Self.examine(bytes))
            #expect(found.isDamaged && found.texts.isEmpty, "seed \(seed)")
        }
    }

    @Test func aFileOfAnotherVersionIsLeftAlone() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let file = try #require(directory.holding.first)
        var bytes = directory.contents(of: file)
        bytes[SpoolFormat.Offset.version] = 3
        directory.overwrite(file, with: bytes)
        let rig = try SpoolTests.rig(directory)
        rig.sink().info("mine")
        #expect(await rig.drain().count == 1)
        await rig.stop()
        #expect(directory.files.contains(file))
        #expect(rig.producer.statistics.damagedSpoolFiles == 0)
    }

    @Test(arguments: 13...20) func aProducerDeliversWhatIsWholeSetsTheRestAsideAndGoesOn(seed: UInt64) async throws {
        let directory = SpoolDirectory()
        for round in 0..<4 { try await SpoolTests.leave(50, in: directory, from: round * 50) }
        var random = SeededGenerator(seed: seed)
        let files = directory.holding
        #expect(files.count == 4)
        let victim = try #require(files.randomElement(using: &random))
        let first = try #require(files.firstIndex(of: victim)) * 50
        var bytes = directory.contents(of: victim)
        if seed % 2 == 0 {
            let cut = Int.random(in: 1..<bytes.count, using: &random)
            bytes = Array(bytes[..<cut])
        } else {
            // The envelope, or one of the first records.
            let place = SpoolFormat.headerBytes + Int.random(in: 0..<2000, using: &random)
            bytes[place] ^= 0x10
        }
        directory.overwrite(victim, with: bytes)
        let rig = try await SpoolTests.recover(150, from: directory)
        let own = try #require(rig.producer.maintenance?.folder)
        await rig.run {
            rig.producer.statistics.pending == 0 && directory.files.allSatisfy { $0.hasPrefix("\(own)/") }
        }
        let numbers = rig.transport.logs.compactMap { $0["message"].flatMap { Int($0) } }
        let whole = (0..<200).filter { !(first..<(first + 50)).contains($0) }
        #expect(numbers.filter { !(first..<(first + 50)).contains($0) } == whole, "seed \(seed)")
        let rest = numbers.filter { (first..<(first + 50)).contains($0) }
        if seed % 2 == 0 {
            // The front of a file that was cut.
            #expect(rest == Array(first..<(first + rest.count)), "seed \(seed)")
        } else {
            // All but one, or none without the envelope.
            #expect(rest.isEmpty || rest.count == 49, "seed \(seed)")
            #expect(rest == rest.sorted(), "seed \(seed)")
        }
        #expect(rig.producer.statistics.damagedSpoolFiles == 1, "seed \(seed)")
        #expect(rig.diagnostics.elements.contains { if case .spoolDamaged = $0 { true } else { false } })
        #expect(directory.damaged.count == 1, "seed \(seed)")
        #expect(rig.producer.statistics.pendingBytes == 0, "seed \(seed)")
        await rig.stop()
        #expect(rig.producer.statistics.spoolBytes == 0, "seed \(seed)")
        // As it was found, byte for byte.
        if let name = directory.damaged.first {
            #expect(directory.contents(of: "\(directory.path)/damaged/\(name)") == bytes, "seed \(seed)")
        }
    }

    /// A place in the file: half of them where something stands.
    private static func place(in specimen: Specimen, using random: inout SeededGenerator) -> Int {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: Int.random(in: 0..<SpoolFormat.Offset.texts + 16, using: &random)
        case 1: Int.random(in: specimen.envelope, using: &random)
        case 2:
            Int.random(in: specimen.mark(specimen.records.count - 1).lowerBound..<specimen.bytes.count, using: &random)
        case 3...5:
            Int.random(in: specimen.envelope.upperBound..<(specimen.records.last?.upperBound ?? 0), using: &random)
        default: Int.random(in: 0..<specimen.bytes.count, using: &random)
        }
    }
}

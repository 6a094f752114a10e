// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

/// The format of spool files as `Docs/Reference/SpoolFormat.md` describes it, written and read byte by byte, and marks that
/// are missing.
@Suite(.timeLimit(.minutes(5))) struct SpoolFormatTests {
    /// A file, put together from the description and not by the library.
    struct HandWritten {
        static let seed: UInt64 = 0x1234_5678_9ABC_DEF1
        static let envelope = Array("{\"__topic__\":\"orders\",\"__logs__\":[".utf8)
        static let capacity = 28 << 10
        let version: Int
        private(set) var bytes: [UInt8]
        private(set) var texts: [String] = []
        private var end = Self.envelope.count

        init(version: Int, destination: String = "project/logstore", topic: String = "orders") {
            self.version = version
            self.bytes = [UInt8](repeating: 0, count: 4096 + Self.capacity)
            let texts = Array((destination + topic).utf8)
            let envelope = Self.envelope
            self.put(Array("WTSPOOL1".utf8), at: 0)
            self.put(UInt64(version), 4, at: 8)
            self.put(Array("HOLD".utf8), at: 12)
            self.put(Self.seed, 8, at: 16)
            self.put(UInt64(Self.capacity), 8, at: 24)
            self.put(1_767_225_600_000_000_000, 8, at: 32)
            self.put(UInt64(envelope.count), 4, at: 40)
            self.put(0, 4, at: 44)
            self.put(UInt64(destination.utf8.count), 4, at: 48)
            self.put(UInt64(topic.utf8.count), 4, at: 52)
            self.put(Self.check(envelope, seed: Self.seed), 8, at: 56)
            self.put(7, 8, at: 72)
            self.put(texts, at: 80)
            let head = Self.check(Array(self.bytes[16..<64]), seed: 0x314C_4F4F_5053_5457)
            self.put(Self.check(Array(self.bytes[72..<(80 + texts.count)]), seed: head), 8, at: 64)
            self.put(envelope, at: 4096)
        }

        /// Adds a record. A death may have come before it was copied, or before it was committed.
        mutating func add(
            _ text: String,
            rank: Int = 2,
            isSynthetic: Bool = false,
            isCopied: Bool = true,
            isCommitted: Bool = true
        ) {
            let record = Array(((self.texts.isEmpty ? "" : ",\n") + text).utf8)
            if isCopied { self.put(record, at: 4096 + self.end) }
            let begin = self.end
            self.end += record.count
            self.texts.append(text)
            guard isCommitted else { return }
            let kind = UInt64(rank) | (isSynthetic ? 8 : 0)
            if self.version == 1 {
                let check = Self.check(record, seed: Self.seed) >> 30 ^ kind
                self.put(UInt64(self.end) | kind << 26 | check << 30, 8, at: self.bytes.count - 8 * self.texts.count)
            } else {
                let word = UInt64(begin) | UInt64(self.end) << 26 | kind << 52
                self.put(
                    Self.check(record, seed: (Self.seed + UInt64(self.texts.count - 1)) ^ word),
                    8,
                    at: self.mark(self.texts.count - 1)
                )
                self.put(word, 8, at: self.mark(self.texts.count - 1) + 8)
            }
        }

        /// Where the text ends.
        var textEnd: Int { 4096 + self.end }

        /// Where a mark is.
        func mark(_ index: Int) -> Int { self.bytes.count - 16 * (index + 1) }

        mutating func put(_ bytes: [UInt8], at place: Int) {
            self.bytes.replaceSubrange(place..<(place + bytes.count), with: bytes)
        }

        private mutating func put(_ number: UInt64, _ count: Int, at place: Int) {
            self.put((0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }, at: place)
        }

        /// The check, after its description.
        static func check(_ bytes: [UInt8], seed: UInt64) -> UInt64 {
            let (first, second): (UInt64, UInt64) = (0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB)
            func mix(_ x: UInt64, _ y: UInt64) -> UInt64 {
                let product = x.multipliedFullWidth(by: y)
                return (product.high ^ product.low ^ x) &+ y
            }
            func word(_ start: Int, _ count: Int) -> UInt64 {
                (0..<count).reduce(0) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
            }
            var hash = seed ^ 0x9E37_79B9_7F4A_7C15
            var place = 0
            while place + 16 <= bytes.count {
                hash = mix(word(place, 8) ^ first, word(place + 8, 8) ^ hash)
                place += 16
            }
            if place + 8 <= bytes.count {
                hash = mix(word(place, 8) ^ first, hash)
                place += 8
            }
            if place < bytes.count { hash = mix(word(place, bytes.count - place) ^ second, hash) }
            return mix(UInt64(bytes.count) ^ second, hash)
        }
    }

    private func found(_ file: HandWritten) throws -> (batch: OpenBatch, header: SpoolFormat.Header, damage: String?) {
        let finding = SpoolDamageTests.examine(file.bytes)
        guard case .records(let batch, let header, let damage) = finding else {
            Issue.record("\(finding)")
            throw SpoolDamageTests.SpoolDamageFailure.noSpecimen
        }
        return (batch, header, damage)
    }

    private func texts(_ batch: some BatchContent) -> [String] {
        var texts: [String] = []
        batch.forEachRecord { texts.append(String(decoding: $0, as: UTF8.self)) }
        return texts
    }

    private func text(_ number: Int) -> String { "{\"n\":\"\(number)\"}" }

    @Test(arguments: [1, 2]) func whatTheDescriptionSaysIsRead(version: Int) throws {
        var file = HandWritten(version: version)
        for number in 0..<100 { file.add(self.text(number), rank: number % 7, isSynthetic: number % 5 == 0) }
        let (open, header, damage) = try self.found(file)
        #expect(damage == nil)
        #expect(self.texts(open) == file.texts)
        #expect(
            header.label.topic == "orders" && header.label.destination == "project/logstore" && header.label.order == 7
        )
        // Only today's marks are used where they are.
        #expect((open.memory.origin == nil) == (version == 2))
        let batch = open.sealed()
        #expect((0..<100).allSatisfy { batch.mark($0).rank == $0 % 7 && batch.mark($0).isSynthetic == ($0 % 5 == 0) })
        let body = batch.withBytes { String(decoding: $0, as: UTF8.self) }
        #expect(
            body == String(decoding: HandWritten.envelope, as: UTF8.self) + file.texts.joined(separator: ",\n") + "]}"
        )
    }

    @Test func whatIsWrittenIsWhatTheDescriptionSays() throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        let spoolFolder = try #require(
            try SpoolFolder.make(in: directory.path, name: "1-1", access: SpoolAccess(.owner))
        )
        let path = "\(spoolFolder.path)/1.seg"
        let file = try SpoolFile.make(path, capacity: HandWritten.capacity, spoolFolder: spoolFolder)
        let page = try #require(file.page)
        // What another use has left there.
        memset(page + SpoolFormat.Offset.identity, 7, 4096 - SpoolFormat.Offset.identity)
        var expected = HandWritten(version: 2)
        var batch = OpenBatch(
            header: HandWritten.envelope,
            openedAt: MonotonicInstant(nanoseconds: 0),
            memory: BatchMemory(file: file, page: page, seed: 0),
            label: SpoolLabel(
                seed: HandWritten.seed,
                order: 7,
                openedAt: 1_767_225_600_000_000_000,
                destination: "project/logstore",
                topic: "orders"
            )
        )
        for number in 0..<50 {
            let text = self.text(number)
            expected.add(text, rank: number % 7, isSynthetic: number == 3)
            Array(text.utf8).withUnsafeBytes {
                let record = EncodedRecord(opening: Envelope.separator, sequence: nil, members: $0)
                batch.append(record, rank: number % 7, isSynthetic: number == 3)
            }
        }
        #expect(directory.contents(of: path) == expected.bytes)
    }

    // MARK: Marks that are missing

    /// A file of 60 records in which these were under way when its process died.
    private func interrupted(_ missing: Set<Int>, isCopied: Bool) -> HandWritten {
        var file = HandWritten(version: 2)
        for number in 0..<60 {
            let isMissing = missing.contains(number)
            file.add(self.text(number), isCopied: isCopied || !isMissing, isCommitted: !isMissing)
        }
        return file
    }

    @Test(
        arguments: [[30], [58], [59], [58, 59], [1, 2, 30, 57, 58], Array(20..<51), Array(29..<60)],
        [true, false]
    )
    func aRecordThatWasUnderWayHidesNothingBehindIt(missing: [Int], isCopied: Bool) throws {
        let file = self.interrupted(Set(missing), isCopied: isCopied)
        let (open, _, damage) = try self.found(file)
        #expect(damage == nil)
        let whole = (0..<60).filter { !missing.contains($0) }.map { self.text($0) }
        #expect(self.texts(open) == whole)
        let batch = open.sealed()
        #expect(self.texts(batch) == whole && batch.levels.all.total == whole.count)
        let body = batch.withBytes { String(decoding: $0, as: UTF8.self) }
        #expect(body == String(decoding: HandWritten.envelope, as: UTF8.self) + whole.joined(separator: ",\n") + "]}")
    }

    @Test func onlyAFileWithAHoleIsCopied() throws {
        func isCopied(_ missing: Set<Int>) throws -> Bool {
            try self.found(self.interrupted(missing, isCopied: true)).batch.memory.origin != nil
        }
        #expect(try !isCopied([]))
        // Behind the last whole record there is no hole.
        #expect(try !isCopied([58, 59]))
        #expect(try isCopied([58]))
        #expect(try isCopied([1]))
    }

    @Test func asManyMissingMarksAsASectorHasAreDamage() throws {
        for missing in [Array(20..<52), Array(28..<60)] {
            let (open, _, damage) = try self.found(self.interrupted(Set(missing), isCopied: true))
            #expect(damage != nil)
            #expect(self.texts(open) == (0..<60).filter { !missing.contains($0) }.map { self.text($0) })
        }
        // Of those at the end that were not even copied, nobody knows.
        #expect(try self.found(self.interrupted(Set(28..<60), isCopied: false)).damage == nil)
    }

    /// The marks from the 32nd on are in a sector of their own.
    @Test(arguments: [(32, 5, true), (32, 28, true), (32, 4, false), (31, 5, false), (33, 5, false)])
    func theLastSectorOfMarksDoesNotVanishUnseen(first: Int, missing: Int, isDamage: Bool) throws {
        var file = HandWritten(version: 2)
        for number in 0..<(first + missing) { file.add(self.text(number), isCommitted: number < first) }
        let (open, _, damage) = try self.found(file)
        #expect((damage != nil) == isDamage)
        #expect(self.texts(open) == (0..<first).map { self.text($0) })
    }

    @Test func aCheckWithoutItsWordIsNoSignOfARecordWhateverItsBytesAre() throws {
        var file = HandWritten(version: 2)
        for number in 0..<36 { file.add(self.text(number), isCommitted: number < 32) }
        for number in 32..<36 { file.put(Array(repeating: UInt8(ascii: "\n"), count: 8), at: file.mark(number)) }
        #expect(try self.found(file).damage == nil)
    }

    @Test func theFirstRecordIsNeverUnderWayBesideOthers() throws {
        let (open, _, damage) = try self.found(self.interrupted([0], isCopied: true))
        #expect(damage != nil)
        #expect(self.texts(open) == (1..<60).map { self.text($0) })
    }

    @Test func aDeathBetweenTheTwoWordsOfAMarkIsADeathBeforeIt() throws {
        var file = self.interrupted([], isCopied: true)
        file.put([UInt8](repeating: 0, count: 8), at: file.mark(30) + 8)
        let (open, _, damage) = try self.found(file)
        #expect(damage == nil && open.count == 59)
    }

    @Test func aMarkWithoutItsRecordIsDamageAndHidesNothingBehindIt() throws {
        var file = HandWritten(version: 2)
        for number in 0..<60 { file.add(self.text(number), isCopied: number != 30) }
        let (open, _, damage) = try self.found(file)
        #expect(damage != nil)
        #expect(self.texts(open) == (0..<60).filter { $0 != 30 }.map { self.text($0) })
    }

    @Test(arguments: [58, 10], [true, false])
    func damageBehindAHoleUpToTheEndIsFound(hole: Int, isInWord: Bool) throws {
        var file = self.interrupted([hole], isCopied: true)
        for number in (hole + 1)..<60 {
            // Of the mark, its word or its check.
            let place = isInWord ? file.mark(number) + 15 : file.mark(number)
            file.put([file.bytes[place] ^ 0x10], at: place)
        }
        let (open, _, damage) = try self.found(file)
        #expect(damage != nil)
        #expect(self.texts(open) == (0..<hole).map { self.text($0) })
    }

    @Test func textThatIsLostBehindAHoleIsDamage() throws {
        var file = self.interrupted([10], isCopied: true)
        let front = self.interrupted(Set(10..<60), isCopied: false)
        let start = try SpoolFormat.headerBytes + self.found(front).batch.rawBytes
        file.put([UInt8](repeating: 0, count: file.textEnd - start), at: start)
        let (open, _, damage) = try self.found(file)
        #expect(damage != nil)
        #expect(self.texts(open) == (0..<10).map { self.text($0) })
    }

    @Test func marksInThePlaceOfOthersAreDamageAndHideNothing() throws {
        var file = self.interrupted([], isCopied: true)
        // Those of the records 40 to 49 in the places of 30 to 39, as when a disk writes to the wrong place.
        let marks = Array(file.bytes[file.mark(49)...(file.mark(40) + 15)])
        file.put(marks, at: file.mark(39))
        let (open, _, damage) = try self.found(file)
        #expect(damage != nil)
        #expect(self.texts(open) == (0..<60).filter { !(30..<40).contains($0) }.map { self.text($0) })
    }

    /// With text up to the place of the last mark, of records that were under way.
    @Test(arguments: [0, 1, 5]) func aFullFileWithRecordsUnderWayIsNotTakenForDamaged(underWay: Int) throws {
        var file = HandWritten(version: 2)
        // Each takes 30 bytes with its mark.
        let count = (HandWritten.capacity - HandWritten.envelope.count) / 32 - 30
        for number in 0..<count { file.add(self.text(1000 + number)) }
        let left = 4096 + HandWritten.capacity - 16 * (count + underWay + 1) - 2 - file.textEnd
        for number in 0..<underWay {
            let size = left / underWay - 2
            let text = "{\"n\":\"" + String(repeating: "x", count: size - 8) + "\"}"
            file.add(text, isCopied: number % 2 == 0, isCommitted: false)
        }
        let (open, _, damage) = try self.found(file)
        #expect(damage == nil && open.count == count)
    }

    @Test(arguments: [(3, 4), (28, 30)]) func aMissingMarkInAFileOfVersion1EndsIt(missing: Int, found: Int) throws {
        var file = HandWritten(version: 1)
        for number in 0..<30 { file.add(self.text(number), isCommitted: number != missing) }
        let (open, _, damage) = try self.found(file)
        #expect(self.texts(open) == (0..<missing).map { self.text($0) })
        #expect(damage != nil)
    }

    @Test func theRecordInTheMakingOfAFileOfVersion1IsNoDamage() throws {
        var file = HandWritten(version: 1)
        for number in 0..<30 { file.add(self.text(number), isCommitted: number != 29) }
        let (open, _, damage) = try self.found(file)
        #expect(damage == nil && open.count == 29)
    }

    // MARK: Taken over

    /// A folder of a dead producer with this file in it.
    private func leave(_ file: HandWritten, in directory: SpoolDirectory) throws -> String {
        try FileSystem.makeDirectory(directory.path)
        let spoolFolder = try #require(
            try SpoolFolder.make(in: directory.path, name: "1-1", access: SpoolAccess(.owner))
        )
        let path = "\(spoolFolder.path)/1.seg"
        directory.overwrite(path, with: file.bytes)
        #expect(chmod(path, 0o600) == 0)
        return path
    }

    @Test(arguments: [1, 2]) func aProducerTakesOverFilesOfBothVersions(version: Int) async throws {
        let directory = SpoolDirectory()
        var file = HandWritten(version: version)
        for number in 0..<40 { file.add(self.text(number), isCommitted: version == 1 || number % 10 != 5) }
        let path = try self.leave(file, in: directory)
        let expected = version == 1 ? 40 : 36
        let summary = try #require(try SpoolFileSummary(path, access: nil) { _ in true })
        #expect(summary.records == expected && summary.highestRank == 2)
        let listed = try #require(try WebTrackingSpool(directory: directory.path).batches().first)
        #expect(listed.records == expected && listed.damage == nil)
        let rig = try await SpoolTests.recover(expected, from: directory)
        let numbers = (0..<40).filter { version == 1 || $0 % 10 != 5 }.map { "\($0)" }
        #expect(rig.transport.logs.compactMap { $0["n"] } == numbers)
        #expect(rig.producer.statistics.damagedSpoolFiles == 0)
        #expect(rig.producer.statistics.pendingBytes == 0)
        await rig.stop()
        #expect(directory.files == [] && directory.damaged == [])
    }

    @Test func aFileWithAHoleStaysAsItIsUntilItsCopyIsSettled() async throws {
        let directory = SpoolDirectory()
        let file = self.interrupted([7, 30], isCopied: true)
        let path = try self.leave(file, in: directory)
        for _ in 0..<2 {
            // Each of them dies with the copy, before it is delivered.
            let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
            await rig.run { rig.producer.statistics.recovered >= 58 }
            #expect(directory.contents(of: path) == file.bytes)
            await rig.producer.shutdown(timeout: .zero)
            #expect(directory.contents(of: path) == file.bytes)
        }
        let rig = try await SpoolTests.recover(58, from: directory)
        #expect(rig.transport.logs.count == 58)
        await rig.stop()
        #expect(directory.files == [])
    }

    @Test(arguments: [false, true]) func copiesWaitWhileHalfOfTheMemoryIsInUse(isShort: Bool) async throws {
        let directory = SpoolDirectory()
        let file = self.interrupted([7, 30], isCopied: true)
        let first = try self.leave(file, in: directory)
        for number in 2..<12 {
            let path = "\(first.dropLast("1.seg".utf8.count))\(number).seg"
            directory.overwrite(path, with: file.bytes)
            #expect(chmod(path, 0o600) == 0)
        }
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.memoryLimit = 4 << 20
        }
        let queue = try #require(rig.producer.maintenance).recovery.queue
        if isShort { queue.context.budget.charge(3 << 20) }
        await rig.run(inStepsOf: .zero) { queue.state.withLock { !$0.waiters.isEmpty } }
        // One in flight, and one behind it.
        let recovered = rig.producer.statistics.recovered
        #expect(isShort ? recovered > 0 && recovered <= 2 * 58 : recovered > 4 * 58)
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func whoCountsRecordsGoesAsFarAsWhoReadsThem() throws {
        let directory = SpoolDirectory()
        var file = HandWritten(version: 2)
        // More marks are missing than a death leaves, and the last one is the most severe.
        for number in 0..<100 {
            file.add(self.text(number), rank: number == 99 ? 6 : 2, isCommitted: !(20..<70).contains(number))
        }
        let summary = try #require(
            try SpoolFileSummary(try self.leave(file, in: directory), access: nil) { _ in true }
        )
        let (open, _, damage) = try self.found(file)
        #expect(open.count == 50 && damage != nil)
        #expect(summary.records == 50 && summary.highestRank == 6)
    }

    @Test func aMarkOfARecordWithoutTextIsNone() throws {
        let directory = SpoolDirectory()
        var file = HandWritten(version: 2)
        for number in 0..<10 { file.add(self.text(number)) }
        // Its bytes are the separator alone.
        let begin = UInt64(file.textEnd - 4096)
        let word = begin | (begin + 2) << 26 | 6 << 52
        let check = HandWritten.check(Array(",\n".utf8), seed: (HandWritten.seed + 10) ^ word)
        file.put(Array(",\n".utf8), at: file.textEnd)
        file.put((0..<8).map { UInt8(truncatingIfNeeded: check >> (8 * $0)) }, at: file.mark(10))
        file.put((0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }, at: file.mark(10) + 8)
        let summary = try #require(
            try SpoolFileSummary(try self.leave(file, in: directory), access: nil) { _ in true }
        )
        #expect(try self.found(file).batch.count == 10)
        #expect(summary.records == 10 && summary.highestRank == 2)
    }

    // MARK: The header

    @Test func theLongestDestinationAndTopicHaveRoomBeforeTheIdentity() throws {
        let destination = String(repeating: "p", count: 63) + "/" + String(repeating: "l", count: 63)
        let topic = String(repeating: "t", count: TopicKey.maximumTopicBytes)
        var file = HandWritten(version: 2, destination: destination, topic: topic)
        file.add(self.text(1))
        let (_, header, damage) = try self.found(file)
        #expect(damage == nil && header.label.destination == destination && header.label.topic == topic)
        // Written by the library, too.
        var page = [UInt8](repeating: 0, count: SpoolFormat.headerBytes)
        page.withUnsafeMutableBytes { SpoolFormat.write(header, to: $0.baseAddress!) }
        #expect(page == Array(file.bytes[..<SpoolFormat.headerBytes]))
    }

    @Test func anIdentityThatALaterVersionHasWrittenChangesNothing() throws {
        var file = HandWritten(version: 2)
        file.add(self.text(1))
        file.put(Array(1...32), at: SpoolFormat.Offset.identity)
        #expect(try self.found(file).damage == nil)
    }
}

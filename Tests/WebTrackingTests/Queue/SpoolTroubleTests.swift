// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Files that cannot be opened, kept or quarantined, and who is told of it.
@Suite(.timeLimit(.minutes(10))) struct SpoolTroubleTests {
    private static let padding = String(repeating: "x", count: 1000)

    /// A rig with a backlog of parked batches, whose endpoint has not answered yet.
    private func backlog(_ directory: SpoolDirectory) async throws -> Rig {
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(script: [.failure(status: 500)])) {
            $0.batching.targetBytes = 32 << 10
        }
        rig.sink().error("0")
        // From then on it waits for the clock.
        await rig.transport.waitForAttempts(1)
        for number in 1..<400 { rig.sink().info("\(number) \(Self.padding)") }
        return rig
    }

    @Test func aFileThatCannotBeOpenedForAWhileWaitsAndIsDelivered() async throws {
        let directory = SpoolDirectory()
        let rig = try await self.backlog(directory)
        // Links are not followed, so that these fail for a reason that is neither absence nor damage.
        let files = directory.holding
        #expect(files.count > 6)
        for file in files {
            #expect(rename(file, file + ".real") == 0)
            #expect(symlink(file + ".real", file) == 0)
        }
        let reported = { rig.diagnostics.elements.contains { if case .spoolFailed = $0 { true } else { false } } }
        await rig.run { reported() }
        #expect(rig.producer.statistics.dropped == [:])
        rig.checkConservation()
        for file in files {
            unlink(file)
            #expect(rename(file + ".real", file) == 0)
        }
        await rig.run { rig.producer.statistics.pending == 0 }
        #expect(rig.producer.statistics.delivered == 400)
        #expect(rig.producer.statistics.dropped == [:])
        let numbers = rig.transport.logs.compactMap { $0["message"]?.split(separator: " ").first.flatMap { Int($0) } }
        #expect(numbers == Array(0..<400))
        await rig.stop()
    }

    @Test func aFileThatIsCutWhileItWaitsIsCountedAndSetAsideNotRemoved() async throws {
        let directory = SpoolDirectory()
        let rig = try await self.backlog(directory)
        // Those in the middle are in their files only, once the worker has come to that.
        await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
        let buffer = try #require(
            rig.producer.pipeline.router.route(label: "label") { _ in nil }.queue as? TopicQueue
        )
        let victim = try #require(
            buffer.state.withLock { $0.ledger.sealed[$0.ledger.sealed.count / 2].memory.spoolFile?.path }
        )
        #expect(truncate(victim, 10_000) == 0)
        await rig.run { rig.producer.statistics.pending == 0 }
        #expect(rig.producer.statistics.dropped[.spoolDamaged, default: 0] > 0)
        #expect(rig.producer.statistics.damagedSpoolFiles == 1)
        #expect(directory.damaged.count == 1)
        await rig.stop()
    }

    @Test func aHandlerOfDiagnosticsMayAskForTheStatistics() async throws {
        let directory = SpoolDirectory()
        // In the place of the directory there is a file.
        directory.overwrite(directory.path, with: [1])
        defer { unlink(directory.path) }
        let link = Lock<WebTrackingProducer?>(nil)
        let asked = Recorder<Int>()
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = directory.path
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: InMemoryTransport(),
            diagnostics: DiagnosticHandler { _ in
                if let producer = link.withLock({ $0 }) { asked.add(producer.statistics.accepted) }
            },
            clock: ManualClock(wallTime: Rig.start)
        )
        link.withLock { $0 = producer }
        for _ in 0..<10 { producer.makeLogHandler(label: "l").info("m") }
        await producer.shutdown(timeout: .seconds(60))
        #expect(!asked.elements.isEmpty)
        link.withLock { $0 = nil }
    }

    // Found by Scripts/chaos: a process whose clock had stepped by a day removed the folder that it was making itself.
    @Test func aFolderThatSomebodyWithAFastClockRemovesWhileItIsMadeIsMadeUnderAnotherName() async throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        let tomorrow = SystemProducerClock().wallTime() + 86_400_000_000_000
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    for name in (try? FileSystem.names(in: directory.path, includingHidden: true)) ?? []
                    where name.hasPrefix(".\(SpoolFolder.prefix)") {
                        SpoolFolder.removeUnfinished(
                            "\(directory.path)/\(name)",
                            wallTime: tomorrow,
                            access: SpoolAccess(.owner)
                        )
                    }
                }
            }
            defer { group.cancelAll() }
            for number in 0..<1000 {
                // Without a bound: on a busy machine a thousand in a row can meet the other's look.
                var (spoolFolder, attempt): (SpoolFolder?, Int) = (nil, 0)
                while spoolFolder == nil {
                    spoolFolder = try SpoolFolder.make(
                        in: directory.path,
                        name: "\(number)-\(attempt)",
                        access: SpoolAccess(.owner)
                    )
                    attempt += 1
                }
                #expect(spoolFolder?.isRemoved == false)
                spoolFolder?.removeIfEmpty()
            }
        }
    }

    @Test func aFileThatWasMadeAndNotUsedIsNotTakenForDamaged() throws {
        let page = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 16)
        defer { page.deallocate() }
        page.initializeMemory(as: UInt8.self, repeating: 0)
        // What a process leaves that dies between the first stores of a new file's header.
        SpoolFormat.clear(page.baseAddress!)
        #expect(SpoolFormat.read(UnsafeRawBufferPointer(page)) == .empty)
        page.storeBytes(of: SpoolFormat.magic.littleEndian, toByteOffset: 0, as: UInt64.self)
        #expect(SpoolFormat.read(UnsafeRawBufferPointer(page)) == .empty)
        page.storeBytes(of: SpoolFormat.version.littleEndian, toByteOffset: 8, as: UInt32.self)
        #expect(SpoolFormat.read(UnsafeRawBufferPointer(page)) == .empty)
        // A header without its magic is another matter.
        page.storeBytes(of: 0, toByteOffset: 0, as: UInt64.self)
        page.storeBytes(of: 7, toByteOffset: SpoolFormat.Offset.seed, as: UInt64.self)
        #expect(SpoolFormat.read(UnsafeRawBufferPointer(page)) == .damaged)
    }

    @Test func recordsThatAreTooOldAtAStartAreToldOf() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let rig = try SpoolTests.rig(directory, wallTime: Rig.start + 61_000_000_000) {
            $0.spool.maximumAge = .seconds(60)
        }
        let reported = {
            rig.diagnostics.elements.compactMap { diagnostic -> Int? in
                if case .recordsDropped(_, .expired, let count, _) = diagnostic { count } else { nil }
            }
        }
        // They are counted before they are reported.
        await rig.run { rig.producer.statistics.dropped[.expired] == 3 && !reported().isEmpty }
        #expect(reported() == [3])
        // And so does the logstore.
        await rig.run { !rig.transport.logs.isEmpty }
        #expect(rig.transport.logs.map { $0["dropped.expired.info"] } == ["3"])
        await rig.stop()
    }

    @Test(arguments: [Int64.min, .max, 0]) func anyTimeInAHeaderIsTaken(openedAt: Int64) async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let file = try #require(directory.holding.first)
        var bytes = directory.contents(of: file)
        guard case .holding(var header) = bytes.withUnsafeBytes({ SpoolFormat.read($0) }) else {
            Issue.record("no header")
            return
        }
        header.label.openedAt = openedAt
        bytes.withUnsafeMutableBytes { SpoolFormat.write(header, to: $0.baseAddress!) }
        directory.overwrite(file, with: bytes)
        let rig = try SpoolTests.rig(directory)
        await rig.run { rig.producer.statistics.recovered == 3 && rig.producer.statistics.pending == 0 }
        #expect(rig.producer.statistics.dropped[.expired, default: 0] == (openedAt == .max ? 0 : 3))
        await rig.stop()
    }

    @Test func aDamagedFileIsKeptWhereThereIsNoPlaceToSetItAside() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(50, in: directory)
        directory.overwrite("\(directory.path)/damaged", with: [1])
        let file = try #require(directory.holding.first)
        var bytes = directory.contents(of: file)
        // The mark of the last record but some.
        bytes[bytes.count - 40 * Mark.size + 4] ^= 1
        directory.overwrite(file, with: bytes)
        let rig = try SpoolTests.rig(directory)
        await rig.run { rig.producer.statistics.recovered > 0 && rig.producer.statistics.pending == 0 }
        #expect(rig.producer.statistics.damagedSpoolFiles == 1)
        #expect((30..<50).contains(rig.transport.logs.count))
        await rig.stop()
        let spoolFolder = file.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        let kept = try FileSystem.names(in: spoolFolder).filter { $0.hasSuffix(".damaged") }
        #expect(kept.count == 1)
        // And it is not delivered again.
        let next = try SpoolTests.rig(directory)
        next.sink().info("later")
        await next.run { next.producer.statistics.pending == 0 }
        #expect(next.producer.statistics.recovered == 0)
        await next.stop()
        let batches = try WebTrackingSpool(directory: directory.path).batches()
        #expect(batches.map(\.path) == kept.map { "\(spoolFolder)/\($0)" })
    }

    @Test func aCutFileIsReadInOnePassWhateverItSays() async throws {
        let directory = SpoolDirectory()
        // Each "]}" once began another look at the record from its start.
        let message = String(repeating: "]}{\"\\", count: 80_000)
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        rig.sink().info("\(message)")
        await rig.producer.shutdown(timeout: .zero)
        let file = try #require(directory.holding.first)
        let bytes = directory.contents(of: file) + [UInt8](repeating: 0, count: 4096)
        let started = ContinuousClock.now
        let found = SpoolDamageTests.outcome(SpoolDamageTests.examine(bytes))
        #expect(found.texts.count == 1 && found.isDamaged)
        #expect(ContinuousClock.now - started < .seconds(5))
    }

    @Test func marksThatLieAboutTheirPlaceWithARightCheckAreDamage() {
        // Found by the fuzzer: the footer was written over the marks of records that ended too close to them.
        let seed: UInt64 = 7
        let envelope = Array("{\"__logs__\":[".utf8)
        let capacity = 80
        var bytes = [UInt8](repeating: 0, count: SpoolFormat.headerBytes + capacity)
        bytes.withUnsafeMutableBytes { bytes in
            let memory = bytes.baseAddress! + SpoolFormat.headerBytes
            memory.copyMemory(from: envelope, byteCount: envelope.count)
            SpoolFormat.write(
                SpoolFormat.Header(
                    label: SpoolLabel(
                        seed: seed,
                        order: 1,
                        openedAt: 1,
                        destination: "project/logstore",
                        topic: ""
                    ),
                    capacity: capacity,
                    envelopeBytes: envelope.count,
                    envelopeCheck: RecordCheck.of(memory, count: envelope.count, seed: seed),
                    batchIDEnd: 0
                ),
                to: bytes.baseAddress!
            )
            var start = envelope.count
            for (index, end) in [30, 48].enumerated() {
                let mark = Mark(begin: start, end: end, rank: 0, isSynthetic: false)
                let place = memory + (capacity - (index + 1) * Mark.size)
                mark.commit(to: place, record: memory + start, number: index, seed: seed)
                start = end
            }
        }
        let finding = SpoolDamageTests.examine(bytes)
        guard case .records(let open, _, let damage?) = finding else {
            Issue.record("not found damaged: \(finding)")
            return
        }
        let batch = open.sealed()
        #expect(batch.count == 1 && batch.levels.all.total == 1)
        #expect(!damage.isEmpty)
    }

    @Test func filesAreSyncedAtTheStatedIntervalAndNotOtherwise() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.durability = .power(interval: .milliseconds(200))
            $0.batching.urgentLevel = nil
            $0.batching.linger = .seconds(3600)
        }
        let maintenance = try #require(rig.producer.maintenance)
        rig.sink().info("1")
        await rig.run(inStepsOf: .zero) { rig.clock.timeToNextDeadline == .milliseconds(200) }
        rig.clock.advance(by: .milliseconds(199))
        #expect(maintenance.syncs == 0)
        rig.clock.advance(by: .milliseconds(1))
        // The file, the one that says whose its folder is, that, the directory, and the one in which that is new.
        await rig.run(inStepsOf: .zero) { maintenance.syncs >= 5 && rig.clock.timeToNextDeadline == .milliseconds(200) }
        #expect(maintenance.syncs == 5)
        rig.sink().info("2")
        rig.clock.advance(by: .milliseconds(200))
        // The file again, but no folder, since none is new.
        await rig.run(inStepsOf: .zero) { maintenance.syncs >= 6 && rig.clock.timeToNextDeadline == .milliseconds(200) }
        #expect(maintenance.syncs == 6)
        await rig.producer.shutdown(timeout: .zero)
        let process = try SpoolTests.rig(SpoolDirectory())
        process.sink().info("1")
        #expect(process.producer.maintenance?.syncs == 0)
        await process.stop()
    }

    @Test func aSyncAsksTheDisk() {
        // What cannot be synced says so, which a call that is not made would not.
        #expect(throws: FileError.self) { try FileSystem.sync("/dev/null") }
        #expect(throws: FileError.self) { try FileSystem.sync("/dev/null", isDirectory: true) }
    }
}

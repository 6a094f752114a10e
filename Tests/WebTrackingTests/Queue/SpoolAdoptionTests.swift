// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What a look at dead producers' folders takes over, leaves and gives up.
@Suite(.timeLimit(.minutes(10))) struct SpoolAdoptionTests {
    private static let padding = String(repeating: "x", count: 1000)

    private func recovered(_ rig: Rig) -> [[Int]] {
        rig.diagnostics.elements.compactMap { diagnostic in
            if case .spoolRecovered(_, let records, let files) = diagnostic { [records, files] } else { nil }
        }
    }

    private func troubles(_ rig: Rig) -> Int {
        rig.diagnostics.elements.count { diagnostic in
            switch diagnostic {
            case .spoolFailed, .spoolLeft: true
            default: false
            }
        }
    }

    private func numbers(_ rig: Rig) -> [Int] {
        rig.transport.logs.filter { $0["dropped.total"] == nil }
            .compactMap { $0["message"]?.split(separator: " ").first.flatMap { Int($0) } }
    }

    /// Leaves records of a kilobyte in several files.
    private func leave(_ numbers: Range<Int>, in directory: SpoolDirectory, _ level: LogLevel = .info) async throws {
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.batching.targetBytes = 32 << 10
            $0.batching.urgentLevel = nil
        }
        let folder = try #require(rig.producer.maintenance?.folder)
        for number in numbers { rig.sink().log(level: level, "\(number) \(Self.padding)") }
        await rig.producer.shutdown(timeout: .zero)
        await SpoolTests.waitUntilLeft(folder)
        await rig.producer.maintenance?.waitUntilStopped()
    }

    @Test func aLookTellsOnceHowManyRecordsAndFilesItHasTakenOver() async throws {
        let directory = SpoolDirectory()
        for round in 0..<3 { try await self.leave(round * 100..<round * 100 + 100, in: directory) }
        let files = directory.holding.count
        #expect(files > 6)
        let rig = try await SpoolTests.recover(300, from: directory)
        await rig.run { !self.recovered(rig).isEmpty }
        #expect(self.recovered(rig) == [[300, files]])
        await rig.stop()
    }

    @Test func aLookThatFailsTellsNothingOfTheOneBeforeIt() async throws {
        let directory = SpoolDirectory()
        try await self.leave(0..<100, in: directory)
        let rig = try await SpoolTests.recover(100, from: directory)
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        let reported = self.recovered(rig)
        #expect(reported.count == 1)
        #expect(rename(directory.path, directory.path + ".away") == 0)
        // In the place of the directory there is a file.
        directory.overwrite(directory.path, with: [1])
        for _ in 0..<2 {
            rig.clock.advance(by: .seconds(30))
            await rig.run(inStepsOf: .zero) {
                self.troubles(rig) == 1 && rig.awaitsNextLook
            }
        }
        #expect(self.recovered(rig) == reported)
        unlink(directory.path)
        #expect(rename(directory.path + ".away", directory.path) == 0)
        await rig.stop()
    }

    /// Puts a link in a file's place, which is not followed: it fails to open, and that is neither absence nor damage.
    private func hide(_ file: String) {
        #expect(rename(file, file + ".real") == 0)
        #expect(symlink(file + ".real", file) == 0)
    }

    @Test func aShutdownWithTimeDeliversAllThatEarlierProcessesLeft() async throws {
        let directory = SpoolDirectory()
        try await self.leave(0..<300, in: directory)
        #expect(directory.holding.count > RecoveryMachine.ahead + 2)
        // Like a command that is over before its first look has begun.
        let rig = try SpoolTests.rig(directory)
        rig.sink().info("own")
        let report = await rig.producer.shutdown(timeout: .seconds(10))
        #expect(report.delivered == 301 && report.isComplete && report.spooled == 0)
        #expect(self.numbers(rig) == Array(0..<300))
        #expect(directory.files == [])
    }

    @Test func aShutdownWithoutTimeLeavesWhatEarlierProcessesLeftAndDropsNothing() async throws {
        let directory = SpoolDirectory()
        try await self.leave(0..<300, in: directory)
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        await rig.transport.waitForAttempts(1)
        let shutdown = Task { await rig.producer.shutdown(timeout: .seconds(10)) }
        await rig.run { rig.transport.isShutDown }
        #expect(await shutdown.value.dropped == [:])
        let next = try await SpoolTests.recover(300, from: directory)
        #expect(self.numbers(next) == Array(0..<300))
        await next.stop()
    }

    @Test func aFlushWaitsForWhatHasBeenTakenOverAndItsAgeIsTold() async throws {
        let directory = SpoolDirectory()
        try await self.leave(0..<3, in: directory)
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .failure(status: 500)))
        await rig.transport.waitForAttempts(1)
        await rig.run { rig.producer.statistics.oldestAge > .seconds(60) }
        rig.transport.reply(otherwise: .success)
        let report = await rig.producer.flush(timeout: .seconds(10))
        #expect(report.delivered == 3 && report.isComplete)
        #expect(rig.producer.statistics.oldestAge == .zero)
        await rig.stop()
    }

    @Test(arguments: [0, 3]) func aFileThatDoesNotOpenIsLeftAndToldAndTheRestOfItsFolderGoesOn(index: Int) async throws
    {
        let directory = SpoolDirectory()
        try await self.leave(0..<200, in: directory)
        let file = directory.holding[index]
        self.hide(file)
        let rig = try SpoolTests.rig(directory)
        for _ in 0..<3 {
            await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
            #expect(self.troubles(rig) == 1)
            rig.clock.advance(by: .seconds(30))
        }
        let others = self.numbers(rig)
        #expect((100..<200).contains(others.count))
        #expect(others == others.sorted())
        #expect(rig.producer.statistics.damagedSpoolFiles == 0)
        #expect(rig.producer.statistics.dropped == [:])
        unlink(file)
        #expect(rename(file + ".real", file) == 0)
        await rig.run { rig.producer.statistics.delivered == 200 }
        #expect(self.numbers(rig) == others + Array(Set(0..<200).subtracting(others)).sorted())
        await rig.stop()
        #expect(directory.files == [])
    }

    @Test func aFileThatDoesNotOpenDoesNotStandInTheWayOfTheBound() async throws {
        let directory = SpoolDirectory()
        try await self.leave(0..<900, in: directory)
        let file = directory.holding[0]
        self.hide(file)
        try await self.leave(900..<1500, in: directory)
        // The second one had taken over what the first one left.
        for folder in try FileSystem.names(in: directory.path) {
            await SpoolTests.waitUntilLeft("\(directory.path)/\(folder)")
        }
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.spool.maximumBytes = 1 << 20
        }
        // What goes is announced before the last of it has gone, in a file of its own.
        let own = try #require(rig.producer.maintenance?.folder)
        await rig.run(inStepsOf: .zero) {
            directory.holding.filter { $0 != file && !$0.hasPrefix(own) }
                .reduce(0) { $0 + directory.contents(of: $1).count } <= 1 << 20
        }
        #expect(self.troubles(rig) == 1)
        rig.checkConservation()
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func whatACrashLoopLeavesDuringAnOutageIsBoundedLeastSevereAndOldestFirst() async throws {
        let directory = SpoolDirectory()
        try await self.leave(0..<300, in: directory, .error)
        try await self.leave(300..<900, in: directory)
        try await self.leave(900..<1500, in: directory)
        try await self.leave(1500..<1600, in: directory, .error)
        try await SpoolTests.leave(100, in: directory) { $0.logstore = "other" }
        let foreign = directory.holding.filter {
            String(decoding: directory.contents(of: $0), as: UTF8.self).contains("other")
        }
        #expect(foreign.count == 1)
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.spool.maximumBytes = 1 << 20
        }
        await rig.run { rig.producer.statistics.dropped[.spoolFull, default: 0] > 0 }
        await rig.transport.waitForAttempts(1)
        await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
        let left = directory.holding.filter { !foreign.contains($0) }
        #expect(left.reduce(0) { $0 + directory.contents(of: $1).count } <= 1 << 20)
        #expect(directory.holding.contains(foreign[0]))
        rig.checkConservation()
        let dropped = rig.producer.statistics.dropped[.spoolFull, default: 0]
        #expect(rig.producer.statistics.droppedByLevel == [.info: dropped])
        let reported = rig.diagnostics.elements.reduce(0) {
            if case .recordsDropped(_, .spoolFull, let count, _) = $1 { $0 + count } else { $0 }
        }
        #expect(reported == dropped)
        await rig.producer.shutdown(timeout: .zero)
        let announcements = rig.producer.statistics.synthetic
        let next = try await SpoolTests.recover(1600 - dropped + announcements, from: directory)
        // All errors, and the latest of the rest.
        #expect(self.numbers(next).sorted() == Array(0..<300) + Array(300 + dropped..<1600))
        await next.stop()
    }

    @Test func whatWasGatheredInMemoryMovesToFilesInOrderOnceTheyAreBack() async throws {
        let directory = SpoolDirectory()
        // In the place of the directory there is a file.
        directory.overwrite(directory.path, with: [1])
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .failure(status: 500))) {
            $0.batching.targetBytes = 16 << 10
            $0.batching.urgentLevel = nil
        }
        // One batch in flight, some behind it, and an open one.
        for number in 0..<100 { rig.sink().info("\(number) \(Self.padding)") }
        await rig.transport.waitForAttempts(1)
        unlink(directory.path)
        let spooled = {
            ((try? WebTrackingSpool(directory: directory.path).batches()) ?? []).reduce(0) { $0 + $1.records }
        }
        let buffer = try #require(
            rig.producer.pipeline.router.route(label: "label") { _ in nil }.queue as? TopicQueue
        )
        // A file is whole before its batch is known to be in it.
        await rig.run {
            spooled() == 100
                && buffer.state.withLock { !$0.ledger.inFlight.isEmpty && $0.ledger.unspooled == 0 }
        }
        for number in 100..<150 { rig.sink().info("\(number) \(Self.padding)") }
        // Where no file is ready a record waits in memory for the next one.
        await rig.run { spooled() == 150 }
        #expect(rig.producer.statistics.pending == 150)
        let report = await rig.producer.shutdown(timeout: .zero)
        #expect(report.spooled == 150 && report.dropped == [:])
        await rig.run { rig.producer.statistics.pendingBytes == 0 }
        rig.checkConservation()
        let next = try await SpoolTests.recover(150, from: directory)
        #expect(self.numbers(next) == Array(0..<150))
        await next.stop()
    }

    @Test func aBatchInMemoryGoesOnFillingWhileThereIsNoFileForIt() async throws {
        let directory = SpoolDirectory()
        directory.overwrite(directory.path, with: [1])
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .failure(status: 500)))
        let buffer = try #require(
            rig.producer.pipeline.router.route(label: "label") { _ in nil }.queue as? TopicQueue
        )
        for number in 0..<10 {
            rig.sink().info("\(number)")
            // Each attempt is preceded by one to have files.
            await rig.run { rig.transport.attempts.count > number }
        }
        #expect(buffer.backlog == 0)
        unlink(directory.path)
        await rig.run { !buffer.state.withLock { $0.hasUnspooled } }
        let report = await rig.producer.shutdown(timeout: .zero)
        #expect(report.spooled == 10)
        let next = try await SpoolTests.recover(10, from: directory)
        #expect(self.numbers(next) == Array(0..<10))
        await next.stop()
    }

    @Test func whatIsBehindInFilesStaysBehindWhatMovesThereLater() async throws {
        let directory = SpoolDirectory()
        directory.overwrite(directory.path, with: [1])
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.batching.targetBytes = 16 << 10
            $0.batching.urgentLevel = nil
        }
        let buffer = try #require(
            rig.producer.pipeline.router.route(label: "label") { _ in nil }.queue as? TopicQueue
        )
        for number in 0..<100 { rig.sink().info("\(number) \(Self.padding)") }
        await rig.transport.waitForAttempts(1)
        unlink(directory.path)
        rig.clock.advance(by: .seconds(2))
        for number in 100..<150 { rig.sink().info("\(number) \(Self.padding)") }
        await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
        // What is in a request just then is in a file, too.
        #expect(buffer.unspooled == 0)
        let report = await rig.producer.shutdown(timeout: .zero)
        #expect(report.spooled == 150)
        let next = try await SpoolTests.recover(150, from: directory)
        #expect(self.numbers(next) == Array(0..<150))
        await next.stop()
    }

    @Test func dropsOfRecoveredRecordsAreAnnouncedInTheBaseTopic() async throws {
        let directory = SpoolDirectory()
        try await self.leave(0..<3, in: directory)
        let refusal = InMemoryTransport(script: [.failure(status: 400, code: "InvalidAPIVersion")])
        let rig = try SpoolTests.rig(directory, transport: refusal) { $0.topic = .fixed("program") }
        await rig.run { rig.producer.statistics.dropped[.rejected] == 3 }
        await rig.run { rig.transport.stored.count == 1 }
        #expect(rig.transport.stored.map(\.topic) == ["program"])
        await rig.stop()
    }

    @Test func anAnnouncementOfDroppedRecoveredRecordsIsSentByAShutdownThatHasTime() async throws {
        let directory = SpoolDirectory()
        try await self.leave(0..<3, in: directory)
        let refusal = InMemoryTransport(script: [.failure(status: 400, code: "InvalidAPIVersion")])
        let rig = try SpoolTests.rig(directory, transport: refusal)
        // It lingers now.
        await rig.run(inStepsOf: .zero) { rig.producer.statistics.synthetic == 1 }
        let report = await rig.stop()
        #expect(report.isComplete && report.spooled == 0)
        #expect(rig.transport.stored.count == 1)
    }

    @Test func anAnnouncementOfWhatOthersLeftHasItsPlaceAmongTheRecordsOfTheBaseTopic() async throws {
        let directory = SpoolDirectory()
        for _ in 0..<2 { try await self.leave(0..<3, in: directory) }
        let transport = InMemoryTransport(script: [.failure(status: 400, code: "InvalidAPIVersion"), .never])
        let rig = try SpoolTests.rig(directory, transport: transport) { $0.topic = .fixed("program") }
        // What was left behind the refused batch is still under way; the announcement must not wait behind it.
        await transport.waitForAttempts(2)
        rig.sink().info("own")
        await rig.run { !transport.logs.isEmpty }
        #expect(transport.logs.map { $0[rig.producer.configuration.fields.sequence] } == ["1", "2"])
        await rig.producer.shutdown(timeout: .zero)
        rig.checkConservation()
    }

    @Test func aBatchOfThisProcessGoesBeforeAMoreSevereOneOfADeadOne() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.spool.maximumBytes = 1 << 20
            $0.batching.targetBytes = 32 << 10
            $0.batching.urgentLevel = nil
        }
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        for number in 0..<540 { rig.sink().info("\(number) \(Self.padding)") }
        #expect(rig.producer.statistics.dropped == [:])
        try await self.leave(0..<200, in: directory, .error)
        await rig.run { rig.producer.statistics.dropped[.spoolFull, default: 0] > 0 }
        await rig.run { rig.producer.statistics.recovered > 0 }
        let numbers = rig.producer.statistics
        #expect(numbers.droppedByLevel == [.info: numbers.dropped[.spoolFull, default: 0]])
        #expect(numbers.dropped[.spoolFull, default: 0] < 400)
        rig.checkConservation()
        await rig.producer.shutdown(timeout: .zero)
    }
}

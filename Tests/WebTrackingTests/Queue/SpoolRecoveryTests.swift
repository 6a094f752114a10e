// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// How what dead processes left is adopted.
@Suite(.timeLimit(.minutes(10))) struct SpoolRecoveryTests {
    @Test func allOfASplitBatchComesAgainAfterADeathBetweenItsParts() async throws {
        let directory = SpoolDirectory()
        let tooLarge = InMemoryTransport.Reply.failure(status: 413, code: "PostBodyTooLarge")
        // The batch, then its first half, of one record.
        let transport = InMemoryTransport(script: [tooLarge, tooLarge], otherwise: .never)
        let rig = try SpoolTests.rig(directory, transport: transport)
        for number in 0..<2 { rig.sink().info("\(number)") }
        await rig.run { rig.producer.statistics.dropped[.tooLarge] == 1 }
        await rig.transport.waitForAttempts(3)
        let report = await rig.producer.shutdown(timeout: .zero)
        await rig.producer.maintenance?.waitUntilStopped()
        // The other half, and what tells of the first.
        #expect((1...2).contains(report.spooled))
        let next = try await SpoolTests.recover(2, from: directory)
        #expect(next.transport.logs.map { $0["message"] }.prefix(2) == ["0", "1"])
        await next.stop()
    }

    @Test func batchesInReusedFilesAreDeliveredInTheOrderInWhichTheyWereLogged() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory) { configuration in
            configuration.batching.targetBytes = 8 << 10
            configuration.batching.urgentLevel = nil
        }
        let padding = String(repeating: "x", count: 100)
        // Some files are delivered and used again, in another order than they were made in.
        for number in 0..<400 { rig.sink().info("\(number)", metadata: ["padding": "\(padding)"]) }
        await rig.run { rig.producer.statistics.pending == 0 }
        rig.transport.reply(otherwise: .never)
        for number in 400..<2400 { rig.sink().info("\(number)", metadata: ["padding": "\(padding)"]) }
        await rig.producer.shutdown(timeout: .zero)
        let next = try await SpoolTests.recover(2000, from: directory)
        #expect(next.transport.logs.map { $0["message"] } == (400..<2400).map { "\($0)" })
        await next.stop()
    }

    @Test func aFileThatIsUsedAgainHoldsNothingOfItsEarlierUse() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory) { $0.batching.urgentLevel = nil }
        for number in 0..<100 { rig.sink().info("secret \(number)") }
        await rig.run { rig.producer.statistics.pending == 0 }
        let file = try #require(directory.files.first)
        #expect(directory.contents(of: file).dropFirst(SpoolFormat.headerBytes).allSatisfy { $0 == 0 })
        await rig.stop()
    }

    @Test(arguments: 1...4) func filesThatAreFullToTheLastByteAreWhole(seed: UInt64) async throws {
        let directory = SpoolDirectory()
        var random = SeededGenerator(seed: seed)
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.batching.urgentLevel = nil
            $0.batching.targetBytes = 4 << 20
            $0.batching.maximumRequestBytes = 3 << 20
        }
        let padding = String(repeating: "x", count: 64)
        // Mostly tiny records, whose marks come close to the text.
        for _ in 0..<20_000 { rig.sink().info("\(padding.prefix(Int.random(in: 0...64, using: &random)))") }
        await rig.producer.shutdown(timeout: .zero)
        #expect(directory.holding.count > 3)
        for file in directory.holding {
            let finding = SpoolDamageTests.examine(directory.contents(of: file))
            #expect(!SpoolDamageTests.outcome(finding).isDamaged, "seed \(seed)")
        }
    }

    @Test func aBatchInMemoryThatGrowsGivesWayToAFileOnceFilesCanBeHad() async throws {
        let directory = SpoolDirectory()
        directory.overwrite(directory.path, with: [1])
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.batching.urgentLevel = nil
        }
        let padding = String(repeating: "x", count: 1000)
        for number in 0..<3 { rig.sink().info("\(number)", metadata: ["padding": "\(padding)"]) }
        unlink(directory.path)
        for number in 3..<40 { rig.sink().info("\(number)", metadata: ["padding": "\(padding)"]) }
        rig.clock.advance(by: .seconds(2))
        for number in 40..<80 { rig.sink().info("\(number)", metadata: ["padding": "\(padding)"]) }
        await rig.run { !directory.holding.isEmpty }
        await rig.producer.shutdown(timeout: .zero)
        rig.checkConservation()
    }

    @Test func aFolderOfAnotherLogstoreIsFreeWhileRecordsOfThisOneWait() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory) { $0.logstore = "other" }
        try await SpoolTests.leave(3, in: directory)
        let stuck = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        await stuck.transport.waitForAttempts(1)
        let other = try await SpoolTests.recover(3, from: directory) { $0.logstore = "other" }
        #expect(other.transport.logs.count == 3)
        await other.stop()
        await stuck.producer.shutdown(timeout: .zero)
    }

    @Test func foldersOfDeadProducersGoAsTheirRecordsAreDeliveredAndHoldNoDescriptorLonger() async throws {
        let directory = SpoolDirectory()
        for round in 0..<30 { try await SpoolTests.leave(1, in: directory, from: round) }
        let transport = InMemoryTransport(script: Array(repeating: .success, count: 20), otherwise: .never)
        let rig = try SpoolTests.rig(directory, transport: transport)
        await rig.run { rig.producer.statistics.delivered == 20 }
        await transport.waitForAttempts(21)
        // Ten that are left, and its own.
        await rig.run(inStepsOf: .zero) {
            (try? FileSystem.names(in: directory.path))?.count { $0.hasPrefix(SpoolFolder.prefix) } == 11
        }
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func aFolderThatAProcessDiedMakingIsRemovedAfterAnHour() async throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory("\(directory.path)/.producer-old")
        directory.overwrite("\(directory.path)/.producer-old/lock", with: [])
        chmod("\(directory.path)/.producer-old", 0o700)
        let now = Int64(time(nil)) * 1_000_000_000
        SpoolFolder.removeUnfinished("\(directory.path)/.producer-old", wallTime: now, access: SpoolAccess(.owner))
        var status = stat()
        #expect(lstat("\(directory.path)/.producer-old", &status) == 0)
        let later = now + 2 * 3600 * 1_000_000_000
        SpoolFolder.removeUnfinished("\(directory.path)/.producer-old", wallTime: later, access: SpoolAccess(.owner))
        #expect(lstat("\(directory.path)/.producer-old", &status) != 0)
    }

    @Test func aFileWithHolesIsReadAndNoRoomIsAskedFor() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let file = try #require(directory.holding.first)
        let bytes = directory.contents(of: file)
        unlink(file)
        let descriptor = try FileSystem.open(file, flags: O_RDWR | O_CREAT)
        pwrite(descriptor, bytes, 5000, 0)
        Array(bytes.suffix(64)).withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, 64, off_t(bytes.count - 64)) }
        close(descriptor)
        let path = file.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        // The producer's task lets go of the folder a moment after the shutdown.
        var adopted = try SpoolFolder.recover(path, access: SpoolAccess(.owner))
        while adopted == nil && !Task.isCancelled {
            await Task.yield()
            adopted = try SpoolFolder.recover(path, access: SpoolAccess(.owner))
        }
        let spoolFolder = try #require(adopted)
        let finding = try SpoolExamination.examine(file, spoolFolder: spoolFolder, destination: nil) { _ in
            MonotonicInstant(nanoseconds: 0)
        }
        guard case .records(let open, _, nil) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(open.count == 3)
        let batch = open.sealed()
        // The copy is delivered, and the file goes with it.
        #expect(batch.memory.file == nil && batch.memory.spoolFile?.path == file)
        var status = stat()
        stat(file, &status)
        #expect(Int(status.st_blocks) * 512 < bytes.count)
    }

    @Test(arguments: [-1, 1]) func aClockThatStepsByADayBetweenRunsLosesNothing(days: Int64) async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(5, in: directory)
        let day: Int64 = 86_400_000_000_000
        let clock = ManualClock(wallTime: 1_767_225_600_000_000_000 + days * day)
        let transport = InMemoryTransport()
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = directory.path
        let producer = try WebTrackingProducer(configuration: configuration, transport: transport, clock: clock)
        await transport.waitForAttempts(1)
        #expect(transport.logs.map { $0["message"] } == (0..<5).map { "\($0)" })
        await producer.shutdown(timeout: .zero)
    }
}

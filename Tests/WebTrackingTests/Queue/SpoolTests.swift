// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct SpoolTests {
    /// A rig whose records live in `directory`.
    static func rig(
        _ directory: SpoolDirectory,
        transport: InMemoryTransport = InMemoryTransport(),
        wallTime: Int64 = Rig.start,
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) throws -> Rig {
        try Rig(transport: transport, wallTime: wallTime) { configuration in
            configuration.durability = .process
            configuration.spool.directory = directory.path
            configure(&configuration)
        }
    }

    /// What a process leaves that dies with `count` records in its spool: the producer is forgotten in a shutdown that
    /// has no time, which leaves the files as a kill would.
    static func leave(
        _ count: Int,
        in directory: SpoolDirectory,
        from first: Int = 0,
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) async throws {
        let rig = try self.rig(directory, transport: InMemoryTransport(otherwise: .never), configure: configure)
        let folder = try #require(rig.producer.maintenance?.folder)
        for number in first..<(first + count) { rig.sink().info("\(number)") }
        let report = await rig.producer.shutdown(timeout: .zero)
        await rig.producer.maintenance?.waitUntilStopped()
        #expect(report.spooled >= count)
        #expect(report.remaining == report.spooled)
        #expect(report.dropped == [:])
        rig.checkConservation()
        await self.waitUntilLeft(folder)
    }

    /// The last of a producer's tasks lets go of its folder.
    static func waitUntilLeft(_ folder: String) async {
        while SpoolFolder.isAlive(folder), !Task.isCancelled { await Task.yield() }
    }

    /// Starts a producer and waits until it has delivered what it found.
    static func recover(
        _ count: Int,
        from directory: SpoolDirectory,
        transport: InMemoryTransport = InMemoryTransport(),
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) async throws -> Rig {
        let rig = try self.rig(directory, transport: transport, configure: configure)
        await rig.run { rig.producer.statistics.recovered >= count && rig.producer.statistics.pending == 0 }
        return rig
    }

    @Test func recordsOfADeadProducerAreDeliveredByTheNextOneInOrder() async throws {
        let directory = SpoolDirectory()
        try await Self.leave(5000, in: directory) { $0.batching.targetBytes = 32 << 10 }
        let rig = try await Self.recover(5000, from: directory)
        #expect(rig.transport.logs.map { $0["message"] } == (0..<5000).map { "\($0)" })
        #expect(rig.producer.statistics.recovered == 5000)
        #expect(rig.producer.statistics.delivered == 5000)
        await rig.stop()
        #expect(directory.files == [])
    }

    @Test func deliveredRecordsLeaveNothingBehind() async throws {
        let directory = SpoolDirectory()
        let rig = try Self.rig(directory)
        for number in 0..<3000 { rig.sink().info("\(number)") }
        #expect(await rig.drain().count == 3000)
        #expect(directory.holding == [])
        await rig.stop()
        #expect(try FileSystem.names(in: directory.path) == [])
        #expect(rig.producer.statistics.spoolBytes == 0)
        let next = try Self.rig(directory)
        next.sink().info("later")
        #expect(await next.drain().count == 1)
        #expect(next.producer.statistics.recovered == 0)
        await next.stop()
    }

    @Test func aBatchKeepsItsIdThroughRetriesAndRestarts() async throws {
        let directory = SpoolDirectory()
        let transport = InMemoryTransport(otherwise: .failure(status: 500))
        let rig = try Self.rig(directory, transport: transport)
        rig.sink().info("m")
        await rig.run(inStepsOf: .seconds(30)) { transport.attempts.count >= 3 }
        await rig.producer.shutdown(timeout: .zero)
        let ids = Set(transport.attempts.compactMap(\.tags["__pack_id__"]))
        #expect(ids.count == 1)
        let next = try await Self.recover(1, from: directory)
        #expect(Set(next.transport.stored.compactMap(\.tags["__pack_id__"])) == ids)
        await next.stop()
    }

    @Test func newRecordsDoNotWaitForRecoveredOnes() async throws {
        let directory = SpoolDirectory()
        try await Self.leave(2000, in: directory) { $0.batching.targetBytes = 16 << 10 }
        // The first request hangs, whichever it is; the others go through.
        let rig = try Self.rig(directory, transport: InMemoryTransport(script: [.never]))
        await rig.transport.waitForAttempts(1)
        rig.sink().error("new")
        // It counts a moment after it has arrived.
        await rig.run(inStepsOf: .seconds(3)) {
            rig.transport.logs.contains { $0["message"] == "new" } && rig.producer.statistics.delivered >= 1
        }
        await rig.producer.shutdown(timeout: .zero)
        rig.checkConservation()
    }

    @Test func twoLivingProducersShareADirectoryAndLeaveEachOtherAlone() async throws {
        let directory = SpoolDirectory()
        let first = try Self.rig(directory, transport: InMemoryTransport(otherwise: .never))
        first.sink().info("first")
        let second = try Self.rig(directory)
        second.sink().info("second")
        #expect(await second.drain().map { $0["message"] } == ["second"])
        #expect(second.producer.statistics.recovered == 0)
        await second.stop()
        await first.producer.shutdown(timeout: .zero)
        let third = try await Self.recover(1, from: directory)
        #expect(third.transport.logs.map { $0["message"] } == ["first"])
        await third.stop()
    }

    @Test func restartAfterRestartNeitherLosesNorMultipliesRecords() async throws {
        let directory = SpoolDirectory()
        for round in 0..<20 { try await Self.leave(10, in: directory, from: round * 10) }
        let rig = try await Self.recover(200, from: directory)
        #expect(rig.transport.logs.map { $0["message"] } == (0..<200).map { "\($0)" })
        #expect(rig.producer.statistics.recovered == 200)
        await rig.stop()
        #expect(directory.files == [])
    }

    @Test func recordsOfAnotherLogstoreAreLeftForTheirOwnProducer() async throws {
        let directory = SpoolDirectory()
        try await Self.leave(3, in: directory) { $0.logstore = "other" }
        let rig = try Self.rig(directory)
        rig.sink().info("mine")
        #expect(await rig.drain().map { $0["message"] } == ["mine"])
        await rig.stop()
        let other = try await Self.recover(3, from: directory) { $0.logstore = "other" }
        #expect(other.transport.logs.count == 3)
        await other.stop()
    }

    @Test func filesAreForTheirOwnerAlone() async throws {
        let directory = SpoolDirectory()
        try await Self.leave(1, in: directory)
        var status = stat()
        #expect(stat(directory.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        let file = try #require(directory.holding.first)
        #expect(stat(file, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give directories away"))
    func aDirectoryOfAnotherUserIsNotUsedAndSaidSo() async throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        #expect(chown(directory.path, 65534, 65534) == 0)
        let rig = try Self.rig(directory)
        rig.sink().info("m")
        #expect(await rig.drain().count == 1)
        let reasons = rig.diagnostics.elements.compactMap { diagnostic in
            if case .spoolUnavailable(_, let reason) = diagnostic { reason } else { nil }
        }
        #expect(reasons.first == "\(directory.path): it belongs to another user (65534); chown -R 0 \(directory.path)")
        #expect(directory.files == [])
        await rig.stop()
    }

    @Test func aDirectoryOfAnotherUserIsRefusedInWordsThatSaySo() throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        try FileSystem.check(directory.path, SpoolAccess(.owner))
        // Only the superuser can give a directory away; for everybody else the root is another user's.
        let foreign = geteuid() == 0 ? directory.path : "/"
        if geteuid() == 0 { #expect(chown(foreign, 65534, 65534) == 0) }
        let error = #expect(throws: FileError.self) { try FileSystem.check(foreign, SpoolAccess(.owner)) }
        #expect(error?.description.hasPrefix("\(foreign): it belongs to another user (") ?? false)
    }

    @Test func recordsAreKeptInMemoryWhileTheDirectoryIsUnusableAndInFilesAgainAfterwards() async throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        // In the place of the folder that the spool would make there is a file, which root cannot write through either.
        rmdir(directory.path)
        directory.overwrite(directory.path, with: [1])
        let rig = try Self.rig(directory)
        rig.sink().info("in memory")
        #expect(await rig.drain().count == 1)
        unlink(directory.path)
        rig.clock.advance(by: .seconds(2))
        rig.transport.reply(otherwise: .never)
        rig.sink().info("in a file")
        await rig.run { directory.holding.count == 1 }
        // Not on the thread that logs.
        let isReported = { rig.diagnostics.elements.contains { if case .spoolAvailable = $0 { true } else { false } } }
        await rig.run(inStepsOf: .seconds(5)) { isReported() }
        await rig.producer.shutdown(timeout: .zero)
        let next = try await Self.recover(1, from: directory)
        #expect(next.transport.logs.map { $0["message"] } == ["in a file"])
        await next.stop()
    }

    @Test func theStatisticsSayWhetherFilesForNewRecordsCanBeHad() async throws {
        let directory = SpoolDirectory()
        directory.overwrite(directory.path, with: [1])
        defer { unlink(directory.path) }
        let rig = try Self.rig(directory)
        // From the start.
        #expect(rig.producer.statistics.isSpoolUnavailable)
        #expect(rig.producer.statistics.unspooled == 0)
        rig.sink().info("in memory")
        #expect(rig.producer.statistics.isSpoolUnavailable)
        #expect(rig.producer.statistics.unspooled == 1)
        await rig.stop()
        #expect(rig.producer.statistics.unspooled == 0)
        #expect(!rig.producer.statistics.isSpoolUnavailable)
    }

    @Test func withoutASpoolNoneIsMissed() async throws {
        let rig = try Rig()
        rig.sink().info("in memory")
        #expect(!rig.producer.statistics.isSpoolUnavailable)
        await rig.stop()
    }

    @Test func whatIsInMemoryStillIsWrittenAgainWhenTheDirectoryIsRemovedAndThatIsSaid() async throws {
        let directory = SpoolDirectory()
        let rig = try Self.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.topic = .label
        }
        rig.sink("a").info("1")
        #expect(directory.holding.count == 1)
        directory.removeAll()
        rig.sink("b").info("2")
        // Within a second or so.
        await rig.run(inStepsOf: .seconds(1)) { directory.holding.count == 2 }
        let report = await rig.producer.shutdown(timeout: .zero)
        #expect(report.spooled == 2 && report.dropped == [:])
        let reported = rig.diagnostics.elements.compactMap { diagnostic in
            switch diagnostic {
            case .spoolUnavailable(_, let reason): reason.hasSuffix("has been removed") ? "removed" : reason
            case .spoolAvailable: "available"
            default: nil
            }
        }
        #expect(reported == ["removed", "available"])
        let next = try await Self.recover(2, from: directory)
        #expect(Set(next.transport.logs.map { $0["message"] }) == ["1", "2"])
        await next.stop()
    }

    @Test func aShutdownReportsAsSpooledWhatIsThereAndCountsTheRest() async throws {
        let directory = SpoolDirectory()
        let rig = try Self.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.batching.targetBytes = 16 << 10
            $0.batching.urgentLevel = nil
        }
        let padding = String(repeating: "x", count: 1000)
        for number in 0..<300 { rig.sink().info("\(number) \(padding)") }
        await rig.transport.waitForAttempts(1)
        await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
        directory.removeAll()
        let report = await rig.producer.shutdown(timeout: .zero)
        // The oldest, in a request, two that wait, and the open one are mapped; the others were in files only.
        #expect((30..<200).contains(report.spooled))
        #expect(report.dropped == [.spoolDamaged: 300 - report.spooled])
        #expect(report.remaining == 300)
        rig.checkConservation()
        let next = try await Self.recover(report.spooled, from: directory)
        #expect(next.transport.logs.count == report.spooled)
        await next.stop()
    }

    @Test func aFullSpoolGivesUpTheOldestLeastSevereBatchFirst() async throws {
        let directory = SpoolDirectory()
        let rig = try Self.rig(directory, transport: InMemoryTransport(otherwise: .never)) { configuration in
            configuration.spool.maximumBytes = 1 << 20
            configuration.batching.targetBytes = 64 << 10
            configuration.batching.urgentLevel = nil
        }
        let padding = String(repeating: "x", count: 1000)
        for number in 0..<200 { rig.sink().error("error \(number) \(padding)") }
        for number in 0..<3000 { rig.sink().info("info \(number) \(padding)") }
        for number in 0..<200 { rig.sink().error("late error \(number) \(padding)") }
        let numbers = rig.producer.statistics
        #expect(numbers.spoolBytes <= 1 << 20)
        #expect(numbers.dropped[.spoolFull, default: 0] > 2000)
        #expect(numbers.droppedByLevel[.error, default: 0] == 0)
        rig.checkConservation()
        await rig.producer.shutdown(timeout: .zero)
        let next = try await Self.recover(rig.producer.statistics.pending, from: directory) {
            $0.spool.maximumBytes = 1 << 20
        }
        let errors = next.transport.logs.compactMap { $0["level"] == "error" ? $0["message"] : nil }
        #expect(errors.count == 400)
        await next.stop()
    }

    @Test func recordsOlderThanTheSpoolsAgeAreDroppedAndCounted() async throws {
        let directory = SpoolDirectory()
        try await Self.leave(3, in: directory)
        let later = Rig.start + 61_000_000_000
        let rig = try Self.rig(directory, wallTime: later) { $0.spool.maximumAge = .seconds(60) }
        await rig.run { rig.producer.statistics.recovered == 3 && rig.producer.statistics.pending == 0 }
        #expect(rig.producer.statistics.dropped == [.expired: 3])
        // At most what tells of them has been delivered.
        #expect(rig.transport.logs.allSatisfy { $0["dropped.total"] == "3" })
        await rig.stop()
    }

    @Test func whatIsYoungerThanTheSpoolsAgeIsDelivered() async throws {
        let directory = SpoolDirectory()
        try await Self.leave(3, in: directory)
        let rig = try Self.rig(directory, wallTime: Rig.start + 59_000_000_000) {
            $0.spool.maximumAge = .seconds(60)
        }
        await rig.run { rig.producer.statistics.recovered == 3 && rig.producer.statistics.pending == 0 }
        #expect(rig.producer.statistics.delivered == 3)
        await rig.stop()
    }

    @Test func aStartRemovesFoldersThatAProcessDiedMaking() async throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        let unfinished = "\(directory.path)/.\(SpoolFolder.prefix)unfinished"
        try FileSystem.makeDirectory(unfinished)
        // Real files have the real time.
        let rig = try Self.rig(directory, wallTime: SystemProducerClock().wallTime() + 2 * 3_600_000_000_000)
        await rig.run { (try? FileSystem.names(in: directory.path, includingHidden: true))?.count == 1 }
        #expect(try !FileSystem.names(in: directory.path).isEmpty)
        await rig.stop()
    }

    @Test func durabilityWithoutADirectoryIsRefused() throws {
        for directory in [nil, "", "relative/path"] {
            #expect {
                try Rig {
                    $0.durability = .process
                    $0.spool.directory = directory
                }
            } throws: { error in
                (error as? ConfigurationError)?.setting == "spool.directory"
            }
        }
    }

    @Test func syncingGoesOnBehindTheCallersWithPowerDurability() async throws {
        let directory = SpoolDirectory()
        let rig = try Self.rig(directory) { $0.durability = .power(interval: .milliseconds(100)) }
        for number in 0..<500 { rig.sink().info("\(number)") }
        await rig.run { rig.producer.statistics.pending == 0 }
        #expect(rig.transport.logs.count == 500)
        await rig.stop()
    }
}

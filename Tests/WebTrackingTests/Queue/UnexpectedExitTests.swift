// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// The end of a process without a stop is a record of the next start.
@Suite(.timeLimit(.minutes(10)), Deaths()) struct UnexpectedExitTests {
    /// What a process leaves that dies with these records: its locks are gone, its files are as they were. Its clock stands
    /// still from then on, and with it its tasks.
    @discardableResult
    private static func die(
        in directory: SpoolDirectory,
        transport: InMemoryTransport = InMemoryTransport(otherwise: .never),
        topic: TopicRule = .fixed(""),
        _ body: (Rig) async -> Void
    ) async throws -> Rig {
        let rig = try SpoolTests.rig(directory, transport: transport) { $0.topic = topic }
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        await body(rig)
        // The time of the last batch is noted on the worker.
        await rig.producer.maintenance?.fileWorker.run {}
        rig.die()
        return rig
    }

    /// The same of a process that has not logged anything.
    @discardableResult
    private static func dieSilent(
        in directory: SpoolDirectory,
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) async throws -> Rig {
        let rig = try SpoolTests.rig(directory, configure: configure)
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        rig.die()
        return rig
    }

    /// Starts a producer that looks at what was left, and waits until it has delivered that.
    private static func start(
        in directory: SpoolDirectory,
        transport: InMemoryTransport = InMemoryTransport(),
        wallTime: Int64 = Rig.start,
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) async throws -> Rig {
        let rig = try SpoolTests.rig(directory, transport: transport, wallTime: wallTime, configure: configure)
        await Self.look(rig)
        return rig
    }

    private static func look(_ rig: Rig) async {
        await rig.run(inStepsOf: .seconds(3)) { rig.awaitsNextLook && rig.producer.statistics.pending == 0 }
    }

    private static func told(_ rig: Rig) -> [[String: String]] { rig.transport.logs.filter { $0["exit.pid"] != nil } }

    private static func topics(_ rig: Rig) -> [String] {
        rig.transport.stored.filter { $0.logs.contains { $0["exit.pid"] != nil } }.map(\.topic)
    }

    @Test func aProcessThatEndedWithoutAStopIsARecordOfTheNextStart() async throws {
        let directory = SpoolDirectory()
        try await Self.die(in: directory, topic: .fixed("orders")) { rig in
            rig.sink().info("first")
            rig.clock.advance(by: .milliseconds(1500))
            rig.sink().info("last")
        }
        let next = try await Self.start(in: directory, wallTime: Rig.start + 60_000_000_000) {
            $0.topic = .fixed("orders")
            $0.source = "another"
        }
        let record = try #require(Self.told(next).first)
        #expect(record["level"] == "error" && record["label"] == "webtracking" && record["source"] == "WebTracking")
        // The dead one's own source.
        #expect(record["message"] == "a producer of process \(getpid()) on host ended without a stop")
        #expect(record["exit.pid"] == "\(getpid())" && record["exit.host"] == "host")
        #expect(record["exit.started"] == "2026-01-01T00:00:00.000000000Z")
        #expect(record["exit.last_record"] == "2026-01-01T00:00:01.500000000Z")
        #expect(record["exit.recovered"] == "2")
        #expect(Self.told(next).count == 1 && Self.topics(next) == ["orders"])
        let numbers = next.producer.statistics
        #expect(numbers.unexpectedExits == 1 && numbers.synthetic == 1 && numbers.recovered == 2)
        await next.stop()
        #expect(try FileSystem.names(in: directory.path) == [])
    }

    @Test func aProcessThatHadDeliveredEverythingIsToldToo() async throws {
        let directory = SpoolDirectory()
        let dead = try await Self.die(
            in: directory,
            transport: InMemoryTransport(),
            topic: .metadata(key: "shop", fallback: "base")
        ) { rig in
            rig.clock.advance(by: .seconds(5))
            rig.sink().info("m")
            await rig.producer.maintenance?.fileWorker.run {}
            rig.clock.advance(by: .seconds(7))
            await rig.drain()
        }
        #expect(dead.producer.statistics.pending == 0 && directory.holding == [])
        let next = try await Self.start(in: directory)
        let record = try #require(Self.told(next).first)
        #expect(record["exit.recovered"] == "0")
        // When its batch was begun, not when that was delivered.
        #expect(record["exit.last_record"] == "2026-01-01T00:00:05.000000000Z")
        // The dead one's own, not that of this producer.
        #expect(Self.topics(next) == ["base"])
        await next.stop()
        #expect(try FileSystem.names(in: directory.path) == [])
    }

    @Test func itIsToldOnTheTopicOfTheRecordsIfTheyHaveOne() async throws {
        for (labels, topic) in [(["a", "a"], "a"), (["a", "b"], ""), ([], "")] {
            let directory = SpoolDirectory()
            try await Self.die(in: directory, topic: .label) { rig in
                for label in labels { rig.sink(label).info("m") }
            }
            let next = try await Self.start(in: directory) { $0.topic = .fixed("other program") }
            #expect(Self.topics(next) == [topic])
            #expect(Self.told(next).first?["exit.recovered"] == "\(labels.count)")
            await next.stop()
        }
    }

    @Test func eachDeathIsToldOnce() async throws {
        let directory = SpoolDirectory()
        // Both live at first: a living producer tells of the dead beside it.
        let dead = try (0..<2).map { _ in
            try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        }
        for rig in dead { await rig.run(inStepsOf: .zero) { rig.awaitsNextLook } }
        dead[0].sink().info("1")
        for rig in dead { rig.die() }
        let next = try await Self.start(in: directory)
        #expect(Self.told(next).map { $0["exit.recovered"] }.sorted { $0 ?? "" < $1 ?? "" } == ["0", "1"])
        // Nor at the next look of the same.
        next.clock.advance(by: .seconds(30))
        await Self.look(next)
        #expect(next.producer.statistics.unexpectedExits == 2)
        await next.stop()
        let last = try await Self.start(in: directory)
        #expect(last.producer.statistics.unexpectedExits == 0 && last.transport.logs == [])
        await last.stop()
    }

    @Test func oneOfTwoThatStartAtOnceTells() async throws {
        let directory = SpoolDirectory()
        try await Self.die(in: directory) { $0.sink().info("m") }
        let rigs = try (0..<2).map { _ in try SpoolTests.rig(directory) }
        for rig in rigs { await Self.look(rig) }
        #expect(rigs.reduce(0) { $0 + $1.producer.statistics.unexpectedExits } == 1)
        #expect(rigs.reduce(0) { $0 + Self.told($1).count } == 1)
        for rig in rigs { await rig.stop() }
    }

    @Test func aStartThatDiesBeforeItHasToldLeavesThatToTheNext() async throws {
        let directory = SpoolDirectory()
        // More files than are read ahead.
        try await Self.die(in: directory, topic: .label) { rig in
            for number in 0..<(RecoveryMachine.ahead + 5) { rig.sink("\(number)").info("m") }
        }
        let second = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        await second.run(inStepsOf: .zero) { second.producer.statistics.recovered > RecoveryMachine.ahead }
        #expect(second.producer.statistics.unexpectedExits == 0)
        second.die()
        let third = try await Self.start(in: directory)
        await third.run(inStepsOf: .seconds(3)) { third.producer.statistics.unexpectedExits == 2 }
        await Self.look(third)
        #expect(Self.told(third).map { $0["exit.recovered"] } == ["\(RecoveryMachine.ahead + 5)", "0"])
        await third.stop()
    }

    @Test(arguments: [0, 3]) func aStopIsNotTold(left: Int) async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(left, in: directory)
        let next = try await Self.start(in: directory)
        #expect(next.transport.logs.count == left && next.producer.statistics.unexpectedExits == 0)
        #expect(next.producer.statistics.synthetic == 0)
        await next.stop()
    }

    @Test func aStopThatOnlyAThreadCouldFinishIsNotTold() async throws {
        let directory = SpoolDirectory()
        let standstill = Standstill()
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = directory.path
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: InMemoryTransport(otherwise: .never),
            diagnostics: .none,
            clock: SystemProducerClock(),
            observer: DefaultObserver.make(),
            random: { 0.5 },
            executor: standstill
        )
        producer.makeLogHandler(label: "label").info("m")
        let report = await withCheckedContinuation { answer in
            startThread { answer.resume(returning: producer.syncShutdown(timeout: .zero)) }
        }
        #expect(report.spooled == 1)
        // The folder stays locked until the process ends.
        _ = producer.unlockSpool()
        let next = try await Self.start(in: directory)
        #expect(next.producer.statistics.unexpectedExits == 0 && next.producer.statistics.recovered == 1)
        await next.stop()
        standstill.end()
        await producer.shutdown(timeout: .zero)
    }

    /// Runs no task, as Swift's threads do while all of them are blocked.
    private final class Standstill: TaskExecutor {
        private let jobs = Lock<[UnownedJob]?>([])

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            let waits = self.jobs.withLock { jobs in
                jobs?.append(job)
                return jobs != nil
            }
            if !waits { self.run(job) }
        }

        /// Runs them all, so that none is left when the test is over.
        func end() {
            let jobs = self.jobs.withLock { jobs in
                defer { jobs = nil }
                return jobs ?? []
            }
            for job in jobs { self.run(job) }
        }

        private func run(_ job: UnownedJob) { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    @Test func aStopIsNotedBeforeTheLastFilesAreWrittenWhichMayTakeTooLong() async throws {
        let directory = SpoolDirectory()
        try await Self.die(in: directory) { rig in
            rig.sink().info("m")
            await rig.producer.maintenance?.spillBeforeEnd(until: rig.clock.now())
            // A folder that is made from then on says nothing either.
            if let folder = rig.producer.maintenance?.folder { #expect(rename(folder, "\(folder).away") == 0) }
            rig.producer.maintenance?.store.runMaintenance(isForced: true)
            #expect(rig.producer.maintenance?.folder.map { access("\($0)/process", F_OK) } == -1)
        }
        let next = try await Self.start(in: directory)
        #expect(next.producer.statistics.unexpectedExits == 0)
        await next.stop()
    }

    @Test func aProcessThatNeverLoggedAndACopiedFolderHaveNoTimeOfALastRecord() async throws {
        for isCopied in [false, true] {
            let directory = SpoolDirectory()
            let dead = try await Self.dieSilent(in: directory)
            let file = try #require(dead.producer.maintenance?.folder) + "/process"
            let time = timespec(tv_sec: 1_800_000_000, tv_nsec: 123_456_789)
            if isCopied { #expect(utimensat(AT_FDCWD, file, [time, time], 0) == 0) }
            let next = try await Self.start(in: directory)
            let record = try #require(Self.told(next).first)
            #expect(record["exit.recovered"] == "0" && record["exit.last_record"] == nil)
            await next.stop()
        }
    }

    @Test func itIsToldOnlyOnceItsRecordCanBeInAFile() async throws {
        let directory = SpoolDirectory()
        let dead = try SpoolTests.rig(directory)
        await dead.run(inStepsOf: .zero) { dead.awaitsNextLook }
        let next = try await Self.start(in: directory)
        let store = try #require(next.producer.maintenance).store
        store.state.withLock { $0.retryAt = MonotonicInstant(nanoseconds: .max) }
        dead.die()
        let later = next.clock.now() + .seconds(65)
        await next.run { next.clock.now() >= later }
        #expect(next.producer.statistics.unexpectedExits == 0)
        #expect(access("\(dead.producer.maintenance?.folder ?? "")/process", F_OK) == 0)
        store.state.withLock { $0.retryAt = nil }
        await next.run { next.producer.statistics.unexpectedExits == 1 }
        await next.stop()
    }

    @Test func aFileThatCannotBeReadIsSaidOnceAndHidesNoOtherFailure() async throws {
        let directory = SpoolDirectory()
        let dead = try (0..<2).map { _ in
            try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        }
        for rig in dead { await rig.run(inStepsOf: .zero) { rig.awaitsNextLook } }
        let next = try await Self.start(in: directory)
        for rig in dead { rig.sink().info("m") }
        let folders = dead.compactMap { $0.producer.maintenance?.folder }.sorted()
        #expect(unlink("\(folders[0])/process") == 0 && mkdir("\(folders[0])/process", 0o700) == 0)
        let file = try #require(directory.holding.first { $0.hasPrefix(folders[1]) })
        #expect(rename(file, "\(directory.path)/away") == 0 && symlink("\(directory.path)/away", file) == 0)
        for rig in dead { rig.die() }
        let later = next.clock.now() + .seconds(95)
        await next.run { next.clock.now() >= later }
        let reasons = next.diagnostics.elements.compactMap { diagnostic in
            if case .spoolFailed(_, let reason) = diagnostic { reason } else { nil }
        }
        #expect(reasons.count { $0.contains("\(folders[0])/process") } == 1)
        #expect(reasons.count { $0.contains(file) } == 1)
        await next.stop()
        rmdir("\(folders[0])/process")
    }

    @Test func aFolderThatDoesNotSayWhoMadeItIsNoDeath() async throws {
        let directory = SpoolDirectory()
        let dead = try await Self.die(in: directory) { $0.sink().info("m") }
        let folder = try #require(dead.producer.maintenance?.folder)
        #expect(unlink("\(folder)/process") == 0)
        let next = try await Self.start(in: directory)
        #expect(next.transport.logs.count == 1 && next.producer.statistics.unexpectedExits == 0)
        await next.stop()
    }

    @Test func aDamagedFileIsSaidAndRemovedAndTellsNothing() async throws {
        let directory = SpoolDirectory()
        let dead = try await Self.die(in: directory) { $0.sink().info("m") }
        let file = try #require(dead.producer.maintenance?.folder) + "/process"
        directory.overwrite(file, with: Array(directory.contents(of: file).dropLast(5)))
        let next = try await Self.start(in: directory)
        #expect(next.transport.logs.count == 1 && next.producer.statistics.unexpectedExits == 0)
        let troubles = next.diagnostics.elements.compactMap { diagnostic in
            if case .spoolFailed(_, let reason) = diagnostic { reason } else { nil }
        }
        #expect(troubles == ["\(file) is damaged; the end of its process is not told"])
        await next.stop()
        #expect(try FileSystem.names(in: directory.path) == [])
    }

    @Test func anEmptyFileIsNothingWorthAWord() async throws {
        let directory = SpoolDirectory()
        // Its process died between the making of the file and its text.
        let dead = try await Self.die(in: directory) { $0.sink().info("m") }
        let file = try #require(dead.producer.maintenance?.folder) + "/process"
        #expect(truncate(file, 0) == 0)
        let next = try await Self.start(in: directory)
        #expect(next.transport.logs.count == 1 && next.producer.statistics.unexpectedExits == 0)
        await next.stop()
        #expect(next.diagnostics.elements.allSatisfy { if case .spoolFailed = $0 { false } else { true } })
        withExtendedLifetime(dead) {}
        #expect(try FileSystem.names(in: directory.path) == [])
    }

    @Test(arguments: [nil, ""] as [String?]) func withoutASourceItNamesTheHost(source: String?) async throws {
        let directory = SpoolDirectory()
        try await Self.dieSilent(in: directory, configure: { $0.source = source })
        let next = try await Self.start(in: directory)
        #expect(Self.told(next).map { $0["exit.host"] } == [HostName.current])
        await next.stop()
    }

    @Test(arguments: [false, true]) func aDeathOfAnotherLogstoreWaitsAsLongAsRecordsDo(hasRecord: Bool) async throws {
        let week: Int64 = 7 * 86_400_000_000_000
        let directory = SpoolDirectory()
        let dead = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.logstore = "other"
        }
        await dead.run(inStepsOf: .zero) { dead.awaitsNextLook }
        if hasRecord { dead.sink().info("m") }
        await dead.producer.maintenance?.fileWorker.run {}
        dead.die()
        let file = try #require(dead.producer.maintenance?.folder) + "/process"
        for (wallTime, isThere) in [(Rig.start + week, true), (Rig.start + week + 1_000_000_000, hasRecord)] {
            let next = try await Self.start(in: directory, wallTime: wallTime)
            #expect(next.producer.statistics.unexpectedExits == 0)
            await next.stop()
            #expect((access(file, F_OK) == 0) == isThere)
        }
        withExtendedLifetime(dead) {}
        #expect(try FileSystem.names(in: directory.path).isEmpty != hasRecord)
    }

    @Test func anOldDeathOfItsOwnLogstoreIsTold() async throws {
        let directory = SpoolDirectory()
        let dead = try await Self.dieSilent(in: directory)
        let next = try await Self.start(in: directory, wallTime: Rig.start + 30 * 86_400_000_000_000)
        #expect(next.producer.statistics.unexpectedExits == 1)
        await next.stop()
        withExtendedLifetime(dead) {}
    }

    @Test func aFileOfANewerVersionIsLeftToThat() async throws {
        let directory = SpoolDirectory()
        let dead = try await Self.die(in: directory) { $0.sink().info("m") }
        let file = try #require(dead.producer.maintenance?.folder) + "/process"
        let line = Array(#"{"version":2}"#.utf8)
        let check = line.withUnsafeBytes {
            RecordCheck.of($0.baseAddress!, count: $0.count, seed: SpoolFormat.magic)
        }
        let newer = line + Array("\n\(check.hexadecimal)\n".utf8)
        directory.overwrite(file, with: newer)
        let next = try await Self.start(in: directory)
        #expect(next.transport.logs.count == 1 && next.producer.statistics.unexpectedExits == 0)
        await next.stop()
        #expect(directory.contents(of: file) == newer)
    }

    @Test func aDeathWaitsForAProducerOfItsLogstore() async throws {
        let directory = SpoolDirectory()
        try await Self.dieSilent(in: directory, configure: { $0.logstore = "other" })
        let next = try await Self.start(in: directory)
        #expect(next.producer.statistics.unexpectedExits == 0)
        await next.stop()
        let own = try await Self.start(in: directory) { $0.logstore = "other" }
        #expect(own.producer.statistics.unexpectedExits == 1)
        await own.stop()
        #expect(try FileSystem.names(in: directory.path) == [])
    }

    @Test func itCanBeSwitchedOff() async throws {
        let directory = SpoolDirectory()
        // One that is not told, and one that does not tell.
        try await Self.dieSilent(in: directory, configure: { $0.spool.reportsUnexpectedExits = false })
        let next = try await Self.start(in: directory)
        #expect(next.producer.statistics.unexpectedExits == 0)
        await next.stop()
        try await Self.die(in: directory) { $0.sink().info("m") }
        let off = try await Self.start(in: directory) { $0.spool.reportsUnexpectedExits = false }
        #expect(off.producer.statistics.unexpectedExits == 0 && off.transport.logs.count == 1)
        await off.stop()
        #expect(try FileSystem.names(in: directory.path) == [])
    }

    @Test func aRescueLeavesItToTheNextStart() async throws {
        let directory = SpoolDirectory()
        try await Self.die(in: directory) { $0.sink().info("m") }
        let rescue = try await Self.start(in: directory) { $0.spool.isRescue = true }
        #expect(rescue.transport.logs.count == 1 && rescue.producer.statistics.unexpectedExits == 0)
        await rescue.stop()
        let next = try await Self.start(in: directory)
        #expect(Self.told(next).map { $0["exit.recovered"] } == ["0"])
        await next.stop()
    }

    @Test func aRescueThatDiesIsNoDeathOfTheProgram() async throws {
        let directory = SpoolDirectory()
        try await Self.dieSilent(in: directory, configure: { $0.spool.isRescue = true })
        let next = try await Self.start(in: directory)
        #expect(next.producer.statistics.unexpectedExits == 0)
        await next.stop()
    }

    @Test func aFolderThatIsMovedAwayAndPutBackDoesNotTellThatItsLivingProcessIsDead() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory)
        let folder = try #require(rig.producer.maintenance?.folder)
        #expect(rename(folder, "\(directory.path)/away") == 0)
        rig.producer.maintenance?.store.runMaintenance(isForced: true)
        #expect(rename("\(directory.path)/away", folder) == 0)
        await SpoolTests.waitUntilLeft(folder)
        let next = try await Self.start(in: directory)
        #expect(next.producer.statistics.unexpectedExits == 0)
        await next.stop()
        await rig.stop()
    }

    // MARK: Decided without files

    private static let exit = UnexpectedExit(
        ProcessIdentity(pid: 1, host: "h"),
        startedAt: 0,
        lastBatchAt: 5,
        baseTopic: "base"
    )

    @Test func itIsToldBehindTheLastFileOfTheFolderAndNotWhileOnlyTheBoundIsKept() {
        var machine = RecoveryMachine(maximumAge: nil)
        machine.begin(["a"], trimming: ["a": ["1"]])
        #expect(machine.next(backlog: 0) == .open(folder: "a"))
        machine.opened(["1", "2"], exit: Self.exit)
        #expect(machine.next(backlog: 0) == .examine(file: "1"))
        #expect(machine.found(.records(7, age: .zero, topic: "t", lastAt: 9)) == .drop(.spoolFull))
        // The time of the last record is only looked for where it is told.
        #expect(machine.next(backlog: 0) == .open(folder: "a") && !machine.hasDueExit)
        machine.opened(["2"], exit: Self.exit)
        #expect(machine.next(backlog: 0) == .examine(file: "2") && machine.hasDueExit)
        #expect(machine.found(.records(3, age: .zero, topic: "t", lastAt: 8)) == .deliver)
        guard case .tell(let exit) = machine.next(backlog: 100) else { return #expect(Bool(false)) }
        #expect(exit.recovered == 3 && exit.topic == "t" && exit.lastRecordAt == 8)
        machine.told(true)
        #expect(machine.next(backlog: 0) == .end && !machine.hasDueExit)
    }

    @Test func whatFoundNoRoomOrNotAllFilesIsToldLaterWithAllThatCameBack() {
        var machine = RecoveryMachine(maximumAge: nil)
        machine.begin(["a"])
        _ = machine.next(backlog: 0)
        machine.opened(["1", "2"], exit: Self.exit)
        _ = machine.next(backlog: 0)
        _ = machine.found(.records(3, age: .zero, topic: "t"))
        _ = machine.next(backlog: 0)
        #expect(machine.found(.unavailable("no descriptor")) == .leave)
        #expect(machine.next(backlog: 0) == .end)
        machine.begin(["a"])
        _ = machine.next(backlog: 0)
        machine.opened(["2"], exit: Self.exit)
        _ = machine.next(backlog: 0)
        _ = machine.found(.records(2, age: .zero, topic: "t"))
        guard case .tell(let exit) = machine.next(backlog: 0) else { return #expect(Bool(false)) }
        #expect(exit.recovered == 5)
        machine.told(false)
        #expect(machine.next(backlog: 0) == .end)
        machine.begin(["a"])
        _ = machine.next(backlog: 0)
        machine.opened([], exit: Self.exit)
        #expect(machine.next(backlog: 0) == .tell(exit))
    }

    @Test func whatCannotBeNotedAsToldIsNotToldAtEachLook() {
        var machine = RecoveryMachine(maximumAge: nil)
        for isFirst in [true, false] {
            machine.begin(["a"])
            _ = machine.next(backlog: 0)
            machine.opened([], exit: Self.exit)
            #expect(machine.next(backlog: 0) == (isFirst ? .tell(Self.exit) : .end))
            machine.told(true)
        }
    }
}

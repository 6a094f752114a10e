// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import Dispatch
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// A disk that takes its time, is full, or has a limit: none of it is the callers' to wait for, and all of it is said.
@Suite(.timeLimit(.minutes(10)), Deaths()) struct SpoolDiskTests {
    static let padding = String(repeating: "x", count: 1000)

    private func troubles(_ rig: Rig) -> [String] {
        rig.diagnostics.elements.compactMap { diagnostic in
            switch diagnostic {
            case .spoolUnavailable: "unavailable"
            case .spoolAvailable: "available"
            default: nil
            }
        }
    }

    @Test func aDiskThatDoesNotAnswerHoldsUpNoThreadThatLogs() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.topic = .label
            $0.batching.urgentLevel = nil
            $0.batching.targetBytes = 32 << 10
        }
        let worker = try #require(rig.producer.maintenance).fileWorker
        let answer = DispatchSemaphore(value: 0)
        let hasBegun = DispatchSemaphore(value: 0)
        worker.start {
            hasBegun.signal()
            answer.wait()
        }
        #expect(hasBegun.wait(timeout: .now() + 60) == .success)
        // More than there are files ready for; all calls return although the disk does not.
        await withTaskGroup(of: Void.self) { group in
            for topic in 0..<4 {
                let sink = rig.sink("\(topic)")
                group.addTask { for number in 0..<2000 { sink.info("\(number) \(Self.padding)") } }
            }
        }
        var numbers = rig.producer.statistics
        #expect(numbers.pending == 8000 && numbers.dropped == [:])
        #expect(numbers.unspooled > 1000 && numbers.isSpoolUnavailable)
        answer.signal()
        await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
        numbers = rig.producer.statistics
        #expect(numbers.unspooled == 0 && !numbers.isSpoolUnavailable)
        // It was no trouble that somebody has to look after.
        #expect(self.troubles(rig) == [])
        let report = await rig.producer.shutdown(timeout: .zero)
        #expect(report.spooled == 8000)
        rig.checkConservation()
        let next = try await SpoolTests.recover(8000, from: directory) { $0.topic = .label }
        #expect(next.transport.logs.count == 8000)
        await next.stop()
    }

    @Test func aDiskThatOpensNoFileHoldsUpNoThreadOfSwiftsAndNoShutdown() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(script: [.failure(status: 500)])) {
            $0.batching.targetBytes = 32 << 10
        }
        rig.sink().error("0")
        // From then on it waits for the clock.
        await rig.transport.waitForAttempts(1)
        for number in 1..<400 { rig.sink().info("\(number) \(Self.padding)") }
        // Most are in their files only, once the worker has come to that.
        let maintenance = try #require(rig.producer.maintenance)
        await maintenance.spillBeforeEnd(until: .init(nanoseconds: .max))
        let answer = DispatchSemaphore(value: 0)
        maintenance.fileWorker.start { answer.wait() }
        let start = rig.clock.now()
        let producer = rig.producer
        let end = Lock<DeliveryReport?>(nil)
        let shutdown = Task {
            let report = await producer.shutdown(timeout: .seconds(5))
            end.withLock { $0 = report }
        }
        await rig.run(inStepsOf: .seconds(5)) { end.withLock { $0 != nil } }
        await shutdown.value
        let report = try #require(end.withLock { $0 })
        // The clock may be moved on while the task returns.
        #expect(rig.clock.now() <= start + .seconds(5) * 2)
        #expect(report.spooled > 100 && report.delivered + report.spooled == 400)
        rig.checkConservation()
        answer.signal()
        await maintenance.waitUntilStopped()
        await maintenance.close()
        // One request may have been answered behind the deadline.
        let next = try SpoolTests.rig(directory)
        await next.run { rig.transport.logs.count + next.transport.logs.count >= 400 }
        #expect(Set((rig.transport.logs + next.transport.logs).compactMap { $0["message"] }).count == 400)
        await next.stop()
    }

    @Test func noBoundIsBrokenByRecordsThatWaitForTheirFile() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.batching.urgentLevel = nil
            $0.batching.targetBytes = 32 << 10
            $0.spool.maximumBytes = 1 << 20
        }
        let answer = DispatchSemaphore(value: 0)
        rig.producer.maintenance?.fileWorker.start { answer.wait() }
        for number in 0..<3000 { rig.sink().info("\(number) \(Self.padding)") }
        #expect(rig.producer.statistics.spoolBytes <= 1 << 20)
        #expect(rig.producer.statistics.dropped[.spoolFull, default: 0] > 2000)
        answer.signal()
        let report = await rig.producer.shutdown(timeout: .zero)
        #expect(report.spooled == rig.producer.statistics.pending)
        #expect(rig.producer.statistics.dropped[.shutdownDeadline] == nil)
        rig.checkConservation()
    }

    /// Runs a program to its end.
    private static func run(_ arguments: [String]) -> Bool {
        var child: pid_t = 0
        let argv = arguments.map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        var status: CInt = 0
        return posix_spawnp(&child, arguments[0], nil, nil, argv, environ) == 0 && waitpid(child, &status, 0) == child
            && status == 0
    }

    /// Only root can, and a container may forbid even root to.
    private static let canMount: Bool = {
        let mount = SpoolDirectory()
        guard geteuid() == 0, (try? FileSystem.makeDirectory(mount.path)) != nil,
            Self.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mount.path])
        else { return false }
        return Self.run(["umount", "-l", mount.path])
    }()

    @Test(.enabled(if: Self.canMount, "it takes the right to mount a small disk"))
    func aFullDiskIsToldForAsLongAsRecordsAreInMemoryOnly() async throws {
        let mount = SpoolDirectory()
        try FileSystem.makeDirectory(mount.path)
        try #require(Self.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mount.path]))
        defer { _ = Self.run(["umount", "-l", mount.path]) }
        let rig = try SpoolTests.rig(mount, transport: InMemoryTransport(otherwise: .never)) {
            $0.spool.directory = "\(mount.path)/spool"
            $0.batching.urgentLevel = nil
            $0.batching.targetBytes = 32 << 10
            $0.batching.maximumRequestBytes = 64 << 10
        }
        for number in 0..<12_000 { rig.sink().info("\(number) \(Self.padding)") }
        await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
        let full = rig.producer.statistics
        #expect(full.isSpoolUnavailable && full.unspooled > 9000 && full.dropped == [:])
        #expect(Self.run(["mount", "-o", "remount,size=4m", mount.path]))
        await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
        // Some have found room, and it is still as it is for the others.
        let less = rig.producer.statistics
        #expect(less.isSpoolUnavailable && less.unspooled > 7000 && less.unspooled < full.unspooled)
        #expect(self.troubles(rig) == ["unavailable"])
        #expect(Self.run(["mount", "-o", "remount,size=64m", mount.path]))
        for _ in 0..<2 { await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max)) }
        let numbers = rig.producer.statistics
        #expect(!numbers.isSpoolUnavailable && numbers.unspooled == 0)
        #expect(self.troubles(rig) == ["unavailable", "available"])
        let report = await rig.producer.shutdown(timeout: .zero)
        #expect(report.spooled == 12_000)
        rig.checkConservation()
    }

    private static func failures(_ rig: Rig) -> [String] {
        rig.diagnostics.elements.compactMap { if case .spoolFailed(_, let reason) = $0 { reason } else { nil } }
    }

    @Test(.enabled(if: Self.canMount, "it takes the right to mount a small disk"))
    func whoMadeAFolderIsWrittenDownAsSoonAsThereIsRoom() async throws {
        let mount = SpoolDirectory()
        try FileSystem.makeDirectory(mount.path)
        // Of its own, the spool, a folder in it, and the lock.
        try #require(Self.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=4", "tmpfs", mount.path]))
        defer { _ = Self.run(["umount", "-l", mount.path]) }
        func start() throws -> Rig { try SpoolTests.rig(mount) { $0.spool.directory = "\(mount.path)/spool" } }
        let dead = try start()
        await dead.run(inStepsOf: .zero) { dead.producer.maintenance?.folder != nil }
        let store = try #require(dead.producer.maintenance).store
        for _ in 0..<2 { await store.worker.run { store.runMaintenance(isForced: true) } }
        let file = try #require(dead.producer.maintenance?.folder) + "/process"
        #expect(access(file, F_OK) != 0)
        #expect(
            Self.failures(dead) == [
                "open \(file): No space left on device; until that works, an end of this process without a stop is not told"
            ]
        )
        #expect(Self.run(["mount", "-o", "remount,nr_inodes=1000", mount.path]))
        await store.worker.run { store.runMaintenance(isForced: true) }
        #expect(access(file, F_OK) == 0)
        // Its own look has to be over, or it would find its folder without a lock, and tell of itself.
        await dead.run(inStepsOf: .seconds(3)) { dead.awaitsNextLook }
        dead.die()
        let next = try start()
        await next.run { next.producer.statistics.unexpectedExits == 1 }
        await next.stop()
    }

    @Test(.enabled(if: Self.canMount, "it takes the right to mount a small disk"))
    func aDeathInAFolderThatIsReadOnlyIsSaidAndNotToldAtEachStart() async throws {
        let directory = SpoolDirectory()
        let dead = try SpoolTests.rig(directory)
        await dead.run(inStepsOf: .zero) { dead.awaitsNextLook }
        let folder = try #require(dead.producer.maintenance?.folder)
        dead.die()
        try #require(Self.run(["mount", "--bind", folder, folder]))
        defer { _ = Self.run(["umount", "-l", folder]) }
        try #require(Self.run(["mount", "-o", "remount,bind,ro", folder]))
        for _ in 0..<2 {
            let next = try SpoolTests.rig(directory)
            await next.run(inStepsOf: .seconds(3)) { next.awaitsNextLook }
            #expect(next.producer.statistics.unexpectedExits == 0)
            #expect(Self.failures(next) == ["unlink \(folder)/process: Read-only file system"])
            await next.stop()
        }
    }

    private static func limitFiles(to bytes: UInt) {
        var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
        #if canImport(Glibc)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        #else
        setrlimit(RLIMIT_FSIZE, &limit)
        #endif
    }

    @Test func aLimitOnTheSizeOfFilesIsToldAndEndsNoProcess() async {
        await #expect(processExitsWith: .success) {
            SpoolDiskTests.limitFiles(to: 4096)
            let directory = SpoolDirectory()
            let rig = try SpoolTests.rig(directory)
            rig.sink().info("m")
            await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
            let numbers = rig.producer.statistics
            let isReported = rig.diagnostics.elements.contains {
                if case .spoolUnavailable(_, let reason) = $0 { reason.contains("File too large") } else { false }
            }
            let logs = await rig.drain()
            guard isReported, numbers.isSpoolUnavailable, numbers.unspooled == 1, logs.count == 1 else { exit(1) }
        }
    }

    @Test func filesAreAsLargeAsALimitAllows() async {
        await #expect(processExitsWith: .success) {
            SpoolDiskTests.limitFiles(to: 100 << 10)
            let directory = SpoolDirectory()
            let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
                $0.batching.urgentLevel = nil
            }
            for _ in 0..<2000 { rig.sink().info("\(SpoolDiskTests.padding)") }
            await rig.producer.maintenance?.spillBeforeEnd(until: .init(nanoseconds: .max))
            guard rig.producer.statistics.unspooled == 0, rig.diagnostics.elements.isEmpty else { exit(1) }
            guard await rig.producer.shutdown(timeout: .zero).spooled == 2000 else { exit(2) }
        }
    }
}
#endif

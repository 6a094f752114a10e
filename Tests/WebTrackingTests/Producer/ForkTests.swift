// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Real children of `fork` that run no other program. They are made by a process of its own: a child of the tests' process
/// would have the locks of all tests that run.
@Suite(.timeLimit(.minutes(10))) struct ForkTests {
    private static let directoryName = "WEBTRACKING_TEST_FORK_DIRECTORY"
    private static let faultSuffix = "-fault"
    private static let records = 20_000
    private static let children = 20

    /// What a child found wrong is its exit status.
    private enum Fault: CInt {
        case none = 0
        case statistics = 1
        case report = 2
        case levels = 3
        case own = 4
    }

    /// The producer of a process that is to have children.
    private static func producer() throws -> WebTrackingProducer {
        let directory = try #require(getenv(Self.directoryName).map { String(cString: $0) })
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = directory
        configuration.batching.targetBytes = 16 << 10
        configuration.topic = .label
        // Nothing is delivered: the test reads what is left.
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: InMemoryTransport(otherwise: .never),
            diagnostics: .none
        )
        // What Swift looks up the first time that it is used is behind locks of its own, which no child gets past.
        let other = try WebTrackingProducer(
            configuration: configuration.inMemory,
            transport: InMemoryTransport(otherwise: .never),
            diagnostics: .none
        )
        _ = Self.live(other, other.makeLogHandler(label: "other"))
        return producer
    }

    /// The parent: a thread logs while children are made, so that locks are held and files are written when that happens.
    @Test(.enabled(if: getenv(Self.directoryName) != nil)) func parent() throws {
        let producer = try Self.producer()
        let sink = producer.makeLogHandler(label: "parent")
        let loggers = (0..<2).map { _ in WriteThread() }
        let done = Lock(0)
        for (index, logger) in loggers.enumerated() {
            let hasThread = logger.run {
                for number in 0..<Self.records where number % 2 == index { sink.info("\(number)") }
                done.withLock { $0 += 1 }
            }
            #expect(hasThread)
        }
        for _ in 0..<Self.children {
            let child = try Self.fork { Self.live(producer, sink) }
            var status: CInt = 0
            waitpid(child, &status, 0)
            try #require(status == 0, "\(Fault(rawValue: status >> 8).map { "\($0)" } ?? "signal \(status)")")
        }
        while done.withLock({ $0 }) < loggers.count { sched_yield() }
        #expect(producer.statistics.accepted == Self.records)
        #expect(producer.statistics.pending == Self.records)
        // No shutdown: what is in the files stays there.
    }

    /// What a child does; its end is its exit status.
    private static func live(_ producer: WebTrackingProducer, _ sink: WebTrackingLogHandler) -> Fault {
        for number in 0..<100 {
            sink.error("child \(number)")
            var other = producer.makeLogHandler(label: "child \(number)")
            other[metadataKey: "key"] = "value"
            other.info("child")
        }
        producer.logLevelOverrides = ["": .critical]
        var sampling = Sampling()
        sampling.suppressedRepeats = [.info]
        try? producer.setSampling(sampling)
        // Everything is looked at in any case, so that the first call, before the fork, leaves nothing to be looked up.
        let statistics = producer.statistics
        let isCounted = [
            statistics.accepted == 200, statistics.dropped == [.afterFork: 200], statistics.pending == 0,
            statistics.droppedByLevel == [.error: 100, .info: 100],
        ]
        let report = producer.syncShutdown(timeout: .seconds(1))
        let isReported = [report.dropped == [.afterFork: 200], report.remaining == 0, report.delivered == 0]
        let areLevelsKept = producer.logLevelOverrides.isEmpty
        // One of its own takes records as any other does.
        let own = try? WebTrackingProducer(
            configuration: producer.configuration.inMemory,
            transport: InMemoryTransport(),
            diagnostics: .none
        )
        own?.makeLogHandler(label: "own").info("child's own")
        let isOwn = own.map { $0.statistics.accepted == 1 && $0.statistics.totalDropped == 0 } ?? false
        if isCounted.contains(false) { return .statistics }
        if isReported.contains(false) { return .report }
        if !areLevelsKept { return .levels }
        return isOwn ? .none : .own
    }

    @Test func aChildOfForkDropsWithACountAndTheParentsRecordsStayWhole() async throws {
        let directory = SpoolDirectory()
        let status = try await Self.end(of: "ForkTests/parent", directory)
        #expect(status == 0, "the parent failed, or one of its children did")
        let rig = try await SpoolTests.recover(Self.records, from: directory)
        let numbers = rig.transport.logs.compactMap { $0["message"].flatMap { Int($0) } }
        #expect(numbers.sorted() == Array(0..<Self.records))
        #expect(rig.producer.statistics.damagedSpoolFiles == 0)
        await rig.stop()
    }

    /// A process that becomes a daemon: it ends, and its child goes on in its place.
    @Test(.enabled(if: getenv(Self.directoryName) != nil)) func becomesADaemon() throws {
        let producer = try Self.producer()
        let sink = producer.makeLogHandler(label: "parent")
        for number in 0..<100 { sink.info("\(number)") }
        try #require(daemon(1, 1) == 0)
        Self.limitTime()
        let fault = Self.live(producer, sink)
        // Nobody waits for its exit status.
        if let file = fopen(producer.configuration.spool.directory.map { $0 + Self.faultSuffix } ?? "", "w") {
            fputc(fault.rawValue, file)
            fclose(file)
        }
        _exit(0)
    }

    @Test func aDaemonDropsWithACountAndWhatItsParentLeftIsDeliveredOnceItHasEnded() async throws {
        let directory = SpoolDirectory()
        let report = directory.path + Self.faultSuffix
        defer { unlink(report) }
        #expect(try await Self.end(of: "ForkTests/becomesADaemon", directory) == 0)
        // The daemon has its parent's locks for as long as it is there.
        let rig = try await SpoolTests.recover(100, from: directory)
        #expect(directory.contents(of: report).first.map { Fault(rawValue: CInt($0)) } == Fault.none)
        #expect(rig.transport.logs.compactMap { $0["message"].flatMap { Int($0) } } == Array(0..<100))
        await rig.stop()
    }

    /// A value whose text is made by a process and its child.
    private final class Forking: CustomStringConvertible, Sendable {
        let child = Lock<pid_t>(-1)
        let fork: @convention(c) () -> pid_t

        init() throws {
            self.fork = unsafeBitCast(try #require(dlsym(nil, "fork")), to: (@convention(c) () -> pid_t).self)
        }

        var description: String {
            let child = self.fork()
            self.child.withLock { $0 = child }
            if child == 0 { ForkTests.limitTime() }
            return "value"
        }
    }

    /// A child that is made while a record is: it goes on with the record that its parent goes on with.
    @Test(.enabled(if: getenv(Self.directoryName) != nil)) func forksWhileARecordIsMade() throws {
        let producer = try Self.producer()
        let sink = producer.makeLogHandler(label: "parent")
        // So that there is a batch in a file, which both have mapped.
        sink.info("0")
        let value = try Forking()
        sink.info("1", metadata: ["value": .stringConvertible(value)])
        let child = value.child.withLock { $0 }
        if child == 0 {
            let isCounted = producer.statistics.dropped == [.afterFork: 1] && producer.statistics.accepted == 1
            _exit(isCounted ? Fault.none.rawValue : Fault.statistics.rawValue)
        }
        var status: CInt = 0
        waitpid(child, &status, 0)
        #expect(status == 0)
        sink.info("2")
        #expect(producer.statistics.accepted == 3)
    }

    @Test func aChildThatIsMadeWhileARecordIsDropsItsCopyOfTheRecord() async throws {
        let directory = SpoolDirectory()
        #expect(try await Self.end(of: "ForkTests/forksWhileARecordIsMade", directory) == 0)
        let rig = try await SpoolTests.recover(3, from: directory)
        #expect(rig.transport.logs.compactMap { $0["message"] } == ["0", "1", "2"])
        #expect(rig.producer.statistics.damagedSpoolFiles == 0)
        await rig.stop()
    }

    /// The status with which a test ends that runs in a process of its own.
    private static func end(of test: String, _ directory: SpoolDirectory) async throws -> CInt {
        let process = try spawn(test, environment: ["\(Self.directoryName)=\(directory.path)"])
        return await withCheckedContinuation { answer in
            let hasThread = WriteThread().run {
                var status: CInt = 0
                waitpid(process, &status, 0)
                answer.resume(returning: status)
            }
            #expect(hasThread)
        }
    }

    /// Swift does not let one call it; the child calls `body` and ends.
    private static func fork(_ body: () -> Fault) throws -> pid_t {
        let symbol = try #require(dlsym(nil, "fork"))
        let child = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)()
        guard child == 0 else { return child }
        Self.limitTime()
        _exit(body().rawValue)
    }

    /// A child that hangs is a failure, and not a test that does not end. Threads of Dispatch block the signal.
    private static func limitTime() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGALRM)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        alarm(20)
    }
}

extension WebTrackingConfiguration {
    fileprivate var inMemory: WebTrackingConfiguration {
        var configuration = self
        configuration.durability = .memory
        configuration.spool.directory = nil
        return configuration
    }
}
#endif

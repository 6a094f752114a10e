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

/// A real process, killed. It is this test binary again, told by its environment to be the victim.
@Suite(.timeLimit(.minutes(10))) struct SpoolKillTests {
    private static let directoryName = "WEBTRACKING_TEST_VICTIM_DIRECTORY"
    private static let progressName = "WEBTRACKING_TEST_VICTIM_PROGRESS"
    private static let threadsName = "WEBTRACKING_TEST_VICTIM_THREADS"

    /// The victim: logs until it is killed, and stores the number of each thread's last record whose call has returned in a
    /// page that outlives it.
    @Test(.enabled(if: getenv(Self.directoryName) != nil)) func victim() throws {
        let directory = try #require(getenv(Self.directoryName).map { String(cString: $0) })
        let progress = try #require(getenv(Self.progressName).map { String(cString: $0) })
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = directory
        configuration.batching.targetBytes = 16 << 10
        // Nothing is delivered: the test reads what is left.
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: InMemoryTransport(otherwise: .never)
        )
        let sink = producer.makeLogHandler(label: "victim")
        let page = UInt(bitPattern: try Self.page(progress))
        let threads = getenv(Self.threadsName).flatMap { Int(String(cString: $0)) } ?? 1
        let buffer = try #require(producer.pipeline.router.route(label: "victim") { _ in nil }.queue as? TopicQueue)
        @Sendable func log(_ thread: Int) {
            var number: UInt64 = 0
            while number < 5_000_000 {
                number += 1
                sink.info("\(thread) \(number)")
                // What waits in memory for a file is said to be lost with the process, and what a full spool drops is counted:
                // a parent that comes late finds a victim that has filled it. To ask takes the lock, which appends are to
                // pass where threads meet.
                guard threads == 1 || number % 64 == 0, buffer.unspooled == 0, producer.statistics.totalDropped == 0,
                    let page = UnsafeMutableRawPointer(bitPattern: page)
                else { continue }
                SharedWord.store(number, to: page + thread * 8)
            }
        }
        for thread in 1..<threads {
            let hasThread = WriteThread().run { log(thread) }
            #expect(hasThread)
        }
        log(0)
    }

    @Test(arguments: [(100, 1), (3000, 1), (20_000, 1), (3000, 4), (20_000, 4)] as [(UInt64, Int)])
    func everyRecordWhoseCallHasReturnedIsThereAfterAKill(enough: UInt64, threads: Int) async throws {
        let directory = SpoolDirectory()
        let progress = "\(directory.path)-progress"
        defer { unlink(progress) }
        let page = try Self.page(progress)
        let child = try spawn(
            "SpoolKillTests/victim",
            environment: [
                "\(Self.directoryName)=\(directory.path)", "\(Self.progressName)=\(progress)",
                "\(Self.threadsName)=\(threads)",
            ]
        )
        func logged() -> [UInt64] { (0..<threads).map { Self.read(page + $0 * 8) } }
        var status: CInt = 0
        while logged().reduce(0, +) < enough {
            try #require(waitpid(child, &status, WNOHANG) == 0, "the victim has ended by itself")
            sched_yield()
        }
        kill(child, SIGKILL)
        waitpid(child, &status, 0)
        let counts = logged().map { Int($0) }
        #expect(counts.reduce(0, +) >= Int(enough))
        let rig = try await SpoolTests.recover(counts.reduce(0, +), from: directory)
        // There are more than those: of the last calls of other threads, too. The death is a record behind all of them.
        await rig.run { rig.producer.statistics.unexpectedExits == 1 && rig.producer.statistics.pending == 0 }
        let messages = rig.transport.logs.filter { $0["exit.pid"] == nil }
            .compactMap { $0["message"]?.split(separator: " ").compactMap { Int($0) } }
            .filter { $0.count == 2 }
        for (thread, count) in counts.enumerated() {
            let numbers = messages.filter { $0[0] == thread }.map { $0[1] }
            // The record in the making may be whole, too, and some behind records that were in memory only.
            let missing = Set(1..<(count + 1)).subtracting(numbers.prefix(count))
            #expect(missing.sorted().prefix(5) == [])
            let isInOrder = zip(numbers, numbers.dropFirst()).allSatisfy(<)
            #expect(isInOrder)
        }
        #expect(rig.producer.statistics.damagedSpoolFiles == 0)
        let told = rig.transport.logs.filter { $0["exit.pid"] != nil }
        #expect(told.map { $0["exit.pid"] } == ["\(child)"])
        #expect(told.first?["exit.recovered"] == "\(rig.producer.statistics.recovered)")
        // The last batch may have been begun a moment behind its first record's time.
        let last = rig.transport.logs.last { $0["exit.pid"] == nil }?["time"]
        #expect(threads > 1 || told.first?["exit.last_record"] ?? "" >= last ?? "none")
        await rig.stop()
        #expect(directory.files == [])
    }

    private static func read(_ page: UnsafeMutableRawPointer) -> UInt64 {
        // The other process stores it whole.
        page.assumingMemoryBound(to: UInt64.self).withMemoryRebound(to: UInt64.self, capacity: 1) { word in
            UnsafeRawPointer(word).loadUnaligned(as: UInt64.self)
        }
    }

    private static func page(_ path: String) throws -> UnsafeMutableRawPointer {
        let descriptor = try FileSystem.open(path, flags: O_RDWR | O_CREAT)
        defer { close(descriptor) }
        try FileSystem.allocate(descriptor, bytes: 4096, path: path)
        return try FileSystem.map(descriptor, bytes: 4096, path: path)
    }
}
#endif

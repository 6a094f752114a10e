// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import Testing
import WebTrackingTestKit

@testable import WebTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

#if SwiftLog
import Logging
#endif

/// A real process, killed. It is this test binary again, told by its environment to be the victim.
@Suite(.timeLimit(.minutes(10))) struct SpoolKillTests {
    private static let directoryName = "WEBTRACKING_TEST_VICTIM_DIRECTORY"
    private static let progressName = "WEBTRACKING_TEST_VICTIM_PROGRESS"

    /// The victim: logs until it is killed, and stores the number of the last record whose call has returned in a page
    /// that outlives it.
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
        let page = try Self.page(progress)
        let buffer = try #require(producer.pipeline.router.route(label: "victim") { _ in nil }.queue as? TopicQueue)
        var number: UInt64 = 0
        while number < 5_000_000 {
            number += 1
            sink.info("\(number)")
            // What waits in memory for a file is said to be lost with the process.
            if buffer.unspooled == 0 { SharedWord.store(number, to: page) }
        }
    }

    @Test(arguments: [100, 3000, 20_000] as [UInt64])
    func everyRecordWhoseCallHasReturnedIsThereAfterAKill(enough: UInt64) async throws {
        let directory = SpoolDirectory()
        let progress = "\(directory.path)-progress"
        defer { unlink(progress) }
        let page = try Self.page(progress)
        let child = try spawn(
            "SpoolKillTests/victim",
            environment: ["\(Self.directoryName)=\(directory.path)", "\(Self.progressName)=\(progress)"]
        )
        var status: CInt = 0
        while Self.read(page) < enough {
            try #require(waitpid(child, &status, WNOHANG) == 0, "the victim has ended by itself")
            sched_yield()
        }
        kill(child, SIGKILL)
        waitpid(child, &status, 0)
        let logged = Int(Self.read(page))
        #expect(logged >= Int(enough))
        let rig = try await SpoolTests.recover(logged, from: directory)
        let numbers = rig.transport.logs.compactMap { $0["message"].flatMap { Int($0) } }
        // The record in the making may be whole, too, and some behind records that were in memory only.
        #expect(Array(numbers.prefix(logged)) == Array(1..<(logged + 1)))
        #expect(numbers == numbers.sorted())
        #expect(rig.producer.statistics.damagedSpoolFiles == 0)
        // The death itself is a record, too.
        await rig.run { rig.producer.statistics.unexpectedExits == 1 && rig.producer.statistics.pending == 0 }
        let told = rig.transport.logs.filter { $0["exit.pid"] != nil }
        #expect(told.map { $0["exit.pid"] } == ["\(child)"])
        #expect(told.first?["exit.recovered"] == "\(rig.producer.statistics.recovered)")
        #expect(told.first?["exit.last_record"] == rig.transport.logs.last { $0["exit.pid"] == nil }?["time"])
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

// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import Testing
import WebTracking

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension EndToEnd {
    /// `webtracking spool`, run as a program on what producers have left.
    @Suite("webtracking spool")
    struct SpoolCommandTests {
        /// A process that logs five lines for each topic and is killed.
        private func leave(_ spool: URL, logstore: String = "app", topics: [String] = ["a", "b"]) async throws {
            let child = try ChildProcess("e2e-child", ["leave", spool.path, logstore] + topics)
            #expect(try await child.outcome().status == -SIGKILL)
        }

        /// Runs `body` while a folder with five lines of a topic belongs to a living process, this one. (A producer would
        /// adopt the folders of the dead.)
        private func withLiving(_ topic: String, in spool: URL, _ body: () async throws -> Void) async throws {
            let elsewhere = spool.deletingLastPathComponent().appending(path: "elsewhere")
            try await self.leave(elsewhere, topics: [topic])
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path).first)
            let folder = spool.appending(path: name)
            try FileManager.default.moveItem(at: elsewhere.appending(path: name), to: folder)
            let descriptor = open(folder.appending(path: "lock").path, O_RDWR | O_CLOEXEC)
            defer { close(descriptor) }
            try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            try await body()
        }

        private func spool(_ arguments: String...) async throws -> (status: Int32, lines: [String], errors: String) {
            try await self.spool(arguments)
        }

        private func spool(_ arguments: [String]) async throws -> (status: Int32, lines: [String], errors: String) {
            let process = try ChildProcess("webtracking", ["spool"] + arguments)
            let outcome = try await process.outcome()
            return (outcome.status, outcome.output.split(separator: "\n").map(String.init), outcome.errors)
        }

        private func messages(_ lines: [String]) throws -> [String] {
            try lines.map { try JSONDecoder().decode([String: String].self, from: Data($0.utf8))["message"] ?? "" }
        }

        @Test func listHasALineForEachFileAndSaysWhoseItIs() async throws {
            try await withTemporaryDirectory { directory in
                let spool = directory.appending(path: "spool")
                try await self.leave(spool)
                try await self.withLiving("c", in: spool) {
                    let (status, lines, _) = try await self.spool("list", spool.path)
                    #expect(status == 0)
                    let columns = lines.map { $0.split(separator: "\t").map(String.init) }
                    #expect(
                        columns.map { [$0[1], $0[2], $0[4], $0[5]] }.sorted { $0[3] < $1[3] } == [
                            ["dead", "5", "local/app", "a"], ["dead", "5", "local/app", "b"],
                            ["alive", "5", "local/app", "c"],
                        ]
                    )
                }
            }
        }

        @Test func showPrintsTheRecordsThatAreAskedFor() async throws {
            try await withTemporaryDirectory { directory in
                let spool = directory.appending(path: "spool")
                try await self.leave(spool)
                try await self.withLiving("a", in: spool) {
                    let ofA = (0..<5).map { "line \($0) of a" }
                    let all = try self.messages(try await self.spool("show", spool.path).lines)
                    #expect(all.sorted() == (ofA + (0..<5).map { "line \($0) of b" } + ofA).sorted())
                    let topic = try self.messages(try await self.spool("show", spool.path, "--topic", "a").lines)
                    #expect(topic == ofA + ofA)
                    let dead = try self.messages(
                        try await self.spool("show", spool.path, "--topic", "a", "--dead").lines
                    )
                    #expect(dead == ofA)
                    let batches = try WebTrackingSpool(directory: spool.path).batches()
                    let batch = try #require(batches.first { $0.topic == "b" }?.batchID)
                    let one = try self.messages(try await self.spool("show", spool.path, "--batch", batch).lines)
                    #expect(one == (0..<5).map { "line \($0) of b" })
                }
            }
        }

        @Test func verifyExitsWithOneIfARecordIsDamaged() async throws {
            try await withTemporaryDirectory { directory in
                let spool = directory.appending(path: "spool")
                try await self.leave(spool)
                let whole = try await self.spool("verify", spool.path)
                #expect(whole.status == 0)
                #expect(whole.lines.last?.contains("10 whole records") ?? false)
                let file = try #require(try WebTrackingSpool(directory: spool.path).batches().first { $0.topic == "a" })
                var bytes = try Data(contentsOf: URL(fileURLWithPath: file.path))
                let place = try #require(bytes.range(of: Data("line 3 of a".utf8)))
                bytes[place.lowerBound] ^= 1
                try bytes.write(to: URL(fileURLWithPath: file.path))
                let damaged = try await self.spool("verify", spool.path)
                #expect(damaged.status == 1)
                #expect(damaged.lines.first?.contains(file.path) ?? false)
                // All but the damaged one, also those behind it.
                let shown = try self.messages(try await self.spool("show", spool.path, "--topic", "a").lines)
                #expect(shown == (0..<5).filter { $0 != 3 }.map { "line \($0) of a" })
            }
        }

        @Test func replayDeliversWhatTheDeadLeftWithItsBatchIDsAndNothingElse() async throws {
            try await withServer { server async throws in
                try await withTemporaryDirectory { directory in
                    let spool = directory.appending(path: "spool")
                    try await self.leave(spool)
                    try await self.withLiving("c", in: spool) {
                        let batches = try WebTrackingSpool(directory: spool.path).batches().filter { !$0.isAlive }
                        let endpoint = "http://127.0.0.1:\(server.port)"
                        let first = try await self.spool("replay", spool.path, "--endpoint", endpoint)
                        #expect(first.status == 0)
                        #expect(first.lines == ["10 delivered, 0 dropped, 0 left"])
                        #expect(first.errors == "")
                        let stored = try await server.store.logs(matching: LogQuery(logstore: "app"))
                        #expect(
                            stored.filter { $0.request.topic == "a" }.map { $0.log["message"] }
                                == (0..<5).map { "line \($0) of a" }
                        )
                        #expect(stored.count == 10)
                        let ids = Set(
                            stored.compactMap { log in log.request.tags.first { $0.name == "__pack_id__" }?.value }
                        )
                        #expect(ids == Set(batches.compactMap(\.batchID)))
                        let second = try await self.spool("replay", spool.path, "--endpoint", endpoint)
                        #expect(second.status == 0)
                        #expect(second.lines == ["nothing to replay"])
                        #expect(try WebTrackingSpool(directory: spool.path).batches().map(\.topic) == ["c"])
                    }
                }
            }
        }

        @Test func replayOfSeveralLogstoresAsksWhichOne() async throws {
            try await withServer { server async throws in
                try await withTemporaryDirectory { directory in
                    let spool = directory.appending(path: "spool")
                    try await self.leave(spool, logstore: "one")
                    try await self.leave(spool, logstore: "two")
                    let endpoint = "http://127.0.0.1:\(server.port)"
                    let either = try await self.spool("replay", spool.path, "--endpoint", endpoint)
                    #expect(either.status != 0)
                    #expect(either.errors.contains("local/one, local/two"))
                    let two = try await self.spool("replay", spool.path, "--endpoint", endpoint, "--logstore", "two")
                    // The other one's records are left, and whoever removes the directory now has been told.
                    #expect(two.status == 1)
                    #expect(two.lines == ["10 delivered, 0 dropped, 0 left"])
                    #expect(two.errors.contains("10 records, for local/one; name it with --project and --logstore"))
                    #expect(try await server.store.count() == 10)
                    #expect(
                        try WebTrackingSpool(directory: spool.path).batches().map(\.destination) == [
                            "local/one", "local/one",
                        ]
                    )
                }
            }
        }

        @Test func replayWithoutAnEndpointExitsWithOneAndLeavesEverything() async throws {
            try await withTemporaryDirectory { directory in
                let spool = directory.appending(path: "spool")
                try await self.leave(spool)
                let arguments = ["replay", spool.path, "--endpoint", "http://127.0.0.1:1", "--timeout", "0.5"]
                let process = try ChildProcess("webtracking", ["spool"] + arguments)
                let outcome = try await process.outcome()
                #expect(outcome.status == 1)
                #expect(outcome.output.contains("0 delivered, 0 dropped, 10 left"))
                #expect(try WebTrackingSpool(directory: spool.path).batches().reduce(0) { $0 + $1.records } == 10)
            }
        }

        @Test func replayExitsWithOneIfAFileIsSetAsideAndIfOneIsOfANewerFormat() async throws {
            try await withServer { server async throws in
                try await withTemporaryDirectory { directory in
                    let endpoint = "http://127.0.0.1:\(server.port)"
                    for (place, told) in [
                        (4200, "1 files set aside"), (8, "in format 3, and this version reads 2"),
                    ] {
                        let spool = directory.appending(path: "spool-\(place)")
                        try await self.leave(spool)
                        let batches = try WebTrackingSpool(directory: spool.path).batches()
                        let file = try #require(batches.first { $0.topic == "a" }?.path)
                        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
                        bytes[place] ^= 1
                        try bytes.write(to: URL(fileURLWithPath: file))
                        let outcome = try await self.spool("replay", spool.path, "--endpoint", endpoint)
                        #expect(outcome.status == 1)
                        #expect((outcome.lines.joined() + outcome.errors).contains(told))
                    }
                }
            }
        }

        @Test func replaySignsWithAnAccessKeyFromAFile() async throws {
            let key = AccessKey(id: "test-id", secret: "test-secret")
            try await withServer { server async throws in
                server.server.accessKeys.add(key)
                try await withTemporaryDirectory { directory in
                    let spool = directory.appending(path: "spool")
                    let file = directory.appending(path: "key")
                    try Data("test-id test-secret\n".utf8).write(to: file)
                    try await self.leave(spool)
                    let endpoint = "http://127.0.0.1:\(server.port)"
                    let outcome = try await self.spool(
                        "replay",
                        spool.path,
                        "--endpoint",
                        endpoint,
                        "--region",
                        "cn-hangzhou",
                        "--access-key",
                        file.path
                    )
                    #expect(outcome.status == 0)
                    #expect(outcome.lines == ["10 delivered, 0 dropped, 0 left"])
                    #expect(try await server.store.count() == 10)
                }
            }
        }

        private static let commands = [
            ["list"], ["show"], ["verify"], ["replay", "--endpoint", "http://127.0.0.1:1"],
        ]

        @Test(arguments: commands)
        func aDirectoryThatIsNotThereIsAnErrorInOneLine(command: [String]) async throws {
            let outcome = try await self.spool(command + ["/nowhere/at/all"])
            #expect(outcome.status == 1)
            #expect(outcome.errors == "webtracking: opendir /nowhere/at/all: No such file or directory\n")
            #expect(outcome.lines == [])
        }

        @Test(arguments: commands)
        func aDirectoryThatIsNoSpoolDirectoryIsSaidToBeNone(command: [String]) async throws {
            try await withTemporaryDirectory { directory in
                let spool = directory.appending(path: "spool")
                try await self.leave(spool)
                let folder = try #require(try FileManager.default.contentsOfDirectory(atPath: spool.path).first)
                let above = try await self.spool(command + [directory.path])
                #expect(above.status == 1)
                #expect(
                    above.errors
                        == "webtracking: \(directory.path) is no spool directory: nothing in it is a producer's\n"
                )
                let below = spool.appending(path: folder).path
                let producer = try await self.spool(command + [below])
                #expect(producer.status == 1)
                #expect(
                    producer.errors
                        == "webtracking: \(below) is the folder of one producer; the spool directory is \(spool.path)\n"
                )
                #expect(above.lines + producer.lines == [])
            }
        }

        @Test func aDirectoryInWhichThereIsNothingYetIsASpoolDirectory() async throws {
            try await withTemporaryDirectory { directory in
                for name in ["empty", "volume/lost+found", "used/damaged", "started/.producer-1"] {
                    try FileManager.default.createDirectory(
                        at: directory.appending(path: name),
                        withIntermediateDirectories: true
                    )
                }
                for name in ["empty", "volume", "used", "started"] {
                    let outcome = try await self.spool("verify", directory.appending(path: name).path)
                    #expect(outcome.status == 0)
                    #expect(outcome.lines == ["0 files, 0 whole records, 0 files damaged"])
                }
            }
        }

        @Test func theBaseTopicIsAHyphenInTheListAndNothingInAQuestion() async throws {
            try await withTemporaryDirectory { directory in
                let spool = directory.appending(path: "spool")
                try await self.leave(spool, topics: ["", "b"])
                let lines = try await self.spool("list", spool.path).lines
                #expect(Set(lines.map { $0.split(separator: "\t")[5] }) == ["-", "b"])
                let base = try self.messages(try await self.spool("show", spool.path, "--topic", "").lines)
                #expect(base == (0..<5).map { "line \($0) of " })
            }
        }
    }
}

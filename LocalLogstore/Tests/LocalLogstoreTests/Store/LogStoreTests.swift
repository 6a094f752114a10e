// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstore
import LocalLogstoreTestSupport
import Testing

@Suite("Store")
struct LogStoreTests {
    private func group(_ topic: String, _ values: String...) -> LogGroup {
        LogGroup(
            topic: topic,
            source: "s",
            tags: [Field("env", "test")],
            logs: values.map { LogFields([Field("k", $0)]) }
        )
    }

    private func values(_ logs: [StoredLog]) -> [String?] { logs.map { $0.log["k"] } }

    @Test func givesBackWhatItTook() async throws {
        try await withStore { store async throws in
            let now = Date(timeIntervalSince1970: 1_700_000_000.123456)
            let topic = "a\u{0}b\u{301}'\""
            let group = LogGroup(
                topic: topic,
                source: "\u{0}",
                tags: [Field("z", "\u{0}"), Field("a", "")],
                logs: [LogFields([Field("b", "\u{0}\n\""), Field("a", "\u{1F600}")]), LogFields([Field("c", "d")])]
            )
            try await store.append(
                group,
                project: "p",
                logstore: "l",
                receivedAt: now,
                compression: .lz4,
                rawBytes: 7,
                wireBytes: 5
            )
            let logs = try await store.logs()
            #expect(logs.map(\.id) == [1, 2])
            #expect(logs.map(\.position) == [0, 1])
            #expect(logs.map(\.log.fields) == group.logs.map(\.fields))
            let request = try #require(logs.first?.request)
            #expect(abs(request.receivedAt.timeIntervalSince(now)) < 0.000_002)
            #expect(Array(request.topic.utf8) == Array(topic.utf8))
            #expect(request.source == "\u{0}")
            #expect(request.tags == group.tags)
            #expect(request.project == "p" && request.logstore == "l" && request.compression == .lz4)
            #expect(request.rawBytes == 7 && request.wireBytes == 5 && request.logCount == 2)
            #expect(try await store.requests() == [request])
            #expect(try await store.logs(matching: LogQuery(topic: topic)).count == 2)
        }
    }

    /// What the request states comes before what a field says, and both before the receipt.
    @Test func aLogHasTheTimeThatItsRequestStates() async throws {
        try await withStore { store async throws in
            let received = Date(timeIntervalSince1970: 1_700_000_000)
            let field = Field("time", "1699999990")
            var logs = [LogFields([field]), LogFields([field]), LogFields([Field("k", "v")])]
            logs[1].time = 1_699_999_980_000_001
            let group = LogGroup(topic: "", source: "", tags: [], logs: logs)
            try await store.append(group, project: "p", logstore: "l", receivedAt: received)
            let times = try await store.logs().map(\.time)
            #expect(times == [1_699_999_990_000_000, 1_699_999_980_000_001, 1_700_000_000_000_000])
        }
    }

    @Test func selects() async throws {
        try await withStore { store async throws in
            for (index, topic) in ["a", "b", "a"].enumerated() {
                try await store.append(
                    self.group(topic, "\(index)", "x"),
                    project: "p",
                    logstore: index == 2 ? "two" : "one",
                    receivedAt: Date(timeIntervalSince1970: Double(index))
                )
            }
            #expect(self.values(try await store.logs()) == ["0", "x", "1", "x", "2", "x"])
            #expect(self.values(try await store.logs(matching: LogQuery(logstore: "one"))) == ["0", "x", "1", "x"])
            #expect(self.values(try await store.logs(matching: LogQuery(topic: "a"))) == ["0", "x", "2", "x"])
            #expect(self.values(try await store.logs(matching: LogQuery(logstore: "two", topic: "a"))) == ["2", "x"])
            #expect(try await store.logstores() == ["one", "two"])

            var query = LogQuery()
            query.from = Date(timeIntervalSince1970: 1)
            query.until = Date(timeIntervalSince1970: 2)
            #expect(self.values(try await store.logs(matching: query)) == ["1", "x"])

            query = LogQuery()
            query.fields = [Field("k", "x")]
            query.order = .newestFirst
            query.limit = 2
            #expect(try await store.logs(matching: query).map(\.id) == [6, 4])
            #expect(try await store.count(matching: query) == 2)
            query.limit = nil
            #expect(try await store.count(matching: query) == 3)
            query.fields = [Field("k", "x"), Field("k", "y")]
            #expect(try await store.count(matching: query) == 0)
            #expect(try await store.count() == 6)
        }
    }

    @Test(arguments: ["a.b", "a\"b", "a'b", "a\\b", "$", "", "e\u{301}", "\u{0}"])
    func selectsByAnyName(name: String) async throws {
        try await withStore { store async throws in
            let group = LogGroup(
                topic: "",
                source: "",
                tags: [],
                logs: [LogFields([Field("x", "1"), Field(name, name)])]
            )
            try await store.append(group, project: "p", logstore: "l")
            var query = LogQuery()
            query.fields = [Field(name, name)]
            #expect(try await store.count(matching: query) == 1)
            query.fields = [Field(name, name + "x")]
            #expect(try await store.count(matching: query) == 0)
        }
    }

    @Test func keepsTheOrderOfConcurrentRequestsWithinEach() async throws {
        try await withStore { store async throws in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for task in 0..<200 {
                    tasks.addTask {
                        let logs = (0..<20).map { LogFields([Field("k", "\(task)-\($0)")]) }
                        let group = LogGroup(topic: "\(task)", source: "", tags: [], logs: logs)
                        try await store.append(group, project: "p", logstore: "l")
                        // It must be there as soon as the call returns.
                        let count = try await store.count(matching: LogQuery(topic: "\(task)"))
                        #expect(count == 20)
                    }
                }
                try await tasks.waitForAll()
            }
            let logs = try await store.logs()
            #expect(logs.count == 4000)
            for stored in logs { #expect(stored.log["k"] == "\(stored.request.topic)-\(stored.position)") }
        }
    }

    @Test func outlivesTheProcess() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            let store = try LogStore(path: path)
            try await store.append(self.group("t", "1"), project: "p", logstore: "l")
            // A second reader, as `webtracking query` is, while the first still has it open.
            let reader = try LogStore(readingFrom: path)
            #expect(try await reader.count() == 1)
            await #expect(throws: (any Error).self) {
                try await reader.append(self.group("t", "2"), project: "p", logstore: "l")
            }
            try reader.close()
            try store.close()
            let again = try LogStore(path: path)
            try await again.append(self.group("t", "2"), project: "p", logstore: "l")
            #expect(self.values(try await again.logs()) == ["1", "2"])
            try again.close()
        }
    }

    /// Readers may not write, so that the last of them to be closed would leave everything in the write-ahead log.
    @Test func leavesAllInOneFileWhenClosed() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            let store = try LogStore(path: path)
            try await store.append(self.group("t", "1", "2"), project: "p", logstore: "l")
            // Several at once, each with a connection of its own.
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<4 { tasks.addTask { try await store.count() } }
                for try await count in tasks { #expect(count == 2) }
            }
            try store.close()
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["logs.sqlite"])
            let copy = directory.appending(path: "copy.sqlite").path
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            let reader = try LogStore(readingFrom: copy)
            #expect(self.values(try await reader.logs()) == ["1", "2"])
            try reader.close()
        }
    }

    @Test func keepsASecondWriterOff() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            let other = directory.appending(path: "other.sqlite").path
            let store = try LogStore(path: path)
            try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: path)
            for name in [path, other] {
                #expect {
                    try LogStore(path: name)
                } throws: { error in
                    "\(error)".contains("in use by another")
                }
            }
            try await store.append(self.group("t", "1"), project: "p", logstore: "l")
            try store.close()
            let again = try LogStore(path: other)
            #expect(try await again.count() == 1)
            try again.close()
            // Also if it cannot be opened.
            try "no database, but text that is long enough".write(toFile: path, atomically: false, encoding: .utf8)
            for _ in 0..<2 {
                #expect {
                    try LogStore(path: path)
                } throws: { error in
                    !"\(error)".contains("in use")
                }
            }
        }
    }

    @Test func aNewFileIsForItsOwnerAlone() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            func modes() throws -> [String: Int?] {
                try FileManager.default.contentsOfDirectory(atPath: directory.path).reduce(into: [:]) { modes, name in
                    let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/" + name)
                    modes[name] = attributes[.posixPermissions] as? Int
                }
            }
            let store = try LogStore(path: path)
            try await store.append(self.group("t", "1"), project: "p", logstore: "l")
            let names = ["logs.sqlite", "logs.sqlite-shm", "logs.sqlite-wal", "logs.sqlite.lock"]
            #expect(try modes() == Dictionary(uniqueKeysWithValues: names.map { ($0, 0o600) }))
            try store.close()
            // Whoever opens it to others means that.
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            let again = try LogStore(path: path)
            try await again.append(self.group("t", "2"), project: "p", logstore: "l")
            #expect(try modes()["logs.sqlite"] == 0o640)
            #expect(try modes()["logs.sqlite-wal"] == 0o640)
            try again.close()
        }
    }

    /// Nothing is added to a file of another program, or of a version that kept logs otherwise; both are left as they are.
    @Test(
        arguments: [
            ("CREATE TABLE notes (text TEXT)", "is a database of another program"),
            (
                "CREATE TABLE requests (id); CREATE TABLE logs (id); CREATE TABLE blocks (id)",
                "holds logs of another version"
            ),
            ("PRAGMA application_id = 2004118631; PRAGMA user_version = 99; CREATE TABLE x (y)", "of another version"),
            // Its program has not come to its tables yet.
            ("PRAGMA application_id = 7", "is a database of another program"),
            ("PRAGMA user_version = 7", "is a database of another program"),
        ]
    )
    func refusesOtherFiles(sql: String, reason: String) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            let queue = try DatabaseQueue(path: path)
            try await queue.write { try $0.execute(sql: sql) }
            let tables = try await queue.read { try String.fetchAll($0, sql: "SELECT sql FROM sqlite_master") }
            try queue.close()
            for open in [{ try LogStore(path: path) }, { try LogStore(readingFrom: path) }] {
                #expect {
                    try open()
                } throws: { error in
                    "\(error)".contains(reason) && "\(error)".hasPrefix(path) && "\(error)".contains("--database")
                }
            }
            let after = try DatabaseQueue(path: path)
            let left = try await after.read { try String.fetchAll($0, sql: "SELECT sql FROM sqlite_master") }
            #expect(left == tables)
        }
    }

    @Test func refusesAFileThatIsNoDatabase() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appending(path: "notes.txt")
            let text = String(repeating: "what was noted\n", count: 100)
            try Data(text.utf8).write(to: file)
            for open in [{ try LogStore(path: file.path) }, { try LogStore(readingFrom: file.path) }] {
                #expect {
                    try open()
                } throws: { error in
                    "\(error)" == "\(file.path) is no database; choose another file with --database"
                }
            }
            #expect(try String(contentsOf: file, encoding: .utf8) == text)
        }
    }

    @Test func namesTheFileThatCannotBeOpened() async throws {
        try await withTemporaryDirectory { directory in
            for open in [
                { try LogStore(path: directory.path) }, { try LogStore(readingFrom: directory.path + "/none") },
            ] {
                #expect {
                    try open()
                } throws: { error in
                    "\(error)".hasPrefix("cannot open the database \(directory.path)")
                }
            }
        }
    }

    @Test func saysWhenNothingCouldBeStored() async throws {
        try await withTemporaryDirectory { directory in
            let store = try LogStore(path: directory.appending(path: "logs.sqlite").path)
            try store.close()
            await #expect(throws: (any Error).self) {
                try await store.append(self.group("t", "1"), project: "p", logstore: "l")
            }
        }
    }

    @Test func readsOneByOneAndStopsWhenTold() async throws {
        struct Enough: Error {}
        try await withStore { store async throws in
            try await store.append(self.group("t", "1", "2", "3"), project: "p", logstore: "l")
            var seen: [String?] = []
            #expect(throws: Enough.self) {
                try store.forEachLog(matching: LogQuery()) { stored in
                    seen.append(stored.log["k"])
                    if seen.count == 2 { throw Enough() }
                }
            }
            #expect(seen == ["1", "2"])
        }
    }
}

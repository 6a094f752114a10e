// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

@Suite("Statistics")
struct StatisticsTests {
    private static let start = 1_700_000_040

    /// Some logs of a shop: numbers, texts that are none, and fields that are not there.
    private func withShop<Result>(_ body: (LogStore) async throws -> Result) async throws -> Result {
        try await withTemporaryDirectory { directory in
            // Several tables of words.
            let path = directory.appending(path: "logs.sqlite").path
            let store = try LogStore(path: path, options: StoreOptions(logsPerTable: 8))
            for request in 0..<3 {
                let logs = (0..<10).map { index -> LogFields in
                    let number = request * 10 + index
                    var fields = [
                        Field("time", "\(Self.start + number * 10)"), Field("path", "/\(number % 3)"),
                        Field("level", index % 5 == 0 ? "error" : "info"),
                    ]
                    if index != 9 { fields.append(Field("ms", index == 8 ? "slow" : "\(number).5")) }
                    return LogFields(fields)
                }
                try await store.append(
                    LogGroup(topic: "t\(request)", source: "s", tags: [Field("env", "e\(request % 2)")], logs: logs),
                    project: "p",
                    logstore: "l\(request)",
                    receivedAt: Date(timeIntervalSince1970: Double(Self.start + 300))
                )
            }
            let result = try await body(store)
            try store.close()
            return result
        }
    }

    private func rows(_ text: String, _ store: LogStore) async throws -> [[Statistics.Value]] {
        let question = try SearchQuestion(parsing: text)
        let selection = LogSelection(search: question.search)
        return try await store.statistics(of: selection, #require(question.statement)).rows
    }

    @Test func computesWhatItSays() async throws {
        try await self.withShop { store async throws in
            #expect(try await self.rows("| select count(*), count(ms), count(distinct path)", store) == [[30, 27, 3]])
            // Of the 24 numbers; texts that are none do not count.
            #expect(
                try await self.rows("| select sum(ms), avg(ms), min(ms), max(ms)", store)
                    == [[.real(336), .real(14), .real(0.5), .real(27.5)]]
            )
            #expect(
                try await self.rows(
                    "| select approx_percentile(ms, 0.5), approx_percentile(ms, 1), approx_percentile(ms, 0)",
                    store
                )
                    == [[.real(13.5), .real(27.5), .real(0.5)]]
            )
            #expect(
                try await self.rows(
                    "level: error | select path, count(*) as n group by path order by n desc, path",
                    store
                )
                    == [["/0", 2], ["/1", 2], ["/2", 2]]
            )
            #expect(
                try await self.rows(
                    "| select __topic__, __source__, \"__tag__:env\", count(*) group by 1, 2, 3 order by 1",
                    store
                )
                    == [["t0", "s", "e0", 10], ["t1", "s", "e1", 10], ["t2", "s", "e0", 10]]
            )
            #expect(
                try await self.rows(
                    "| select date_trunc('minute', __time__) as t, count(*) group by t order by t",
                    store
                )
                    == (0..<5).map { [.integer(Int64(Self.start + $0 * 60)), 6] }
            )
            #expect(
                try await self.rows(
                    "| select __time__ - __time__ % 120 as t, count(*) group by t order by t limit 2",
                    store
                )
                    == [[.integer(1_700_000_040), 12], [.integer(1_700_000_160), 12]]
            )
            #expect(
                try await self.rows("ms > 26 | select upper(level), ms, length(path), missing order by __time__", store)
                    == [
                        ["INFO", "26.5", 2, .null], ["INFO", "27.5", 2, .null],
                    ]
            )
            #expect(
                try await self.rows("| select coalesce(missing, level), round(avg(ms), 1) group by 1 order by 2", store)
                    == [
                        ["error", .real(13)], ["info", .real(14.3)],
                    ]
            )
            #expect(try await self.rows("nothing | select count(*), sum(ms)", store) == [[0, .null]])
            #expect(try await self.rows("nothing | select path, count(*) group by path", store) == [])
        }
    }

    @Test(
        arguments: [
            ("second", 1_700_000_047), ("minute", 1_700_000_040), ("hour", 1_699_999_200), ("day", 1_699_920_000),
            ("week", 1_699_833_600), ("month", 1_698_796_800),
        ] as [(String, Int64)]
    )
    func cutsTimes(unit: String, expected: Int64) async throws {
        try await withStore { store async throws in
            try await store.append(
                LogGroup(topic: "", source: "", tags: [], logs: [LogFields([Field("a", "b")])]),
                project: "p",
                logstore: "l",
                receivedAt: Date(timeIntervalSince1970: 1_700_000_047.5)
            )
            #expect(try await self.rows("| select date_trunc('\(unit)', __time__)", store) == [[.integer(expected)]])
        }
    }

    @Test func tellsWhatIsLeftOut() async throws {
        try await self.withShop { store async throws in
            let statement = try #require(try SearchQuestion(parsing: "| select ms order by __time__ limit 3").statement)
            let some = try await store.statistics(of: LogSelection(), statement)
            #expect(some.rows.count == 3 && some.hasMore)
            let all = try #require(try SearchQuestion(parsing: "| select ms limit 30").statement)
            #expect(try await store.statistics(of: LogSelection(), all).hasMore == false)
        }
    }

    @Test func endsInTime() async throws {
        try await self.withShop { store async throws in
            // Enough rows for SQLite to look at the clock.
            let logs = (0..<2_000).map { LogFields([Field("n", "\($0)")]) }
            try await store.append(LogGroup(topic: "", source: "", tags: [], logs: logs), project: "p", logstore: "l")
            let statement = try #require(try SearchQuestion(parsing: "| select count(*), max(n)").statement)
            await #expect(throws: StatisticsError.tooSlow(.zero)) {
                try await store.statistics(of: LogSelection(), statement, limit: .zero)
            }
            // The connection is as before.
            #expect(try await store.statistics(of: LogSelection(), statement).rows == [[2030, .real(1999)]])
        }
    }

    /// What is no number in a log is none in statistics, be it one in Swift.
    @Test func countsDecimalNumbersOnly() async throws {
        try await withStore { store async throws in
            let values = ["1", "-2.5", "1e2", "inf", "-infinity", "nan", "0x10", "1e999", "+4"]
            let logs = values.map { LogFields([Field("n", $0)]) }
            try await store.append(LogGroup(topic: "", source: "", tags: [], logs: logs), project: "p", logstore: "l")
            #expect(
                try await self.rows("| select sum(n), max(n), min(n)", store)
                    == [[.real(102.5), .real(100), .real(-2.5)]]
            )
        }
    }

    @Test func takesTheRemainderOfFractions() async throws {
        try await withStore { store async throws in
            let logs = [LogFields([Field("n", "5.5"), Field("m", "7")])]
            try await store.append(LogGroup(topic: "", source: "", tags: [], logs: logs), project: "p", logstore: "l")
            #expect(
                try await self.rows("| select n % 2, m % 4, -n % 2, 7 % 4, 7 % 0, n % 0, missing % 2, 7 % -1", store)
                    == [[.real(1.5), .real(3), .real(-1.5), 3, .null, .null, .null, 0]]
            )
        }
    }

    @Test(arguments: ["sum(__time__ * 5000000000)", "abs(-9223372036854775807 - 1 + 0 * count(*))"])
    func saysWhatCannotBeComputed(column: String) async throws {
        try await withServer { server async throws in
            #expect(try await server.post(#"{"__source__":"","__logs__":[{"a":"b"},{"a":"c"}]}"#).status == 200)
            let q = "| select \(column)".addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let answer = try await server.api("statistics?q=\(q)")
            #expect(answer.status == 422 && answer.body.contains("integer overflow"), "\(answer)")
        }
    }

    @Test func readsAnyNumberOfWordTables() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            let store = try LogStore(path: path, options: StoreOptions(logsPerTable: 1))
            let logs = (0..<520).map { LogFields([Field("n", "\($0)"), Field("word", "here")]) }
            try await store.append(LogGroup(topic: "", source: "", tags: [], logs: logs), project: "p", logstore: "l")
            #expect(try await self.rows("here | select count(*), sum(n)", store) == [[520, .real(134_940)]])
            try store.close()
        }
    }

    @Test func endsBeforeTheResultIsTooLarge() async throws {
        try await withStore { store async throws in
            let long = String(repeating: "x", count: 1_000_000)
            let logs = (0..<2).map { LogFields([Field("n", "\($0)"), Field("a", long)]) }
            try await store.append(LogGroup(topic: "", source: "", tags: [], logs: logs), project: "p", logstore: "l")
            let columns = Array(repeating: "a", count: 20).joined(separator: ", ")
            await #expect(throws: StatisticsError.self) { try await self.rows("| select \(columns)", store) }
            #expect(try await self.rows("n: 1 | select \(columns)", store).count == 1)
        }
    }

    @Test(arguments: [true, false])
    func cannotWrite(isInMemory: Bool) async throws {
        func expectNoWriting(_ store: LogStore) async {
            await #expect(throws: DatabaseError.self) {
                try await store.database.read { _ = try RawStatement("DELETE FROM logs", in: $0).step() }
            }
        }
        if isInMemory { await expectNoWriting(try LogStore()) } else { try await self.withShop(expectNoWriting) }
    }

    @Test func answersAsJSON() async throws {
        try await withServer { server async throws in
            #expect(try await server.post(#"{"__source__":"","__logs__":[{"a":"b","ms":"2.5"}]}"#).status == 200)
            func ask(_ q: String) async throws -> TestServer.Answer {
                let encoded = q.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                return try await server.api("statistics?q=\(encoded)")
            }
            let answer = try await ask("a: b | select a, ms, sum(ms) as s, count(*), missing group by a, ms, missing")
            #expect(
                answer.body == """
                    {"columns":[{"name":"a","kind":"text"},{"name":"ms","kind":"text"},{"name":"s","kind":"number"},\
                    {"name":"count(*)","kind":"number"},{"name":"missing","kind":"text"}],\
                    "rows":[["b","2.5",2.5,1,null]],"more":false}
                    """
            )
            let statistics = try #require(Statistics(json: try JSONValue(parsing: Array(answer.body.utf8))))
            #expect(statistics.rows == [["b", "2.5", .real(2.5), 1, .null]])
            #expect(try await ask("a: b").status == 400)
            let wrong = try await ask("a | select nosuch(a)")
            #expect(wrong.status == 400 && wrong.body.contains(#""column":12,"length":6"#))
        }
    }
}

extension Statistics.Value: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    init(integerLiteral value: Int64) { self = .integer(value) }
    init(stringLiteral value: String) { self = .text(value) }
}

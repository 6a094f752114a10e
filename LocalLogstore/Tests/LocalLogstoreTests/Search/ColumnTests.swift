// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

/// What the columns of blocks say has to be what the logs themselves say.
@Suite("Columns")
struct ColumnTests {
    /// The same numbers each time, from the seed.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var value = self.state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }

    private static let words = [
        "order", "Order", "pay", "payment", "failed", "timeout", "7", "007", "Ünïcode", "支付", "a_b", "x-y", "",
        String(repeating: "w", count: 38), String(repeating: "w", count: 45), String(repeating: "w", count: 60),
    ]
    private static let numbers = [
        "1", "-3", "2.5", "1e3", "0x10", "900", "899.9", "nan", "inf", "12 ms", "-", "3000000000",
    ]
    private static let names = ["message", "note", "n", "ms", "time", "seq", "level", "label", "a\"b", "user"]

    private static func log(_ generator: inout Generator, _ index: Int) -> LogFields {
        var fields = [Field("seq", "\(index)")]
        for name in Self.names where name != "seq" && Bool.random(using: &generator) {
            switch name {
            case "level": fields.append(Field(name, ["info", "error", "5"].randomElement(using: &generator)!))
            case "label": fields.append(Field(name, ["shop.orders", "shop"].randomElement(using: &generator)!))
            case "n", "ms": fields.append(Field(name, Self.numbers.randomElement(using: &generator)!))
            case "time": fields.append(Field(name, "\(1_700_000_000 + index % 700)"))
            default:
                let words = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    Self.words.randomElement(using: &generator)!
                }
                fields.append(Field(name, words.joined(separator: [" ", "-", "\n"].randomElement(using: &generator)!)))
            }
        }
        return LogFields(fields)
    }

    private static func search(_ generator: inout Generator, depth: Int = 0) -> SearchExpression {
        func name() -> FieldName {
            if Int.random(in: 0..<8, using: &generator) == 0 { return .topic }
            return .log((Self.names + ["missing"]).randomElement(using: &generator)!)
        }
        func text() -> String {
            (0..<Int.random(in: 1...2, using: &generator)).map { _ in Self.words.randomElement(using: &generator)! }
                .joined(separator: " ")
        }
        func phrase() -> Phrase { Phrase(text(), endsWithPrefix: Bool.random(using: &generator)) ?? Phrase("pay")! }
        switch Int.random(in: 0..<(depth < 2 ? 8 : 5), using: &generator) {
        case 0: return .words(phrase())
        case 1: return .field(name(), phrase())
        case 2: return .exact(name(), text())
        case 3: return .exists(name())
        case 4:
            let number = [-3, 1, 2.5, 16, 899.95, 1000, 3e9, .infinity].randomElement(using: &generator)!
            return .comparison(name(), .allCases.randomElement(using: &generator)!, number)
        case 5: return .not(self.search(&generator, depth: depth + 1))
        case 6: return .and((0..<3).map { _ in self.search(&generator, depth: depth + 1) })
        default: return .or((0..<2).map { _ in self.search(&generator, depth: depth + 1) })
        }
    }

    /// By reading and comparing each log.
    private func matching(_ selection: LogSelection, in logs: [StoredLog]) -> [Int64] {
        logs.filter { stored in
            guard selection.includes(time: stored.time) else { return false }
            var json = stored.log.json
            return json.withUTF8 { fields in
                selection.search.matches(
                    LogView(fields: fields, topic: stored.request.topic) { stored.request }
                )
            }
        }
        .map(\.id)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func sayWhatTheLogsSay(seed: UInt64) async throws {
        var generator = Generator(state: seed)
        try await withStore { store async throws in
            for request in 0..<13 {
                let logs = (0..<100).map { Self.log(&generator, request * 100 + $0) }
                try await store.append(
                    LogGroup(topic: ["", "Orders pay"][request % 2], source: "s", tags: [], logs: logs),
                    project: "p",
                    logstore: "l",
                    receivedAt: Date(timeIntervalSince1970: 1_700_000_000 + Double(request))
                )
            }
            let logs = try await store.logs()
            #expect(logs.count == 1300)
            var found = 0
            for _ in 0..<250 {
                var selection = LogSelection(search: Self.search(&generator))
                if Bool.random(using: &generator) {
                    selection.from = 1_700_000_000_000_000 + Int64.random(in: 0..<400, using: &generator) * 1_000_000
                    selection.until = selection.from! + Int64.random(in: 1..<300, using: &generator) * 1_000_000
                }
                let expected = self.matching(selection, in: logs)
                found += expected.count
                let page = try await store.page(of: selection, limit: 2000)
                #expect(page.logs.map(\.id).sorted() == expected, "\(selection)")
                let overview = try await store.overview(of: selection, buckets: 7)
                #expect(overview.total == expected.count, "\(selection)")
                #expect(overview.buckets.joined().reduce(0, +) == expected.count, "\(selection)")
                let arrivals = try await store.arrivals(after: 300, matching: selection, limit: 2000)
                #expect(arrivals.logs.map(\.id) == expected.filter { $0 > 300 }, "\(selection)")
            }
            // Not only of nothing.
            #expect(found > 10_000)
        }
    }

    /// More fields and words than columns take: then the logs are read.
    @Test func leaveOpenWhatIsTooMuch() async throws {
        try await withStore { store async throws in
            let logs = (0..<256).map { row in
                LogFields(
                    (0..<4).map { Field("field-\(row)-\($0)", "value \(row) \($0)") }
                        + [Field("text", row == 7 ? String(repeating: "word ", count: 20_000) + "end" : "short \(row)")]
                )
            }
            try await store.append(LogGroup(topic: "", source: "", tags: [], logs: logs), project: "p", logstore: "l")
            let many = (0..<256).map { row in
                LogFields([Field("text", (0..<300).map { "m\(row)x\($0)" }.joined(separator: " "))])
            }
            try await store.append(LogGroup(topic: "", source: "", tags: [], logs: many), project: "p", logstore: "l")
            for (search, count) in [
                ("\"field-0-0\": value", 1), ("\"field-255-3\": value", 1), ("\"field-255-3\": *", 1),
                ("\"field-255-3\" > 1", 0), ("end", 1), ("value", 256), ("m255x299", 1), ("m0x0", 1), ("text: m3x7", 1),
            ] {
                let selection = LogSelection(search: try SearchExpression(parsing: search))
                #expect(try await store.overview(of: selection).total == count, "\(search)")
            }
        }
    }

    /// A file of before there were columns gets them when it is opened.
    @Test func areMadeForOldFiles() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "logs.sqlite").path
            let first = try LogStore(path: path)
            let logs = (0..<600).map { LogFields([Field("n", "\($0)"), Field("text", "word\($0 % 10)")]) }
            try await first.append(LogGroup(topic: "", source: "", tags: [], logs: logs), project: "p", logstore: "l")
            try await first.database.write { database in
                try database.execute(sql: "DROP TABLE columns; DELETE FROM grdb_migrations WHERE identifier = 'v3'")
            }
            try first.close()
            let store = try LogStore(path: path)
            let columns = try await store.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM columns") }
            #expect(columns == 2)
            let selection = LogSelection(search: try SearchExpression(parsing: "n > 100 word3"))
            #expect(try await store.overview(of: selection).total == 50)
            // And it goes on behind.
            try await store.append(LogGroup(topic: "", source: "", tags: [], logs: logs), project: "p", logstore: "l")
            #expect(try await store.overview(of: selection).total == 100)
            try store.close()
        }
    }

    @Test(
        arguments: [
            "0", "-0", "+5", "12", "007", "1.5", ".5", "5.", "1e3", "1E-3", "-1e", "0x1F", "0X1p3", "-0x2", "inf",
            "-Infinity",
            "nan", "NaN(1)", "nancy", "", "-", "+", "1_000", " 1", "1 ", "1,5", "３", "123456789012345",
            "1234567890123456",
            "9007199254740993", "1e400", "0e0", "1e5e5", "--1", "3e2a", "e5", "d41d8cd98f00b204e9800998ecf8427e",
        ]
    )
    func takeForNumbersWhatSearchesDo(text: String) {
        var bytes = text
        let number = bytes.withUTF8 { NumberColumn.number($0) }
        let expected = Double(text)
        #expect(number == expected || (number?.isNaN == true && expected?.isNaN == true))
    }

    @Test func setsOfRowsAreSets() {
        var set = RowSet.none
        for row in [0, 63, 64, 127, 200, 255] { set.insert(row) }
        #expect(Array(set) == [0, 63, 64, 127, 200, 255] && set.count == 6 && set.contains(200) && !set.contains(201))
        #expect(Array(RowSet(60..<70)) == Array(60..<70) && RowSet(0..<256) == .all && RowSet(5..<5).isEmpty)
        #expect((~set).count == 250 && (set & ~set).isEmpty && (set | ~set) == .all)
        set.remove(64)
        #expect(Array(set & RowSet(60..<130)) == [63, 127])
        var bytes: [UInt8] = [1]
        set.append(to: &bytes)
        #expect(bytes.withUnsafeBytes { RowSet($0, at: 1) } == set)
    }
}
